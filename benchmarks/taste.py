"""How fast a taste is learned from simulated owners, beside controls.

    python -m benchmarks.taste [--seeds 20] [--noise 0.15] [--liked 0.25] [--corpus FILE] [--json]

Drafts are samples of the shipped model that pass the filters of config.yaml, or the lines of FILE. Each
owner of `benchmarks.taste_curators` likes a quarter of them by a hidden rule and errs in 15 % of the
decisions. `live` is the program: a batch of 256 waits, one is picked, decided, learned from; the next batch
comes when half are gone. The controls learn from as many decisions on drafts at random. All rank the same
1,000 drafts that nobody has decided on, in 10 pools of 100: AUC, and precision at 10 as a multiple of what
random order gives, both against the hidden taste and, in parentheses, against decisions that err.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, product
from pathlib import Path
from random import Random
from statistics import fmean, median

import numpy as np

from benchmarks.taste_curators import CURATORS
from bot.config import load, shipped
from bot.curation.chain import Chain, Context
from bot.curation.taste.features import grams, numbers
from bot.curation.taste.learner import Learner
from bot.curation.taste.measures import auc
from bot.curation.taste.model import Examples
from bot.curation.taste.picking import Lottery
from bot.curation.taste.prequential import GRID, learn
from bot.house import House
from bot.records import Candidate, Draft, Judgement, Sampling

COUNTS = (50, 100, 200)
POOLS, POOL, TOP = 10, 100, 10
BATCH, EXPLORE = 256, 0.3
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIVE, OURS, DENSE, GRAMS = "live", "random order", "numbers only", "n-grams only"
SURPRISE, CHANCE, SKLEARN = "surprise only", "chance", "sklearn"


def sampled(samples: int) -> list[Draft]:
    """The shipped model's, as its bot's filters leave them."""
    house = House(load(shipped() / "config.yaml"))
    folder = house.checkpoint("death_metal")
    chain = Chain(house.filters("metal"), Context(house.training_set("death_metal", folder)))
    candidates = house.sampler("death_metal").sample(Sampling((0.6, 1.1)), 1, range(samples))
    return [draft(n, it.candidate) for n, it in enumerate(chain.judge(candidates)) if it.kept]


def lines(file: Path, samples: int) -> list[Draft]:
    """Texts without a model: their surprise is unknown."""
    texts = sorted(set(file.read_text(encoding="utf-8").split("\n")) - {""})
    Random(1).shuffle(texts)
    unknown = float("nan")
    made = [
        Candidate(text, text, "", Sampling(), 0, n, 1.0, unknown, unknown, "", "")
        for n, text in enumerate(texts[:samples])
    ]
    return [draft(n, candidate) for n, candidate in enumerate(made)]


def draft(id: int, candidate: Candidate) -> Draft:
    return Draft(id, "bot", candidate.text, "pending", 1, str(id), candidate, (), NOW)


@dataclass
class Owner:
    """likes: the hidden taste of each draft. says: what is decided, which errs."""

    drafts: Sequence[Draft]
    likes: np.ndarray
    says: np.ndarray
    stream: np.ndarray  # drafts to decide on, in random order
    test: np.ndarray

    def judgement(self, index: int) -> Judgement:
        return Judgement(self.drafts[index], bool(self.says[index]), NOW)


def owner(name: str, drafts: Sequence[Draft], seed: int, noise: float, liked: float) -> Owner:
    rng = np.random.default_rng([seed, *name.encode()])
    scores = CURATORS[name](drafts, rng) + 1e-6 * rng.normal(size=len(drafts))
    likes = scores >= np.quantile(scores, 1 - liked)
    says = likes ^ (rng.random(len(drafts)) < noise)
    order = rng.permutation(len(drafts))
    return Owner(drafts, likes, says, order[POOLS * POOL :], order[: POOLS * POOL])


@dataclass
class Table:
    """The features of all drafts."""

    numbers: np.ndarray
    grams: np.ndarray

    def examples(self, owner: Owner, which: np.ndarray) -> Examples:
        labels = owner.says[which].astype(float)
        return Examples(self.numbers[which], self.grams[which], labels, np.ones(len(which)))


def live(owner: Owner, table: Table, seed: int) -> tuple[dict[int, np.ndarray], float]:
    """Scores of the test drafts by decisions, and the share of the shown ones that the owner likes."""
    random, learner, scores = Random(seed), Learner(), {}
    waiting: list[int] = []
    rest, decided, taste = iter(owner.stream), list[int](), None
    while len(decided) < COUNTS[-1]:
        if len(waiting) <= BATCH // 2:
            waiting += islice(rest, BATCH - len(waiting))
        p = None if taste is None else taste.judge(table.numbers[waiting], table.grams[waiting])
        surprises = np.nan_to_num([owner.drafts[i].candidate.surprise for i in waiting], nan=1.0)
        decided.append(waiting.pop(Lottery(surprises, p, EXPLORE).draw(random).index))
        if len(decided) % 5 == 0:
            taste = learner([owner.judgement(i) for i in decided])
        if len(decided) in COUNTS and taste is not None:
            scores[len(decided)] = taste.judge(table.numbers[owner.test], table.grams[owner.test])
    return scores, float(owner.likes[decided].mean())


def learned(owner: Owner, table: Table, count: int, numbers: bool = True, grams: bool = True) -> np.ndarray:
    used = Table(table.numbers * (1.0 if numbers else 0.0), table.grams * np.float32(grams))
    taste = learn(used.examples(owner, owner.stream[:count]), GRID).taste
    return taste.judge(used.numbers[owner.test], used.grams[owner.test])


def by_sklearn(owner: Owner, table: Table, count: int) -> np.ndarray:
    """LogisticRegression as it comes, on the same features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    both = np.hstack([StandardScaler().fit_transform(np.nan_to_num(table.numbers)), table.grams])
    which = owner.stream[:count]
    fitted = make_pipeline(LogisticRegression(max_iter=1000)).fit(both[which], owner.says[which])
    return fitted.predict_proba(both[owner.test])[:, 1]


