"""Two to eight workers on one database, killed, stopped and deceived in real time, on SQLite and PostgreSQL.

    python -m benchmarks.torture [--deliveries 100] [--workers 5] [--seed 1] [--database sqlite] [--json]

Workers are real processes, each with a sender's child. Their clock runs 30 times as fast, so that a lease of
90 s is over in three: workers are stopped (SIGSTOP) for longer than that, and killed, with their senders or
without. 35 % of the requests meet a fault at the place. Control, under the same, with four times as many
deliveries since it is done with them sooner: post, then mark; its client gives up after five seconds, as
most do, and what it gave up it posts again.
"""

import argparse
import json
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any, get_args

from sqlalchemy import update

from benchmarks.crashing.nursery import BOT
from benchmarks.crashing.place import SURE, UNSURE, Place, serve
from benchmarks.crashing.worker import build
from bot import BotError, NotSent, Refused, child
from bot.posting.courier import LEASE, Courier
from bot.posting.owner import identify
from bot.posting.sender import DEADLINE, Sender
from bot.records import Delivery, Kind, Limits, Outlet, Post
from bot.store import Database, Deliveries, Drafts
from bot.store.tables import deliveries
from tests import postgres
from tests.queues import NOON, judged, open_queue

KINDS: tuple[Kind, ...] = get_args(Kind)
UNPROTECTED = "query", "opaque"
DATABASES = "sqlite", "postgresql"
SPEED = 30.0
PATIENCE = 5 / SPEED  # of the control's client; a slow answer takes twice as long
FAULTS = 0.35
MOST_SECONDS = 600.0  # of real time; what is not done by then is lost
PAUSE, KILL, STOP = 0.15, 0.15, 0.2  # seconds, and how probable each is after such a pause
TIMES = {
    "ours": 1,
    "naive": 4,
}  # the deliveries asked for: few of the control's would show nothing now and then
APART = 0.1 * SPEED  # seconds between two deliveries
STORM = 0.7  # so much of the deliveries' ends is waited for; then nobody is killed or stopped any more


@dataclass(frozen=True)
class FastClock:
    """The same in all processes that were given it."""

    began: float

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=self.steady())

    def steady(self) -> float:
        return (time.monotonic() - self.began) * SPEED


@dataclass
class Tally:
    """What one run came to."""

    deliveries: int = 0
    twice: int = 0
    twice_unprotected: float = 0.0  # the share, where the place knows no key
    lost: int = 0
    false: int = 0  # sent, and not there; refused, and there
    states: dict[str, int] = field(default_factory=dict)  # "kind state"
    kills: int = 0
    stops: int = 0
    faults: int = 0
    requests: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def ours(url: str, port: int, clock: FastClock) -> None:
    """A worker's life, until it is killed."""
    store = Deliveries(Database(url, clock), lambda bot: Limits(None, None))
    sender = Sender(partial(build, port), DEADLINE / SPEED)
    courier = Courier(store, sender, lambda delivery: (), identify(), clock, steady=clock.steady)
    _for_ever(courier.deliver_due)


def naive(url: str, port: int, clock: FastClock) -> None:
    """The same life of one that posts what is due, and then marks it."""
    database = Database(url, clock)
    store = Deliveries(database)
    _for_ever(lambda: _post_then_mark(store, database, port))


def _post_then_mark(store: Deliveries, database: Database, port: int) -> None:
    for delivery in store.list(state="planned"):
        if store.get(delivery.id).state == "planned" and delivery.due_at:  # another may have done it
            post = Post(delivery.text, delivery.key, delivery.bot, delivery.approved_at)
            client = replace(build(port, BOT, delivery.kind), patience=PATIENCE)
            try:
                values = {"state": "sent", "remote_id": client.post(post).remote_id}
            except Refused:
                values = {"state": "refused"}
            except (NotSent, OSError, ValueError, KeyError):
                continue
            with suppress(Exception), database.write() as connection:
                connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(**values))


def _for_ever(turn: Callable[[], None]) -> None:
    while True:
        with suppress(BotError):
            turn()
        time.sleep(0.05)


