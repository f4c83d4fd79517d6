"""What dividing batches by approvals gains, beside equal parts and beside knowing the best arm.

    python -m benchmarks.allocation [--seeds 200] [--json]

Batches of 256 samples are divided among arms: bands, or checkpoints with bands and samplers. The owner
decides on ten drafts of each batch, drawn from it, and approves by the arms' hidden rates. Told after so many
decisions: the share of the last batch that the best arm got, the least that any arm got, how much of what was
decided on was approved, and the regret: approvals that always sampling the best arm would have brought more,
per 100 decisions.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from statistics import fmean

import numpy as np

from bot.curation.bands import apportion
from bot.curation.taste import arms
from bot.curation.taste.arms import Arm
from bot.curation.taste.measures import Share

BATCH, DECIDED = 256, 10
COUNTS = (50, 100, 200, 400)


def bands(*rates: float) -> dict[Arm, float]:
    """Of one checkpoint: safe, balanced, wild."""
    return dict(zip(_arms(["m/best"], ["safe", "balanced", "wild"], ["plain"]), rates, strict=True))


def crossed(
    checkpoints: Sequence[float], bands: Sequence[float], samplers: Sequence[float]
) -> dict[Arm, float]:
    """Each with each: an arm is approved by the product of its parts' rates."""
    named = _arms(["m/best", "m/latest"], ["safe", "balanced", "wild"][: len(bands)], ["plain", "min_p 0.05"])
    return dict(zip(named, map(float, map(np.prod, product(checkpoints, bands, samplers))), strict=True))


def _arms(*fields: Sequence[str]) -> list[Arm]:
    return [Arm(*names) for names in product(*fields)]


OWNERS = {
    "clear": bands(0.15, 0.40, 0.20),
    "close": bands(0.25, 0.30, 0.25),
    "all alike": bands(0.25, 0.25, 0.25),
    "turns": bands(0.40, 0.25, 0.10),  # and the other way round after half
    "4 ways": crossed((0.9, 0.5), (0.5,), (0.5, 0.9)),
    "12 ways": crossed((0.9, 0.5), (0.3, 0.8, 0.4), (0.3, 0.6)),
    "12 alike": crossed((1, 1), (0.25, 0.25, 0.25), (1, 1)),
}
Division = Callable[[Mapping[Arm, Share], int], Mapping[Arm, float]]
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
        parts = apportion(BATCH, divide(arms.compared([*rates], earned), seed + batch))
        assert sum(parts.values()) == BATCH
        decided = rng.multivariate_hypergeometric(list(parts.values()), DECIDED)
        for arm, count in zip(rates, map(int, decided), strict=True):
            lost += count * (max(rates.values()) - rates[arm])
            approved = int(rng.binomial(count, rates[arm]))
            earned[arm] = arms.joined([earned[arm], Share(approved, count)])
        best = max(rates, key=rates.__getitem__)
        if (after := (batch + 1) * DECIDED) in COUNTS:
            liked = arms.joined(earned.values())
            figures = {"best": parts[best] / BATCH, "regret": 100 * lost / after, "approved": liked.value}
            told.append(figures | {"least": min(parts.values()) / BATCH})
    return told


def run(seeds: int) -> list[dict]:
    rows = []
    for name in OWNERS:
        for way, divide in WAYS.items():
            runs = [simulate(name, divide, seed) for seed in range(seeds)]
            for number, count in enumerate(COUNTS):
                found = [one[number] for one in runs]
                rows.append(
                    {"owner": name, "arms": len(OWNERS[name]), "by": way, "decisions": count}
                    | {key: fmean(it[key] for it in found) for key in ("best", "approved", "regret")}
                    | {"least": min(it["least"] for it in found)}
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
    print(f"{'owner':10} {'arms':>4} {'by':12} {'decisions':>9}", end="  ")
    print("best arm's part  least part  approved  regret per 100")
    for row in rows:
        who = f"{row['owner']:10} {row['arms']:4} {row['by']:12} {row['decisions']:9}"
        figures = f"{row['best']:15.0%}  {row['least']:10.1%}  {row['approved']:8.1%}  {row['regret']:14.1f}"
        print(f"{who}  {figures}")


if __name__ == "__main__":
    main()
