"""Whether one way is better than another, by what both came to under the same seeds.

It knows numbers in pairs and nothing of what was measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

LEVEL = 0.975  # of Student's t: an interval of 95 % has two sides


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences with its 95 % interval; of a single pair the interval is without end."""

    mean: float
    low: float
    high: float
    pairs: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.mean:+.4f} ({self.low:+.4f} to {self.high:+.4f})"


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """Ours less theirs, pair by pair, by Student's t. Raises ValueError without a pair."""
    pairs = [one - other for one, other in zip(ours, theirs, strict=True)]
    mean = fmean(pairs)
    if len(pairs) < 2:
        return Difference(mean, -math.inf, math.inf, len(pairs))
    half = student(len(pairs) - 1) * stdev(pairs) / math.sqrt(len(pairs))
    return Difference(mean, mean - half, mean + half, len(pairs))


def student(degrees: int) -> float:
    """The 97.5 % quantile of Student's t: where half its density, integrated from 0, comes to .475."""
    at = np.linspace(0.0, 20.0, 400_001)
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    density = np.exp(scale - (degrees + 1) / 2 * np.log1p(at**2 / degrees))
    share = np.cumsum((density[1:] + density[:-1]) / 2) * (at[1] - at[0])
    return float(at[1 + np.searchsorted(share, LEVEL - 0.5)])
