"""What was learned of a taste, how well, and what a policy would have done: everything `bot taste` shows.

Figures come from what was foretold, with what they cannot say beside them. It knows no screen.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.curation.taste import arms
from bot.curation.taste.features import NUMBERS, cut, hash_of, placed
from bot.curation.taste.logistic import Vector
from bot.curation.taste.measures import OF, Share, auc, auc_interval, effective, precision_at_10
from bot.curation.taste.model import MOST, Taste, examples
from bot.curation.taste.prequential import FIRST, learn
from bot.curation.taste.threshold import imagined, threshold
from bot.records import Judgement

FEW = 50  # decisions below which figures say little
SEEN = 5  # texts that an n-gram must stand in to be told of
TOLD = 6  # n-grams of each kind
REASONS = ("best", "uncertain", "random", "typical", "")


@dataclass(frozen=True)
class Telling:
    """An n-gram, its weight in log odds, and how many of the texts that have it were approved."""

    gram: str
    weight: float
    approved: Share


@dataclass(frozen=True)
class Point:
    """How well was foretold what was decided up to here, since the point before."""

    decisions: int
    auc: float


@dataclass(frozen=True)
class Earned:
    """A way to sample and what its drafts have earned."""

    checkpoint: str
    band: str
    sampler: str
    approved: Share


@dataclass(frozen=True)
class Report:
    """auc_weighted: each decision by one over its propensity, so that it speaks of all that waited; `worth`:
    how many equal decisions those are worth. precision, base: at 10, and of all. limit: what a policy would
    approve from, infinity for nothing. would: what it would have approved, and the owner did.
    """

    approved: Share
    by_reason: dict[str, Share]
    foretold: int
    auc: float
    auc_interval: tuple[float, float]
    auc_weighted: float
    worth: float
    precision: float
    base: float
    curve: tuple[Point, ...]
    numbers: dict[str, float]
    grams: tuple[Telling, ...]
    arms: tuple[Earned, ...]
    funniest: str
    limit: float
    would: Share
    remark: str


def report(judgements: Sequence[Judgement], precision: float) -> Report:
    """Of the latest MOST decisions; precision: what a policy's approvals must reach."""
    latest = list(judgements[-MOST:])
    known = examples(latest)
    learned = learn(known) if len(latest) > FIRST else None
    scores = learned.scores if learned else np.full(len(latest), np.nan)
    told = np.isfinite(scores)
    value = auc(scores[told], known.labels[told])
    right = int(known.labels[told].sum())
    interval = auc_interval(value, right, int(told.sum()) - right)
    weighted, worth = _weighted(latest, scores)
    top, base = precision_at_10(scores[told], known.labels[told])
    asked = np.array([any(v.outcome == "ask" for v in one.draft.verdicts) for one in latest], dtype=float)
    taste = learned.taste if learned else None
    return Report(
        approved=Share(sum(one.approved for one in latest), len(latest)),
        by_reason=_by_reason(latest),
        foretold=int(told.sum()),
        auc=value,
        auc_interval=interval,
        auc_weighted=weighted,
        worth=worth,
        precision=top,
        base=base,
        curve=_curve(scores, known.labels),
        numbers=dict(zip(NUMBERS, map(float, taste.number_weights), strict=True)) if taste else {},
        grams=_telling(taste, latest) if taste else (),
        arms=tuple(Earned(*arm, share) for arm, share in arms.shares(latest).items()),
        funniest=arms.funniest(_by_checkpoint(latest)),
        limit=threshold(scores, known.labels, precision),
        would=imagined(scores, known.labels, asked, precision),
        remark=_remark(latest, value, interval),
    )


def _remark(latest: Sequence[Judgement], value: float, interval: tuple[float, float]) -> str:
    """What the figures cannot say, "" if they can be trusted."""
    approved = sum(one.approved for one in latest)
    if min(approved, len(latest) - approved) == 0 or len(latest) <= FIRST:
        return f"Too few decisions to learn from: more than {FIRST}, approvals and rejections, are needed."
    if math.isnan(value) or interval[0] <= 0.5:
        return "No taste is shown yet: the interval of the AUC reaches down to chance, 0.5."
    if len(latest) < FEW:
        return f"Few decisions: below {FEW} all figures may change much."
    return ""


def _by_checkpoint(latest: Sequence[Judgement]) -> dict[str, Share]:
    earned: dict[str, list[Share]] = {}
    for arm, share in arms.shares(latest).items():
        earned.setdefault(arm.checkpoint.rpartition("/")[2], []).append(share)
    return {name: arms.joined(shares) for name, shares in earned.items()}


def _by_reason(latest: Sequence[Judgement]) -> dict[str, Share]:
    found = {reason: [one.approved for one in latest if one.reason == reason] for reason in REASONS}
    return {reason: Share(sum(said), len(said)) for reason, said in found.items() if said}


def _weighted(latest: Sequence[Judgement], scores: Vector) -> tuple[float, float]:
    """The AUC of what was picked, by inverse propensities, and what it is worth."""
    chance = np.array([one.propensity or np.nan for one in latest])
    usable = np.isfinite(scores) & np.isfinite(chance)
    weights = 1 / chance[usable]
    labels = np.array([float(one.approved) for one in latest])[usable]
    return auc(scores[usable], labels, weights), effective(weights)


def _curve(scores: Vector, labels: Vector) -> tuple[Point, ...]:
    """By blocks of OF decisions, those that hold both verdicts."""
    points = []
    for end in range(OF, len(scores) + 1, OF):
        block = slice(max(FIRST, end - OF), end)
        if not math.isnan(value := auc(scores[block], labels[block])):
            points.append(Point(end, value))
    return tuple(points)


def _telling(taste: Taste, latest: Sequence[Judgement]) -> tuple[Telling, ...]:
    """The n-grams with the greatest weights for and against, in texts enough; of those in each other, one."""
    texts: dict[str, list[bool]] = {}
    for one in latest:
        for gram in cut(one.draft.text):
            texts.setdefault(gram, []).append(one.approved)
    seen = [gram for gram, said in texts.items() if len(said) >= SEEN and len(gram.strip()) > 1]
    weights = {gram: _weight(taste, gram) for gram in seen}
    ranked = sorted(weights, key=lambda gram: (weights[gram], gram))
    chosen = [*_apart(reversed(ranked), weights, 1), *_apart(ranked, weights, -1)]
    return tuple(Telling(gram, weights[gram], Share(sum(texts[gram]), len(texts[gram]))) for gram in chosen)


def _apart(ranked: Iterable[str], weights: Mapping[str, float], sign: int) -> list[str]:
    chosen: list[str] = []
    for gram in ranked:
        if sign * weights[gram] <= 0 or len(chosen) == TOLD:
            break
        if not any(gram.strip() in other or other.strip() in gram for other in chosen):
            chosen.append(gram)
    return chosen


def _weight(taste: Taste, gram: str) -> float:
    [bucket], [sign] = placed(hash_of(gram))
    return float(sign * taste.gram_weights[bucket])
