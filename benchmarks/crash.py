"""The crash matrix: real processes, killed with SIGKILL at every durable step of a delivery.

    python -m benchmarks.crash [--kills 600] [--first 0] [--json]

Steps x four kinds of targets x SQLite and PostgreSQL x seeds. A seed chooses who dies (the process, its
sender's child, both), what else goes wrong at the place, and whether it still knows a key. Each process goes
on with what the killed ones before it have left. The control, under kills at the same steps: post, then mark.
"""

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any, get_args

from benchmarks.crashing.dying import Plan
from benchmarks.crashing.nursery import Nursery
from benchmarks.crashing.place import UNSURE, Place, serve
from benchmarks.crashing.worker import BOT, Errand
from bot.records import Delivery, Kind
from bot.store import Database, Deliveries, Drafts
from tests import postgres
from tests.queues import Clock, judged, open_queue

KINDS: tuple[Kind, ...] = get_args(Kind)
DATABASES = "sqlite", "postgresql"
CHUNK = 60  # cases in one database
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a kill loses nothing of what was written
CONTROL = 6  # one case of the naive way for so many of ours
TRANSACTIONS = "approval", "slot", "claim", "attempt", "settling"
WHO = "both", "sender", "parent"


def around(*names: str) -> list[str]:
    """The steps of transactions."""
    return [f"{when} {name}" for name in names for when in ("before", "in", "after")]


def call(name: str) -> list[str]:
    """The steps of a call, in a sender's child."""
    sending = [f"before the {name}", f"half of the {name}", f"{name} sent"]
    return [*sending, f"half of the answer to the {name}", f"answer to the {name} read"]


POSTING, ASKING = call("request"), call("question")
FIRST = [
    *around("approval", "slot", "claim"),
    "after check",
    *around("attempt"),
    *POSTING,
    *around("settling"),
]
AGAIN = [*around("claim", "attempt"), *POSTING, *around("settling")]
RECOVERY, CONCLUSION = around("recovery"), around("conclusion")
SENDING = {"after attempt", *POSTING, "before settling", "in settling"}  # nobody knows what came of it then
NAIVE = [*POSTING, *around("settling")]


def ways_to_die(kind: Kind) -> list[tuple[str, ...]]:
    """The steps at which a delivery is killed, one after the other."""
    later = [*RECOVERY, *{"put": AGAIN, "opaque": []}.get(kind, [*ASKING, *CONCLUSION, *AGAIN])]
    return [*((step,) for step in FIRST), *(("half of the request", step) for step in later)]


@dataclass
class Tally:
    """What many kills came to."""

    kills: int = 0
    deliveries: int = 0
    twice: int = 0
    lost: int = 0
    false: int = 0  # sent, and not there
    idle_doubts: int = 0  # in doubt, and it could be known
    doubts: int = 0  # in doubt, and nobody can know
    not_killed: list[str] = field(default_factory=list)  # processes that went another way than planned
    steps: Counter[str] = field(default_factory=Counter)  # "kind step" -> kills
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})


@dataclass(frozen=True)
class Case:
    """One delivery, how it dies, and what else goes wrong with its first request."""

    errand: Errand
    text: str
    plans: Sequence[Plan]
    fault: str = ""
    forgotten: bool = False  # its key, by the place

    @property
    def unknowable(self) -> bool:
        """Whether what came of it can be known by nobody."""
        hidden = self.fault in UNSURE or any(plan.step in SENDING for plan in self.plans)
        return self.errand.kind == "opaque" and hidden


class Lane:
    """One kind of target on one database: case after case, each in the processes that go on with the last."""

    def __init__(self, nursery: Nursery, place: Place, kind: Kind, seed: int, naive: bool = False):
        self._nursery, self._place, self._kind, self._naive = nursery, place, kind, naive
        self._random = Random(f"{kind} {seed} {naive}")
        self._ways = itertools.cycle([(step,) for step in NAIVE] if naive else ways_to_die(kind))
        for _ in range(seed * CHUNK):
            next(self._ways)
        self.tally = Tally()

    def run(self, url: str, kills: int) -> Tally:
        """As many kills, or the least that finishes a case, and then a judgement of all."""
        cases: list[Case] = []
        with Database(url, Clock()) as database:
            while self.tally.kills < kills and len(cases) < kills:
                cases.append(self._make(database, len(cases)))
                self._kill(url, cases[-2:])
            self._end(url, cases)
            self._judge(cases, Deliveries(database).list(bot=BOT))
        return self.tally

    def _make(self, database: Database, number: int) -> Case:
        draw = self._random
        text = "".join(draw.choices(ascii_lowercase, k=24))  # like no other of its week
        [draft] = Drafts(database).add(BOT, [judged(text)])
        fault = draw.choice(("busy", *UNSURE)) if not self._naive and draw.random() < 0.2 else ""
        *before, last = next(self._ways)
        plans = [*(Plan(step, "both", text) for step in before), self._plan(last, text)]
        return Case(Errand(draft.id, self._kind, number), text, plans, fault, draw.random() < 0.5)

    def _plan(self, step: str, text: str) -> Plan:
        in_child = step in POSTING + ASKING and not self._naive
        return Plan(step, self._random.choice(WHO) if in_child else "this", text)

    def _kill(self, url: str, cases: Sequence[Case]) -> None:
        case, faults = cases[-1], [cases[-1].fault]
        self._place.fault = lambda text: faults.pop() if faults and text == case.text else ""
        self._place.knows_key = lambda text: not case.forgotten
        for plan in case.plans:
            ended = self._run(url, cases, plan)
            right = ended.code == (0 if plan.who == "sender" else -9)
            if ended.died and right:
                self.tally.kills += 1
                self.tally.steps[f"{self._kind} {plan.step}"] += 1
            elif not (case.fault and ended.code == 0):  # a fault leads past some steps
                self.tally.not_killed.append(f"{self._kind}: {plan}: exit code {ended.code}")

    def _run(self, url: str, cases: Sequence[Case], plan: Plan | None) -> Any:
        errands = [case.errand for case in cases]
        ended = self._nursery.run(url, self._place.port, errands, plan, self._naive)
        self._place.settle()
        return ended

    def _end(self, url: str, cases: Sequence[Case]) -> None:
        self._place.fault = lambda text: ""
        if (ended := self._run(url, cases[-2:], None)).code:
            self.tally.not_killed.append(f"the last process: exit code {ended.code}")

    def _judge(self, cases: Sequence[Case], deliveries: Sequence[Delivery]) -> None:
        found = {delivery.text: delivery for delivery in deliveries if delivery.target == self._kind}
        times = self._place.times()
        self.tally.deliveries += len(cases)
        for case in cases:
            count, delivery = times[self._kind, case.text], found.get(case.text)
            state = delivery.state if delivery else "nowhere"
            faults = {
                "twice": count > 1,
                "lost": state not in ("sent", "uncertain"),
                "false": state == "sent" and not count,
                "idle_doubts": state == "uncertain" and not case.unknowable,
            }
            self.tally.doubts += state == "uncertain" and case.unknowable
            for name, is_so in faults.items():
                setattr(self.tally, name, getattr(self.tally, name) + is_so)
            if any(faults.values()):
                self.tally.wrong.append(f"{case}: {state}, {count} posts")


