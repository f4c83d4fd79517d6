"""Times several ways of doing the same thing in turn, so that a busy neighbour slows all alike.

A factor is the median of the rounds' own ratios. It does not know what is timed.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One way's figures. spread: (slowest - fastest) / median."""

    name: str
    rate: float  # median units a second
    factor: float  # median of the rounds' ratios to the control's rate
    spread: float


def interleaved(
    ways: Mapping[str, Callable[[], float]], rounds: int, clock: Clock = time.process_time
) -> dict[str, list[float]]:
    """Units a second of every way in every round. Each way returns how many units it made; one unmeasured
    round warms up. clock: CPU seconds by default; time.perf_counter where several threads work."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            before = clock()
            units = way()
            if number:
                rates[name].append(units / (clock() - before))
    return rates


def rows(rates: Mapping[str, list[float]], control: str) -> list[Row]:
    """The figures of all ways; the control's factor is 1."""
    return [
        Row(
            name,
            median(found),
            median(ours / theirs for ours, theirs in zip(found, rates[control], strict=True)),
            (max(found) - min(found)) / median(found),
        )
        for name, found in rates.items()
    ]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A command line with what all benchmarks understand."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    made.add_argument("--rounds", type=int, default=5)
    return made


def show(title: str, found: list[Row], unit: str, as_json: bool, **more: object) -> None:
    """Print a table, or one JSON object with whatever `more` is to be known."""
    if as_json:
        print(json.dumps({"title": title, "unit": unit, "rows": [asdict(row) for row in found], **more}))
        return
    print(title)
    width = max(len(row.name) for row in found)
    for row in found:
        print(f"  {row.name:{width}}  {row.rate:12,.0f} {unit}  x{row.factor:<7.2f} ±{row.spread:.0%}")
    for name, value in more.items():
        print(f"  {name}: {value}")
