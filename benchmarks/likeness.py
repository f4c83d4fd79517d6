"""How well likeness tells real items from the same letters in another order.

    python -m benchmarks.likeness FILE... [--items 1000] [--seed 1] [--json]

FILE is a corpus, one item a line, or the column `name` of a .csv. Of its distinct items parts are drawn:
two of --items each, or a tenth if it is small; the profile learns from the rest, its scale is measured on the
first, the figures are of the second. AUC is the chance that a real item is more alike than shuffled letters
(0.5: a coin); a shuffled item that happens to be an item stays among them. Controls: the log-probability a
character of the same n-grams, and of letters alone.
"""

import argparse
import csv
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from bot.curation.ngrams import fit
from bot.curation.profile import CorpusProfile

LEAST = -2.0  # the filter's default


def items_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [row["name"] for row in csv.DictReader(file)] if path.suffix == ".csv" else file.readlines()
    return [*dict.fromkeys(line.strip() for line in lines if line.strip())]


def shuffled(text: str, draw: random.Random) -> str:
    """All its characters, those between words too."""
    return "".join(draw.sample(text, len(text)))


def area(real: Sequence[float], other: Sequence[float]) -> float:
    """Under the ROC curve: the share of pairs in which the real one is higher, ties half."""
    below, upto = (np.searchsorted(np.sort(other), real, side=side) for side in ("left", "right"))
    return float((below + upto).sum() / (2 * len(real) * len(other)))


def measure(path: Path, size: int, seed: int) -> dict[str, Any]:
    items, draw = items_of(path), random.Random(seed)
    draw.shuffle(items)
    size = min(size, len(items) // 10)
    measured, real, train = items[:size], items[size : 2 * size], items[2 * size :]
    mixed = [shuffled(text, draw) for text in real]
    before = time.perf_counter()
    profile = CorpusProfile.of(train, measured)
    built, model = time.perf_counter() - before, fit(train)
    scores: dict[str, Callable[[str], float]] = {
        "auc": profile.likeness,
        "auc_of_ngrams": lambda text: float(model.log_probabilities(text)[0].mean()),
        "auc_of_letters": lambda text: float(model.log_probabilities(text)[1].mean()),
    }
    known = {*items}
    likenesses = [profile.likeness(text) for text in real]
    return {
        "corpus": path.name,
        "items": len(items),
        "mean_length": round(fmean(map(len, items)), 1),
        **{name: round(area([*map(score, real)], [*map(score, mixed)]), 4) for name, score in scores.items()},
        "real_vetoed": round(fmean(value < LEAST for value in likenesses), 4),
        "shuffled_passed": round(fmean(profile.likeness(text) >= LEAST for text in mixed), 4),
        "shuffled_are_items": round(fmean(text in known for text in mixed), 4),
        "seconds_to_build": round(built, 2),
        "bytes": len(profile.packed()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    rows = [measure(path, chosen.items, chosen.seed) for path in chosen.files]
    if chosen.json:
        print(json.dumps(rows))
        return
    print(f"real items against their letters shuffled; vetoed and passed at likeness {LEAST:g}")
    names = ("AUC", "n-grams", "letters", "vetoed", "passed")
    print(f"{'':24}{'items':>8} {'length':>6}", *(f"{name:>7}" for name in names))
    for row in rows:
        print(
            f"  {row['corpus']:22.22}{row['items']:8,} {row['mean_length']:6.1f} {row['auc']:7.4f}", end="  "
        )
        print(f"{row['auc_of_ngrams']:7.4f} {row['auc_of_letters']:7.4f}", end=" ")
        print(f"{row['real_vetoed']:7.1%} {row['shuffled_passed']:7.1%}")


if __name__ == "__main__":
    main()
