"""Which draft is shown next: mostly the best, now and then the most uncertain one, now and then any.

It knows scores, no text. How probable each pick was goes with it, so that what is decided can be weighted.
"""

from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from bot.records import Reason

Vector = NDArray[np.float64]

UNCERTAIN = 2 / 3  # of the exploration; the rest is random
LEAST = np.finfo(float).tiny  # a share so small that it would round to none is none no more


@dataclass(frozen=True)
class Pick:
    """Which of those that wait, why, and how probable it was that it is picked, for whatever reason."""

    index: int
    reason: Reason
    propensity: float


class Lottery:
    """Over n drafts that wait, oldest first; the oldest one wins a tie.

    best: the draft with the highest score, with a share of 1 - explore. uncertain: the one whose probability
    is nearest to 1/2, two thirds of explore. random: any, the rest. Before a taste is known, the one whose
    surprise is nearest to 1 is called typical and stands for the best, and all of explore is random.
    """

    def __init__(self, surprises: Vector, probabilities: Vector | None, explore: float):
        n = len(surprises)
        self._shares: dict[Reason, float] = {"random": explore}
        self._which: dict[Reason, int] = {}
        if probabilities is None:
            self._give("typical", 1 - explore, int(np.abs(surprises - 1).argmin()))
        else:
            self._give("best", 1 - explore, int(probabilities.argmax()))
            self._give("uncertain", UNCERTAIN * explore, int(np.abs(probabilities - 0.5).argmin()))
            self._shares["random"] = (1 - UNCERTAIN) * explore
        each = max(self._shares["random"] / n, LEAST) if explore else 0.0
        self.propensities = np.full(n, each)
        for reason, index in self._which.items():
            self.propensities[index] += self._shares[reason]

    def _give(self, reason: Reason, share: float, index: int) -> None:
        self._shares[reason], self._which[reason] = share, index

    def draw(self, random: Random) -> Pick:
        [reason] = random.choices(list(self._shares), list(self._shares.values()))
        index = self._which[reason] if reason in self._which else random.randrange(len(self.propensities))
        return Pick(index, reason, float(self.propensities[index]))
