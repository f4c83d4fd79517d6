"""A real process that is stopped past its lease: what it held is taken up, and it posts nothing twice."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.posting.courier import LEASE
from bot.posting.sender import Sender
from bot.records import Outlet
from tests.paused import STEPS, courier, ledger
from tests.queues import open_queue

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_wakes_after_its_lease_posts_nothing_twice(tmp_path, step):
    """Stopped by SIGSTOP; another takes over when the lease is over; it is woken, and there is one post."""
    with open_queue(tmp_path) as queue, closing(Sender(partial(ledger, tmp_path))) as sender:
        [draft] = queue.add("Wormhorn")
        queue.approve(draft, Outlet("pad", "ledger", "opaque", draft.text))
        queue.deliveries.schedule_now("metal")
        command = [sys.executable, "-W", "error", "-m", "tests.paused", str(tmp_path), step]
        stopped = subprocess.Popen(command, cwd=ROOT)
        os.waitpid(stopped.pid, os.WUNTRACED)  # until it is stopped

        queue.clock.pass_by(LEASE.total_seconds())
        courier(tmp_path, queue.deliveries, sender, queue.clock).deliver_due()
        state = queue.deliveries.list()[0].state
        assert state == ("sent" if step == "after claim" else "uncertain")  # what may have been sent waits
        os.kill(stopped.pid, signal.SIGCONT)
        assert stopped.wait(60) == 0

        assert [delivery.state for delivery in queue.deliveries.list()] == ["sent"]
        assert len((tmp_path / "ledger").read_text().splitlines()) == 1
