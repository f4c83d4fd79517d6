"""A process that has all loaded and forks: `python -m benchmarks.crashing.nursery`, asked line by line.

A fork starts in milliseconds where a new process takes a second, so thousands of kills fit into minutes. Its
sender's child is forked too; apart from that a fork runs what a new process would. It answers when a fork and
all that it has started have ended.
"""

import json
import logging
import mmap
import multiprocessing
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.crashing import dying, worker
from benchmarks.crashing.worker import BOT, Breakable, Errand
from bot import child
from bot.posting.courier import Courier
from bot.posting.outcomes import Sent
from bot.records import Outlet, Receipt
from bot.store import Deliveries, Drafts
from tests.queues import NOON, judged


class SharedClock:
    """One clock for all forks; it goes on where a killed one has left it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 8)

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=struct.unpack("d", self._memory[:8])[0])

    def pass_by(self, seconds: float) -> None:
        passed = (self() - NOON).total_seconds() + seconds
        self._memory[:8] = struct.pack("d", passed)


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, and whether it, or its sender, was killed where it was planned."""

    code: int
    died: bool


class Nursery:
    """The other end, in the process that judges."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "benchmarks.crashing.nursery"]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            command, cwd=root, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(
        self, url: str, port: int, errands: Sequence[Errand], plan: dying.Plan | None, naive: bool = False
    ) -> Ended:
        """Let a fork do the errands, and die as planned."""
        asked = {"url": url, "port": port, "errands": [asdict(it) for it in errands], "naive": naive}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked | {"plan": plan and asdict(plan)}) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class _Sure:
    """A sender that posts nowhere."""

    def check(self, delivery: Any) -> None: ...

    def post(self, delivery: Any) -> Sent:
        return Sent(Receipt(delivery.key))

    find = post


def _open(url: str) -> Breakable:
    """A database whose statements have all been compiled once; no connection is open."""
    database = Breakable(url, SharedClock())
    store, drafts = Deliveries(database), Drafts(database)
    [draft] = drafts.add(BOT, [judged("a text of another house")])
    drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=(Outlet("none", "none", "put", "x"),))
    store.take_slot(worker.slot(-1))
    Courier(store, _Sure(), lambda delivery: (), "the nursery", database.now).deliver_due()
    database.close()  # what was open must not be shared with a fork
    return database


def run_fork(work: Callable[[], int]) -> int:
    """Let a fork of this process work; its exit code, when it and all that it has started have ended."""
    alive, held = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(work)
    os.close(held)
    with open(alive, "rb") as pipe:
        pipe.read()  # ends when nobody holds the other end any more: a sender may outlive its parent
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _work(work: Callable[[], int]) -> NoReturn:
    code = 1
    try:
        code = work()
    except BaseException:
        logging.exception("a process has failed")
    finally:
        os._exit(code)


def _deliver(database: Breakable, asked: dict[str, Any]) -> int:
    errands = [Errand(**errand) for errand in asked["errands"]]
    if asked["naive"]:
        worker.post_then_mark(database, errands, asked["port"])
    else:
        worker.run(database, errands, asked["port"], database.now.pass_by)  # type: ignore[attr-defined]
    return 0


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    child.CONTEXT = multiprocessing.get_context("fork")  # type: ignore[assignment]  # no thread runs here whose locks it could copy
    databases: dict[str, Breakable] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["url"] not in databases:
            databases = {asked["url"]: _open(asked["url"])}
        dying.prepare(dying.Plan(**asked["plan"]) if asked["plan"] else None)
        code = run_fork(partial(_deliver, databases[asked["url"]], asked))
        print(json.dumps(asdict(Ended(code, dying.has_died()))), flush=True)


if __name__ == "__main__":
    main()
