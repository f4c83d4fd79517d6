"""Keeps up with an owner who decides: each fit begins where the last one ended.

It is handed all decisions every time and finds out which are new; it does not know where they are kept.
"""

from collections.abc import Sequence

import numpy as np

from bot.curation.taste.logistic import Vector
from bot.curation.taste.model import MOST, Examples, Scales, Taste, examples, fit
from bot.curation.taste.prequential import FIRST, learn
from bot.records import Judgement

LATEST = 300  # decisions that the scales are chosen by, while somebody waits
AGAIN = 1.25  # they are chosen again when there are so many times as many decisions


class Learner:
    """One bot's taste. A fit to 1,000 decisions after one more takes a tenth of a second."""

    def __init__(self) -> None:
        self._learned_from: list[Judgement] = []
        self._known: Examples | None = None
        self._scales: Scales | None = None
        self._chosen_at = 0
        self._coefficients: Vector = np.empty(0)
        self._taste: Taste | None = None

    def __call__(self, judgements: Sequence[Judgement]) -> Taste | None:
        """The taste that these decisions show; None for fewer than FIRST or where all are the same."""
        latest = list(judgements[-MOST:])
        if latest != self._learned_from:
            self._taste = self._learn(latest) if _enough(latest) else None
        return self._taste

    def _learn(self, latest: list[Judgement]) -> Taste:
        known, start = self._followed(latest)
        if self._scales is None or not self._chosen_at <= len(latest) < AGAIN * self._chosen_at:
            self._scales, self._chosen_at = learn(known.part(slice(-LATEST, None))).scales, len(latest)
        taste, self._coefficients = fit(known, self._scales, start)
        self._learned_from, self._known = latest, known
        return taste

    def _followed(self, latest: list[Judgement]) -> tuple[Examples, Vector | None]:
        """Examples and coefficients, as far as they are known from before."""
        before = {(it.draft.id, it.at): n for n, it in enumerate(self._learned_from)}
        places = [before.get((it.draft.id, it.at)) for it in latest]
        kept = [n for n in places if n is not None]
        if self._known is None or places[: len(kept)] != kept:
            return examples(latest), None
        new = examples(latest[len(kept) :])
        start = np.append(self._coefficients[kept], np.zeros(len(new)))
        return self._known.part(kept).followed_by(new), start


def _enough(judgements: Sequence[Judgement]) -> bool:
    return len(judgements) >= FIRST and len({it.approved for it in judgements}) == 2
