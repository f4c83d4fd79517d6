"""Processes that post to files with the shipped targets, and are killed on the way: `python -m tests.crash`.

Each line of its input starts one, a fork, and each line of its output is an exit code. `at` names where it
dies: a step, @, a target. At the steps of a post `who` dies: both processes, the sender alone or its parent
alone. It happens once: `mark` is made then. `run` counts the restarts; each begins ten minutes after the one
before.
"""

import json
import multiprocessing
import os
import signal
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.crashing.nursery import run_fork
from bot import BotError, Post, Receipt, child
from bot.posting.courier import Courier
from bot.posting.owner import identify
from bot.posting.sender import Sender
from bot.store import Database, Deliveries
from plugins.targets.feed import Feed
from plugins.targets.jsonl import Jsonl
from tests.queues import NOON, Clock

COURIER_STEPS = "after claim", "after attempt", "before settle", "after settle"
POST_STEPS = "before write", "in write", "after write"
KINDS = {"jsonl": "query", "feed": "put", "ledger": "opaque"}

crash: dict[str, str] = {}  # where this process dies, and its forks


class Ledger:
    """An opaque target that writes down every post it gets."""

    kind, account, max_length = "opaque", "ledger", None

    def __init__(self, path: Path):
        self.path = path

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        with self.path.open("a") as file:
            file.write(f"{post.key}\n")
        return Receipt(evidence="written down")

    def find(self, post: Post) -> Receipt | None:
        raise BotError("an opaque target was asked")


def die(step: str, target: str) -> None:
    if crash.get("at") == f"{step}@{target}" and not Path(crash["mark"]).exists():
        Path(crash["mark"]).touch()
        who = crash["who"] if step in POST_STEPS else "this"
        if who in ("both", "parent"):
            os.kill(os.getppid(), signal.SIGKILL)
        if who != "parent":
            os.kill(os.getpid(), signal.SIGKILL)


def build(folder: Path, bot: str, name: str):
    """A target that can be killed around and in the middle of its writing."""
    if name == "jsonl":
        target = Jsonl(folder / "posts.jsonl")
        whole = target._append
        target._append = lambda file, line: (half(file, line), whole(file, line))
    elif name == "feed":
        target = Feed(folder / "feed.xml", limit=10_000)
        os.replace = before_rename(os.replace)
    else:
        target = Ledger(folder / "ledger")
    post = target.post

    def fragile(asked: Post) -> Receipt:
        die("before write", name)
        receipt = post(asked)
        die("after write", name)
        return receipt

    target.post = fragile
    return target


def half(file, line: bytes) -> None:
    """A kill in the middle of a line; whoever survives it writes no line then."""
    if crash.get("at") == "in write@jsonl" and not Path(crash["mark"]).exists():
        file.write(line[: len(line) // 2])
        die("in write", "jsonl")
        signal.pause()


def before_rename(replace):
    def fragile(*paths, **options):
        die("in write", "feed")
        return replace(*paths, **options)

    return fragile


def deliver(folder: Path, run: int) -> None:
    """What `bot run` does, until all is settled or this process is."""

    class Fragile(Deliveries):
        """Can be killed before and after each of its steps."""

        def claim(self, owner, lease_seconds, *rest):
            claimed = super().claim(owner, lease_seconds, *rest)
            if claimed:
                die("after claim", claimed.target)
            return claimed

        def begin_sending(self, delivery):
            sending = super().begin_sending(delivery)
            die("after attempt", delivery.target)
            return sending

        def settle(self, delivery, *args, **options):
            if delivery.state == "sending" and delivery.owner == owner:
                die("before settle", delivery.target)
            settled = super().settle(delivery, *args, **options)
            if delivery.state == "sending" and delivery.owner == owner:
                die("after settle", delivery.target)
            return settled

    clock, owner = Clock(NOON + run * timedelta(minutes=10)), identify()
    store = Fragile(Database(f"sqlite:///{folder}/bot.db", clock))
    sender = Sender(partial(build, folder))
    courier = Courier(store, sender, lambda delivery: (), owner, clock, steady=lambda: clock().timestamp())
    courier.deliver_due()
    while not crash and left(store):
        clock.pass_by(600)
        courier.deliver_due()
    sender.close()


def left(store) -> bool:
    """Whether time alone will bring something on."""
    return any(d.state == "planned" or (d.state == "uncertain" and d.due_at) for d in store.list())


def post_then_mark(folder: Path) -> None:
    """The naive way, as a control: post, then write down that it was posted."""
    deliveries = Deliveries(Database(f"sqlite:///{folder}/bot.db")).list()
    marks = folder / "marks"
    marks.touch()
    for delivery in deliveries:
        mark = f"{delivery.key}\n"
        if mark not in marks.read_text():
            target = build(folder, delivery.bot, delivery.target)
            target.post(Post(delivery.text, delivery.key, delivery.bot, delivery.approved_at))
            with marks.open("a") as file:
                file.write(mark)


def work(folder: str, run: int, naive: bool, **dies: str) -> int:
    crash.update(dies)
    post_then_mark(Path(folder)) if naive else deliver(Path(folder), run)
    return 0


if __name__ == "__main__":
    child.CONTEXT = multiprocessing.get_context(
        "fork"
    )  # it starts in milliseconds, and no thread runs here whose locks it could copy
    for line in sys.stdin:
        print(run_fork(partial(work, **json.loads(line))), flush=True)
