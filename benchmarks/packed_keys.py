"""Keys as they are packed beside keys as they are: bytes, opening, and 300 look-ups, as an index grows.

    python -m benchmarks.packed_keys [--keys 411000 890000 3000000] [--pairs 100] [--json]

Random keys of 40 bits, mapped from files; the control is what the first versions wrote, as this one reads it.
Both are opened and asked in turns, in an order drawn by chance; times are medians. Half of the questions are
about keys that are held. The answers are held against each other.
"""

import argparse
import json
import mmap
import random
import statistics
import struct
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bot.curation.keys import Keys, distinct
from bot.curation.packed_keys import BITS, pack, unpack

COUNTS = (411_000, 890_000, 3_000_000)
ASKED = 300
KINDS = ("plain", "packed")


def plain(keys: Keys) -> bytes:
    """As the first versions wrote them: all upper 32 bits, then all lower 8."""
    upper, lower = (keys >> np.uint64(8)).astype("<u4"), (keys & np.uint64(255)).astype("u1")
    return struct.pack("<8sQ", b"novelty\x01", len(keys)) + upper.tobytes() + lower.tobytes()


def measure(count: int, pairs: int) -> dict[str, Any]:
    """Everything about one size."""
    chance = np.random.default_rng(count)
    keys = distinct([chance.integers(0, 1 << BITS, count, dtype=np.uint64)])
    with tempfile.TemporaryDirectory() as folder:
        files = {kind: Path(folder, kind) for kind in KINDS}
        for kind, data in zip(KINDS, (plain(keys), pack(keys)), strict=True):
            files[kind].write_bytes(data)
        found: dict[str, Any] = {f"{kind}: bytes": files[kind].stat().st_size for kind in KINDS}
        for what, mine in (("new", False), ("held", True)):
            asked = [chance.choice(keys, ASKED) if mine else strangers(chance) for _ in range(pairs)]
            found |= medians([turn(files, some) for some in asked], what)
    return found


def strangers(chance: np.random.Generator) -> Keys:
    return chance.integers(0, 1 << BITS, ASKED, dtype=np.uint64)


def turn(files: Mapping[str, Path], asked: Keys) -> dict[str, tuple[float, float]]:
    """Of each kind the microseconds to open it, and to answer what was answered once."""
    answers, times = {}, {}
    for kind in random.sample(KINDS, len(KINDS)):
        start = time.perf_counter()
        with files[kind].open("rb") as file:
            known = unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        opened = time.perf_counter()
        assert known is not None
        answers[kind] = known.holds(asked).tolist()
        again = time.perf_counter()
        known.holds(asked)
        times[kind] = ((opened - start) * 1e6, (time.perf_counter() - again) * 1e6)
    assert answers["plain"] == answers["packed"]
    return times


def medians(turns: list[dict[str, tuple[float, float]]], what: str) -> dict[str, float]:
    opening = {f"{kind}: opened in us": statistics.median(one[kind][0] for one in turns) for kind in KINDS}
    return opening | {
        f"{kind}: {ASKED} {what} keys in us": statistics.median(one[kind][1] for one in turns)
        for kind in KINDS
    }


def show(found: Mapping[int, Mapping[str, float]]) -> None:
    print(f"{'':30}" + "".join(f"{count:>14,} keys" for count in found))
    for name in next(iter(found.values())):
        print(f"{name:30}" + "".join(f"{one[name]:>19,.0f}" for one in found.values()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = {count: measure(count, chosen.pairs) for count in chosen.keys}
    print(json.dumps(found)) if chosen.json else show(found)


if __name__ == "__main__":
    main()