@dataclass
class Torturer:
    """Keeps so many workers at work, and harms them until most is done."""

    life: Callable[[str, int, FastClock], None]
    url: str
    port: int
    clock: FastClock
    random: Random
    tally: Tally
    living: list[Any] = field(default_factory=list)
    stopped: dict[int, float] = field(default_factory=dict)  # pid -> when it goes on

    def keep(self, count: int) -> None:
        context = multiprocessing.get_context("fork")
        self.living = [process for process in self.living if process.is_alive()]
        while len(self.living) < count:
            process = context.Process(target=_begin, args=(self.life, self.url, self.port, self.clock))
            process.start()
            self.living.append(process)

    def harm(self) -> None:
        """Kill one, or its sender, or stop one for up to twice its lease; or nothing.

        A sender that is stopped does not outlive its parent: what it sends after that, nobody expects.
        """
        pid, dice = self.random.choice(self.living).pid, self.random.random()
        both = [pid, *_children(pid)]
        if dice < KILL:
            self.tally.kills += 1
            _signal(both if pid in self.stopped else self._some(both), signal.SIGKILL)
        elif dice < KILL + STOP and pid not in self.stopped:
            self.tally.stops += 1
            self.stopped[pid] = time.monotonic() + self.random.uniform(0.1, 2 * LEASE.total_seconds() / SPEED)
            _signal(self._some(both), signal.SIGSTOP)

    def _some(self, both: list[int]) -> list[int]:
        """Both, the process alone, or its sender alone."""
        return self.random.choice((both, both[:1], both[1:]))

    def wake(self, everybody: bool = False) -> None:
        for pid, at in list(self.stopped.items()):
            if everybody or at <= time.monotonic():
                del self.stopped[pid]
                _signal([pid, *_children(pid)], signal.SIGCONT)

    def end(self) -> None:
        for process in self.living:
            _signal([process.pid, *_children(process.pid)], signal.SIGKILL)
            process.join()


def _begin(life: Callable[[str, int, FastClock], None], url: str, port: int, clock: FastClock) -> None:
    logging.disable(logging.CRITICAL)  # couriers tell of every conflict
    child.CONTEXT = multiprocessing.get_context("fork")  # type: ignore[assignment]  # no thread runs here yet
    life(url, port, clock)


def _children(pid: int) -> list[int]:
    try:
        return [int(it) for it in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def run_place(pipe: Any, seed: int) -> None:
    """The place, in a process that nobody harms: it says its port, and in the end what it has."""
    random, met = Random(seed), Counter[str]()

    def fault(text: str) -> str:
        met["requests"] += 1
        mode = random.choice((*SURE[:1], *UNSURE)) if random.random() < FAULTS else ""
        met["faults"] += bool(mode)
        return mode

    place = Place(fault, knows_key=lambda text: text < "n", patience=10 / SPEED)
    with serve(place):
        pipe.send(place.port)
        pipe.recv()
        pipe.send((place.times(), met))


def torture(way: str, url: str, count: int, workers: int, seed: int) -> Tally:
    """So many deliveries, by so many workers."""
    clock, random, tally = FastClock(time.monotonic()), Random(seed), Tally()
    pipe, theirs = multiprocessing.Pipe()
    place = multiprocessing.get_context("fork").Process(target=run_place, args=(theirs, seed), daemon=True)
    place.start()
    with Database(url, clock) as database:
        _approve(database, count, random)
    torturer = Torturer({"ours": ours, "naive": naive}[way], url, pipe.recv(), clock, random, tally)
    began = time.monotonic()
    _storm(torturer, url, count, workers)
    tally.seconds = round(time.monotonic() - began, 1)
    pipe.send("end")
    times, met = pipe.recv()
    tally.requests, tally.faults = met["requests"], met["faults"]
    with Database(url, clock) as database:
        _judge(tally, Deliveries(database).list(), times, naive=way == "naive")
    return tally


def _approve(database: Database, count: int, random: Random) -> None:
    """Drafts that become due one after the other, at places of all kinds in turn."""
    drafts, store = Drafts(database), Deliveries(database)
    for number in range(count):
        text = "".join(random.choices(ascii_lowercase, k=24))
        [draft] = drafts.add(BOT, [judged(text)])
        kind = KINDS[number % 4]
        outlet = Outlet(kind, kind, kind, text)
        drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=(outlet,))
        store.schedule_now(BOT)
        with database.write() as connection:
            due_at = database.now() + timedelta(seconds=number * APART)
            mine = update(deliveries).where(deliveries.c.draft == draft.id)
            connection.execute(mine.values(due_at=due_at))


