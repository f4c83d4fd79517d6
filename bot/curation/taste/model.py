"""The taste itself: how probable it is that the owner would approve a draft, learned from decisions.

A regularised logistic regression on a draft's numbers, standardised, and its hashed n-grams. It does not know
how well it does: that is `prequential`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.curation.taste.features import Matrix, Rows, grams, numbers
from bot.curation.taste.logistic import Vector, sigmoid, solve
from bot.records import Draft, Judgement

MOST = 1000  # decisions learned from, the latest: tastes change, and the time of a fit grows with its cube
BIAS = 10.0  # variance of the constant: all but free
EDITED = 0.5  # weight of an approval of an owner's own words: they show the taste, but no sampled text


class Scales(NamedTuple):
    """Prior variances of the weights: what the L2 penalty is one over. The n-grams' rows have the length 1,
    the numbers' are standardised and share theirs among them."""

    numbers: float
    grams: float


@dataclass(frozen=True)
class Examples:
    """Decisions as numbers, oldest first."""

    numbers: Matrix
    grams: Rows
    labels: Vector
    weights: Vector

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def products(self) -> Matrix:
        """(n, n): of the n-grams, every example with every other."""
        return (self.grams @ self.grams.T).astype(float)

    def part(self, which: slice | Sequence[int]) -> "Examples":
        """Some of them; products are not computed again."""
        arrays = (array[which] for array in self._arrays)
        return _with_products(self.products[which][:, which], *arrays)

    def followed_by(self, new: "Examples") -> "Examples":
        pairs = zip(self._arrays, new._arrays, strict=True)
        across = (self.grams @ new.grams.T).astype(float)
        products = np.block([[self.products, across], [across.T, new.products]])
        return _with_products(products, *(np.concatenate(pair) for pair in pairs))

    @property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.numbers, self.grams, self.labels, self.weights


def _with_products(products: Matrix, *arrays: NDArray[Any]) -> Examples:
    made = Examples(*arrays)
    made.__dict__["products"] = products
    return made


def examples(judgements: Sequence[Judgement]) -> Examples:
    drafts = [judgement.draft for judgement in judgements]
    return Examples(
        numbers(drafts),
        grams([draft.text for draft in drafts]),
        np.array([float(judgement.approved) for judgement in judgements]),
        np.array([EDITED if judgement.draft.revision > 1 else 1.0 for judgement in judgements]),
    )


@dataclass(frozen=True)
class Taste:
    """Weights in log odds: `number_weights` a standard deviation of each number, `gram_weights` by bucket."""

    mean: Vector
    deviation: Vector
    bias: float
    number_weights: Vector
    gram_weights: Vector

    def __call__(self, drafts: Sequence[Draft]) -> Vector:
        """The probability that each would be approved."""
        return self.judge(numbers(drafts), grams([draft.text for draft in drafts]))

    def judge(self, numbers: Matrix, grams: Rows) -> Vector:
        standard = standardised(numbers, self.mean, self.deviation)
        return sigmoid(self.bias + standard @ self.number_weights + grams @ self.gram_weights)


class Fit(NamedTuple):
    """What was learned, and the dual coefficients: where a fit to more decisions begins."""

    taste: Taste
    coefficients: Vector


def fit(known: Examples, scales: Scales, start: Vector | None = None) -> Fit:
    """start: coefficients to begin at."""
    mean, deviation = _spread(known.numbers)
    standard = standardised(known.numbers, mean, deviation)
    each = scales.numbers / standard.shape[1]
    kernel = BIAS + each * (standard @ standard.T) + scales.grams * known.products
    a = solve(kernel, known.labels, known.weights, start)
    gram_weights = scales.grams * (a @ known.grams)
    return Fit(Taste(mean, deviation, BIAS * float(a.sum()), each * (a @ standard), gram_weights), a)


def standardised(numbers: Matrix, mean: Vector, deviation: Vector) -> Matrix:
    """In standard deviations; what is unknown is average."""
    return np.nan_to_num((numbers - mean) / deviation, nan=0.0)


def _spread(numbers: Matrix) -> tuple[Vector, Vector]:
    """Mean and standard deviation of each column's known values; of one that never differs 0 and infinity."""
    known = np.isfinite(numbers)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, numbers, 0.0).sum(axis=0) / count
    variance = np.where(known, (numbers - mean) ** 2, 0.0).sum(axis=0) / count
    return mean, np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 1e-12)), np.inf)
