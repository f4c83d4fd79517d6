"""What dividing batches by approvals gains, beside equal parts and beside knowing the best arm.

    python -m benchmarks.allocation [--seeds 200] [--json]

Batches of 256 samples are divided among arms; the owner decides on ten drafts of each, drawn from it, and
approves by the arms' hidden rates. Told after so many decisions: the share of the last batch that the best
arm got, and the regret: approvals that always sampling the best arm would have brought more, per 100
decisions.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from statistics import fmean

import numpy as np

from bot.curation.bands import apportion
from bot.curation.taste import arms
from bot.curation.taste.measures import Share

BATCH, DECIDED = 256, 10
COUNTS = (50, 100, 200, 400)
OWNERS = {
    "clear": {"safe": 0.15, "balanced": 0.40, "wild": 0.20},
    "close": {"safe": 0.25, "balanced": 0.30, "wild": 0.25},
    "all alike": {"safe": 0.25, "balanced": 0.25, "wild": 0.25},
    "turns": {"safe": 0.40, "balanced": 0.25, "wild": 0.10},  # and the other way round after half
}
Division = Callable[[Mapping[str, Share], int], Mapping[str, float]]
WAYS: dict[str, Division] = {
    "auto": lambda earned, seed: arms.parts(arms.chances(earned, seed)),
    "equal parts": lambda earned, seed: dict.fromkeys(earned, 1.0),
}


def simulate(name: str, divide: Division, seed: int) -> list[dict[str, float]]:
    """What is told at each of COUNTS."""
    rng = np.random.default_rng(seed)
    rates = dict(OWNERS[name])
    earned, lost, told = {arm: Share(0, 0) for arm in rates}, 0.0, []
    for batch in range(COUNTS[-1] // DECIDED):
        if name == "turns" and batch == COUNTS[-1] // DECIDED // 2:
            rates = dict(zip(rates, reversed(rates.values()), strict=True))
        parts = apportion(BATCH, divide(earned, seed + batch))
        decided = rng.multivariate_hypergeometric(list(parts.values()), DECIDED)
        for arm, count in zip(rates, map(int, decided), strict=True):
            lost += count * (max(rates.values()) - rates[arm])
            approved = int(rng.binomial(count, rates[arm]))
            earned[arm] = arms.joined([earned[arm], Share(approved, count)])
        best = max(rates, key=rates.__getitem__)
        if (after := (batch + 1) * DECIDED) in COUNTS:
            told.append(
                {"best": parts[best] / BATCH, "regret": 100 * lost / after, "least": min(parts.values())}
            )
    return told


def run(seeds: int) -> list[dict]:
    rows = []
    for name in OWNERS:
        for way, divide in WAYS.items():
            runs = [simulate(name, divide, seed) for seed in range(seeds)]
            for number, count in enumerate(COUNTS):
                found = [one[number] for one in runs]
                rows.append(
                    {"owner": name, "by": way, "decisions": count}
                    | {key: fmean(it[key] for it in found) for key in ("best", "regret")}
                    | {"least": min(it["least"] for it in found) / BATCH}
                )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    rows = run(chosen.seeds)
    if chosen.json:
        print(json.dumps({"seeds": chosen.seeds, "rows": rows}))
        return
    print(f"{'owner':10} {'by':12} {'decisions':>9}  best arm's part  least part  regret per 100")
    for row in rows:
        who = f"{row['owner']:10} {row['by']:12} {row['decisions']:9}"
        print(f"{who}  {row['best']:15.0%}  {row['least']:10.0%}  {row['regret']:14.1f}")


if __name__ == "__main__":
    main()