def controls() -> dict[str, Callable[[Owner, Table, int], np.ndarray]]:
    found: dict[str, Callable[[Owner, Table, int], np.ndarray]] = {
        OURS: learned,
        DENSE: lambda owner, table, n: learned(owner, table, n, grams=False),
        GRAMS: lambda owner, table, n: learned(owner, table, n, numbers=False),
        SURPRISE: lambda owner, table, n: -abs(table.numbers[owner.test, 2] - 1),
        CHANCE: lambda owner, table, n: np.random.default_rng(n).random(POOLS * POOL),
    }
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError:
        return found
    return found | {SKLEARN: by_sklearn}


def measure(owner: Owner, scores: np.ndarray) -> dict[str, float]:
    scores = np.nan_to_num(scores)
    found = {}
    for name, labels in (("", owner.likes[owner.test]), ("_noisy", owner.says[owner.test])):
        top = np.argsort(-scores.reshape(POOLS, POOL), axis=1, kind="stable")[:, :TOP]
        best = np.take_along_axis(labels.reshape(POOLS, POOL), top, axis=1).mean()
        found[f"auc{name}"] = auc(scores, labels)
        found[f"lift{name}"] = float(best / labels.mean())
    return found


def run(drafts: Sequence[Draft], seeds: int, noise: float, liked: float) -> list[dict]:
    table = Table(numbers(drafts), grams([draft.text for draft in drafts]))
    rows = []
    for name, seed in product(CURATORS, range(seeds)):
        person = owner(name, drafts, seed, noise, liked)
        scores, shown = live(person, table, seed)
        for count in COUNTS:
            ranked = {LIVE: scores[count]} if count in scores else {}
            ranked |= {how: rank(person, table, count) for how, rank in controls().items()}
            rows += [
                {"owner": name, "seed": seed, "decisions": count, "by": how, "liked_of_shown": shown}
                | measure(person, found)
                for how, found in ranked.items()
            ]
    return rows


ALL = "all owners"
MEASURES = ("auc", "auc_noisy", "lift", "lift_noisy")


def summary(rows: Sequence[dict]) -> list[dict]:
    """Medians over owners and seeds, and the worst decile, by count and method; then by owner at the end."""
    groups = defaultdict(list)
    for row in rows:
        groups[ALL, row["decisions"], row["by"]].append(row)
        if row["by"] == LIVE:
            groups[row["owner"], row["decisions"], row["by"]].append(row)
    return [
        {"owner": who, "decisions": count, "by": how}
        | {key: median(row[key] for row in found) for key in MEASURES}
        | {f"{key}_decile": float(np.quantile([row[key] for row in found], 0.1)) for key in MEASURES}
        | {"liked_of_shown": fmean(row["liked_of_shown"] for row in found)}
        for (who, count, how), found in groups.items()
    ]


def show(found: Sequence[dict], liked: float) -> None:
    worst = "worst 10 %"
    print(f"{'':12}{'decisions':>9}  {'by':<14}{'AUC':<13}{worst}  {'x random':<14}{worst}")
    for row in sorted(found, key=lambda row: row["owner"] != ALL):
        auc_, lift = (f"{row[key]:.2f} ({row[f'{key}_noisy']:.2f})" for key in ("auc", "lift"))
        print(
            f"{row['owner']:12}{row['decisions']:9}  {row['by']:<14}"
            f"{auc_:<13}{row['auc_decile']:10.2f}  {lift:<14}{row['lift_decile']:10.2f}"
        )
    shown = next(row["liked_of_shown"] for row in found if row["by"] == LIVE)
    print(f"Of 200 drafts shown live the owner likes {shown:.0%}, where random order shows {liked:.0%}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--noise", type=float, default=0.15, help="share of decisions that err")
    parser.add_argument("--liked", type=float, default=0.25, help="share of drafts the owner likes")
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--corpus", type=Path, help="one text a line, instead of the shipped model's samples")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    drafts = lines(chosen.corpus, chosen.samples) if chosen.corpus else sampled(chosen.samples)
    found = summary(run(drafts, chosen.seeds, chosen.noise, chosen.liked))
    if chosen.json:
        print(
            json.dumps({"drafts": len(drafts), "noise": chosen.noise, "liked": chosen.liked, "rows": found})
        )
    else:
        print(f"{len(drafts)} drafts")
        show(found, chosen.liked)


if __name__ == "__main__":
    main()