def _storm(torturer: Torturer, url: str, count: int, workers: int) -> None:
    """Until all has come to an end, or for as long as that may take."""
    began, left = time.monotonic(), count
    while left and time.monotonic() - began < MOST_SECONDS:
        torturer.keep(workers)
        stormy = left > (1 - STORM) * count
        if stormy:
            torturer.harm()
        torturer.wake(everybody=not stormy)
        time.sleep(PAUSE)
        left = _count_open(url, torturer.clock)
    torturer.wake(everybody=True)
    torturer.end()


def _count_open(url: str, clock: FastClock) -> int:
    """What is not at an end. No connection stays open: SQLite must not have one on both sides of a fork."""
    with Database(url, clock) as database:
        return sum(map(_is_open, Deliveries(database).list()))


def _is_open(delivery: Delivery) -> bool:
    """Whether time, or anybody who works, may bring it on."""
    waits = bool(delivery.due_at or delivery.awaits)
    return delivery.state in ("planned", "claimed", "sending") or (delivery.state == "uncertain" and waits)


def _judge(tally: Tally, found: Sequence[Delivery], times: Counter[tuple[str, str]], naive: bool) -> None:
    for delivery in found:
        count = times[delivery.kind, delivery.text]
        tally.deliveries += 1
        end = f"{delivery.kind} {delivery.state}"
        tally.states[end] = tally.states.get(end, 0) + 1
        faults = {
            "twice": count > 1,
            "lost": _is_open(delivery) or (delivery.state == "uncertain" and delivery.kind != "opaque"),
            "false": (delivery.state, bool(count)) in (("sent", False), ("refused", True)),
        }
        for name, is_so in faults.items():
            setattr(tally, name, getattr(tally, name) + is_so)
        if any(faults.values()) and not naive:
            tally.wrong.append(f"{delivery.kind} {delivery.state} {count} times: {delivery}")
    bare = [times[it.kind, it.text] > 1 for it in found if it.kind in UNPROTECTED]
    tally.twice_unprotected = round(sum(bare) / len(bare), 3)


def both_ways(database: str, count: int, workers: int, seed: int) -> dict[str, Any]:
    with ExitStack() as stack:
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # no power is lost here
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        server = stack.enter_context(postgres.serve(folder)) if database == "postgresql" else None
        found = {}
        for way in ("ours", "naive"):
            url = server.fresh() if server else _sqlite(folder / way)
            found[way] = torture(way, url, count * TIMES[way], workers, seed)
    return {
        "database": database,
        "workers": workers,
        "seed": seed,
        **{way: asdict(tally) for way, tally in found.items()},
    }


def _sqlite(folder: Path) -> str:
    folder.mkdir()
    with open_queue(folder):
        return f"sqlite:///{folder}/bot.db"


def show(figures: dict[str, Any]) -> None:
    it = figures["ours"]
    print(
        f"{figures['database']}, {figures['workers']} workers, {it['deliveries']} deliveries, "
        f"{it['requests']} requests with {it['faults']} faults, {it['kills']} kills, {it['stops']} stops, "
        f"{it['seconds']} s"
    )
    print(
        f"  ours: {it['twice']} posted twice, {it['lost']} lost, {it['false']} false; "
        + ", ".join(f"{end} {count}" for end, count in sorted(it["states"].items()))
    )
    naive = figures["naive"]
    print(
        f"  post, then mark: {naive['twice']} posted twice; "
        f"{naive['twice_unprotected']:.0%} where no key protects them"
    )
    for wrong in it["wrong"][:5]:
        print(f"  {wrong}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=100)
    parser.add_argument("--workers", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=DATABASES, help="this one alone")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line instead of a table")
    chosen = parser.parse_args()
    wrong = False
    for database in (chosen.database,) if chosen.database else DATABASES:
        figures = both_ways(database, chosen.deliveries, chosen.workers, chosen.seed)
        print(json.dumps(figures), flush=True) if chosen.json else show(figures)
        wrong |= bool(figures["ours"]["wrong"])
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
