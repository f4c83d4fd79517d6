"""How good a ranking was, and how sure one can be of it. It knows scores and labels, no draft."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

TWO_SIDED = 1.959963984540054  # of a normal distribution: 95 %
TOP, OF = 10, 50  # precision at 10 is measured in blocks of so many decisions


@dataclass(frozen=True)
class Share:
    """So many of so many, with the 95 % interval of Wilson (1927): it holds for few cases too."""

    count: int
    total: int

    @property
    def value(self) -> float:
        return self.count / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.total:
            return 0.0, 1.0
        n, z = self.total, TWO_SIDED
        middle = (self.count + z * z / 2) / (n + z * z)
        half = z / (n + z * z) * math.sqrt(self.count * (n - self.count) / n + z * z / 4)
        return max(0.0, middle - half), min(1.0, middle + half)


def auc(scores: Vector, labels: Vector, weights: Vector | None = None) -> float:
    """How probable it is that an approved one has a higher score than a rejected one; ties count half.

    nan unless there are both. weights: of the examples, all equal if None.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    _, place = np.unique(scores, return_inverse=True)
    right = np.bincount(place, weights * (labels > 0))
    wrong = np.bincount(place, weights * (labels <= 0))
    below = np.cumsum(wrong) - wrong
    pairs = right.sum() * wrong.sum()
    return float(right @ (below + wrong / 2) / pairs) if pairs else math.nan


def auc_interval(value: float, approved: int, rejected: int) -> tuple[float, float]:
    """95 %, by the standard error of Hanley and McNeil (1982); it supposes independent cases."""
    if math.isnan(value):
        return 0.0, 1.0
    both, twice = value / (2 - value), 2 * value**2 / (1 + value)
    variance = value * (1 - value) + (approved - 1) * (both - value**2) + (rejected - 1) * (twice - value**2)
    half = TWO_SIDED * math.sqrt(max(variance, 0.0) / (approved * rejected))
    return max(0.0, value - half), min(1.0, value + half)


def precision_at_10(scores: Vector, labels: Vector) -> tuple[float, float]:
    """The share approved of the ten that score highest in each block of fifty in a row, and of all in it.

    nan where there is no whole block; the latest decisions are used, so that blocks are whole.
    """
    blocks = len(scores) // OF
    if not blocks:
        return math.nan, math.nan
    cut = len(scores) - blocks * OF
    scores, labels = scores[cut:].reshape(blocks, OF), labels[cut:].reshape(blocks, OF)
    top = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    return float(np.take_along_axis(labels, top, axis=1).mean()), float(labels.mean())


def effective(weights: Vector) -> float:
    """How many equally weighted examples these are worth (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights @ weights)) if len(weights) else 0.0


def at_least(count: int, total: int, level: float = 0.05) -> float:
    """The share that lies below the true one with a probability of 1 - level (Clopper and Pearson 1934)."""
    low, high = 0.0, 1.0
    while count and high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(count, total, middle) < level else (low, middle)
    return low


def tail(count: int, total: int, p: float) -> float:
    """How probable `count` or more of `total` are, if each has the probability p."""
    if p <= 0.0:
        return float(count == 0)
    terms = (
        math.lgamma(total + 1)
        - math.lgamma(k + 1)
        - math.lgamma(total - k + 1)
        + k * math.log(p)
        + (total - k) * math.log1p(-p)
        for k in range(count, total + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))
