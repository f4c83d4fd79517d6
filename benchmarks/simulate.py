"""Histories of the delivery core, each made of a seed, and what was wrong with them.

    python -m benchmarks.simulate [--histories 10000] [--first 0] [--processes 2] [--json]
    python -m benchmarks.simulate --seed 384 [--way "post on an expired lease"]

A history is a few posts at places of the four kinds, delivered by up to three processes on up to two hosts.
They are killed, stopped and suspended while requests get lost, the database fails and clocks are set
(docs/delivery.md). Controls: four mutants, each run until it is found, and post-then-mark under the same
faults. --seed prints one history, line by line.
"""

import argparse
import json
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.simulation.history import Found, History
from benchmarks.simulation.mutants import MUTANTS, NAIVE, OURS, Way

WAYS = {"ours": OURS, "post, then mark": NAIVE, **MUTANTS}
SEARCH = 10_000  # within so many histories a mutant must be found
CONTROL = 1_000
CHUNK = 1_000  # histories that a process is given at a time
UNPROTECTED = "query", "opaque"  # places that do not know a post again by its key


@dataclass
class Tally:
    """What many histories came to."""

    histories: int = 0
    seconds: float = 0.0  # of CPU
    hours: float = 0.0  # of the worlds' own time
    wrong: list[tuple[int, str]] = field(default_factory=list)  # seed and what was wrong there
    ends: Counter[str] = field(default_factory=Counter)  # "kind state"
    kinds: Counter[str] = field(default_factory=Counter)
    twice: Counter[str] = field(default_factory=Counter)  # deliveries posted more than once, by kind

    def add(self, found: Found) -> None:
        self.histories += 1
        self.hours += found.seconds / 3600
        self.wrong += [(found.seed, wrong) for wrong in found.wrong]
        for (kind, state), count in found.ends.items():
            self.ends[f"{kind} {state}"] += count
            self.kinds[kind] += count
        self.twice += found.twice

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})

    def share_twice(self, kinds: Iterable[str]) -> float:
        return sum(self.twice[kind] for kind in kinds) / sum(self.kinds[kind] for kind in kinds)


def histories(way: Way, seeds: Iterable[int]) -> Iterator[Found]:
    return (History(seed, way.deliver, way.store).run() for seed in seeds)


def simulate(way: Way, seeds: Iterable[int]) -> Tally:
    tally, before = Tally(), time.process_time()
    for found in histories(way, seeds):
        tally.add(found)
    tally.seconds = time.process_time() - before
    return tally


def simulate_beside(name: str, seeds: range, processes: int) -> Tally:
    """The same in several processes, a way by its name."""
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return sum(pool.imap_unordered(partial(_simulate_chunk, name), chunks), Tally())


def _simulate_chunk(name: str, seeds: range) -> Tally:
    logging.disable(logging.CRITICAL)
    return simulate(WAYS[name], seeds)


def first_found(way: Way, seeds: Iterable[int]) -> Found | None:
    """The first history in which something is wrong."""
    return next((found for found in histories(way, seeds) if found.wrong), None)


def replay(seed: int, way: Way) -> list[str]:
    """What happens in a history, line by line: true time, wall clock, who, what."""
    trace: list[str] = []
    found = History(seed, way.deliver, way.store, trace=trace).run()
    return [*trace, "", *(f"WRONG: {wrong}" for wrong in found.wrong or ["nothing"])]


def report(ours: Tally, found: dict[str, Found | None], naive: Tally) -> dict[str, Any]:
    return {
        "histories": ours.histories,
        "a_cpu_second": round(ours.histories / ours.seconds),
        "simulated_hours": round(ours.hours),
        "violations": len(ours.wrong),
        "bound_95": 3 / ours.histories if not ours.wrong else None,
        "first_violations": ours.wrong[:5],
        "ends": dict(sorted(ours.ends.items())),
        "mutants": {name: it and {"seed": it.seed, "wrong": it.wrong[0]} for name, it in found.items()},
        "naive_twice": round(naive.share_twice(naive.kinds), 4),
        "naive_twice_unprotected": round(naive.share_twice(UNPROTECTED), 4),
        "ours_twice": ours.share_twice(ours.kinds),
    }


def show(figures: dict[str, Any]) -> None:
    print(
        f"{figures['histories']:,} histories, {figures['a_cpu_second']:,} a CPU second, "
        f"{figures['simulated_hours']:,} simulated hours: {figures['violations']} violations"
    )
    for seed, wrong in figures["first_violations"]:
        print(f"  --seed {seed}: {wrong}")
    print("  " + ", ".join(f"{end} {count:,}" for end, count in figures["ends"].items()))
    print("the mutants")
    for name, it in figures["mutants"].items():
        print(f"  {name:28}" + (f"found by seed {it['seed']}: {it['wrong']}" if it else "NOT FOUND"))
    print(
        f"posted twice: ours {figures['ours_twice']:.1%}, post-then-mark {figures['naive_twice']:.1%} "
        f"({figures['naive_twice_unprotected']:.1%} where no key protects it)"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, help="print this history")
    parser.add_argument("--way", choices=WAYS, default="ours", help="who delivers in it")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)  # couriers tell of every conflict
    if chosen.seed is not None:
        print("\n".join(replay(chosen.seed, WAYS[chosen.way])))
        return 0
    seeds = range(chosen.first, chosen.first + chosen.histories)
    ours = simulate_beside("ours", seeds, chosen.processes)
    found = {name: first_found(way, range(SEARCH)) for name, way in MUTANTS.items()}
    figures = report(ours, found, simulate(NAIVE, range(CONTROL)))
    print(json.dumps(figures)) if chosen.json else show(figures)
    return bool(ours.wrong)


if __name__ == "__main__":
    sys.exit(main())
