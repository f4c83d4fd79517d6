"""How well a taste was learned: every decision foretold from those before it, and from no other (Dawid 1984).

The strength of the regularisation is chosen on the way, by the loss of what was foretold so far. It does not
know which drafts wait.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from bot.curation.taste.logistic import Vector
from bot.curation.taste.model import Examples, Scales, Taste, fit

FIRST = 10  # decisions before anything is foretold
GROWTH = 1.2  # by which the decisions grow between two fits
GRID = tuple(Scales(*pair) for pair in product((0.1, 1.0), (0.3, 1.0, 4.0)))


@dataclass(frozen=True)
class Learned:
    """taste: from all decisions. scores: what each was foretold with, nan for the first ones."""

    taste: Taste
    scales: Scales
    scores: Vector
    coefficients: Vector


def learn(known: Examples, grid: Sequence[Scales] = GRID) -> Learned:
    """Walk through the decisions in order; each block is foretold with the scales that did best before."""
    scores = np.full(len(known), np.nan)
    loss = np.zeros(len(grid))
    starts: list[Vector | None] = [None] * len(grid)
    for begin, end in _blocks(len(known)):
        past, best = known.part(slice(begin)), int(loss.argmin())
        for number, scales in enumerate(grid):
            taste, coefficients = fit(past, scales, starts[number])
            foretold = taste.judge(known.numbers[begin:end], known.grams[begin:end])
            labels, weights = known.labels[begin:end], known.weights[begin:end]
            loss[number] += _loss(foretold, labels, weights)
            starts[number] = np.append(coefficients, weights * (labels - foretold))  # near the next optimum
            if number == best:
                scores[begin:end] = foretold
    best = int(loss.argmin())
    taste, coefficients = fit(known, grid[best], starts[best])
    return Learned(taste, grid[best], scores, coefficients)


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    begin = FIRST
    while begin < count:
        end = min(count, max(begin + 1, int(begin * GROWTH)))
        yield begin, end
        begin = end


def _loss(p: Vector, labels: Vector, weights: Vector) -> float:
    right = np.where(labels > 0, p, 1 - p)
    return float(-weights @ np.log(np.maximum(right, 1e-12)))
