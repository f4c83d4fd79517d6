"""A process that delivers and stops itself on the way: `python -m tests.paused FOLDER STEP`.

It goes on when somebody wakes it, and does not know how long it was stopped.
"""

import os
import signal
import sys
from functools import partial
from pathlib import Path

from bot.posting.courier import Courier
from bot.posting.owner import identify
from bot.posting.sender import Sender
from bot.store import Database, Deliveries
from tests.crash import Ledger
from tests.queues import Clock

STEPS = "after claim", "after attempt"


def ledger(folder: Path, bot: str, name: str) -> Ledger:
    return Ledger(folder / "ledger")


class Stopping(Deliveries):
    """Stops this process after one of its steps."""

    at = ""

    def claim(self, *given):
        return self.stop("after claim", super().claim(*given))

    def begin_sending(self, delivery):
        return self.stop("after attempt", super().begin_sending(delivery))

    def stop(self, step, result):
        if result and step == self.at:
            os.kill(os.getpid(), signal.SIGSTOP)
        return result


def courier(folder: Path, store: Deliveries, sender: Sender, clock: Clock) -> Courier:
    return Courier(store, sender, lambda delivery: (), identify(), clock)


if __name__ == "__main__":
    folder, clock = Path(sys.argv[1]), Clock()
    store = Stopping(Database(f"sqlite:///{folder}/bot.db", clock))
    store.at = sys.argv[2]
    sender = Sender(partial(ledger, folder))
    courier(folder, store, sender, clock).deliver_next()
    sender.close()