def matrix(
    kills: int, databases: Sequence[str] = DATABASES, kinds: Sequence[Kind] = KINDS, first: int = 0
) -> dict[str, dict[str, Tally]]:
    """Who delivers -> database -> what came of it. The databases go side by side."""
    with ThreadPoolExecutor(len(databases)) as pool:
        share = kills // len(databases)
        jobs = {name: pool.submit(both_ways, name, share, kinds, first) for name in databases}
        done = {name: job.result() for name, job in jobs.items()}
    return {way: {name: tallies[way] for name, tallies in done.items()} for way in ("ours", "naive")}


def both_ways(database: str, kills: int, kinds: Sequence[Kind], first: int) -> dict[str, Tally]:
    """Ours and the control on one database, every kind in turn."""
    tallies = {"ours": Tally(), "naive": Tally()}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=MEMORY)))
        nursery = stack.enter_context(Nursery())
        fresh = partial(_sqlite, folder, itertools.count())
        if database == "postgresql":
            fresh = stack.enter_context(postgres.serve(folder)).fresh
        for way, seed, kind, share in shares(kills, kinds, first):
            place = Place()
            with serve(place):
                lane = Lane(nursery, place, kind, seed, naive=way == "naive")
                tallies[way] += lane.run(fresh(), share)
    return tallies


def shares(kills: int, kinds: Sequence[Kind], first: int) -> Iterator[tuple[str, int, Kind, int]]:
    """In chunks: the way, a seed, a kind, how many kills."""
    for way, all_of_them in (("ours", kills), ("naive", kills // CONTROL)):
        for kind in kinds:
            left = all_of_them // len(kinds)
            for seed in itertools.count(first):
                if left <= 0:
                    break
                yield way, seed, kind, min(left, CHUNK)
                left -= CHUNK


def _sqlite(folder: Path, numbers: Iterator[int]) -> str:
    place = folder / str(next(numbers))
    place.mkdir()
    with open_queue(place):
        return f"sqlite:///{place}/bot.db"


def report(found: dict[str, dict[str, Tally]], seconds: float) -> dict[str, Any]:
    ours, naive = (sum(found[way].values(), Tally()) for way in ("ours", "naive"))
    return {
        "kills": ours.kills,
        "a_second": round((ours.kills + naive.kills) / seconds, 1),
        "steps": len({step.partition(" ")[2] for step in ours.steps}),
        "bound_95": 3 / ours.kills,
        "by_database": {name: asdict(tally) | {"steps": 0} for name, tally in found["ours"].items()},
        "ours": asdict(ours) | {"steps": dict(sorted(ours.steps.items()))},
        "naive": asdict(naive) | {"steps": 0, "wrong": []},
        "naive_twice": round(naive.twice / naive.deliveries, 3),
    }


def show(figures: dict[str, Any]) -> None:
    ours, naive = figures["ours"], figures["naive"]
    print(
        f"{figures['kills']:,} kills at {figures['steps']} steps, {figures['a_second']} a second, "
        f"{ours['deliveries']:,} deliveries"
    )
    for name, one in figures["by_database"].items():
        print(
            f"  {name:11} {one['kills']:6,} kills: {one['twice']} posted twice, {one['lost']} lost, "
            f"{one['false']} false sent, {one['idle_doubts']} in doubt that could be known; "
            f"{one['doubts']} in doubt that could not"
        )
    print(f"  95 %: fewer than {figures['bound_95']:.2%} of kills do any of that, where none has")
    print(
        f"post, then mark: {naive['twice']} of {naive['deliveries']} deliveries posted twice "
        f"({figures['naive_twice']:.1%})"
    )
    for wrong in [*ours["wrong"], *ours["not_killed"]][:10]:
        print(f"  {wrong}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=600)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    before = time.perf_counter()
    found = matrix(chosen.kills, first=chosen.first)
    figures = report(found, time.perf_counter() - before)
    print(json.dumps(figures)) if chosen.json else show(figures)
    return bool(figures["ours"]["wrong"] or figures["ours"]["not_killed"])


if __name__ == "__main__":
    sys.exit(main())
