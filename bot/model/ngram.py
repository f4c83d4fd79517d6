"""An n-gram model: the baseline that every network has to beat. It knows ids only.

Interpolated absolute discounting (Ney, Essen and Kneser 1994): at each order a fixed discount is
taken from every count and given to the order below, down to an even share for every id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.text.vocabulary import END, START

Ids = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """One order's n-grams. A key is context * width + id, where a context is the row of the n-gram
    one shorter in its own keys; so every n-gram, however long, is one number."""

    keys: Ids  # sorted
    counts: Ids  # of each key
    totals: Ids  # of each context
    kinds: Ids  # different ids seen after each context


class NGram:
    """Fitted once, then asked for losses. order: the ids a count covers, the predicted one included."""

    def __init__(self, order: int = 5, discount: float = 0.75):
        self.order, self.discount = order, discount
        self._orders: list[Counts] = []
        self._width = 0

    def fit(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count; the sequences carry neither START nor END."""
        ids, scored = self._line_up(sequences)
        self._width = int(ids.max()) + 1
        self._orders = []
        contexts, rows = np.zeros_like(ids), 1
        for _ in range(self.order):
            keys, grams = np.unique(contexts * self._width + ids, return_inverse=True)
            counts = np.bincount(grams[scored], minlength=len(keys))
            before = keys // self._width  # the context of each key
            totals = np.bincount(before, weights=counts, minlength=rows)
            kinds = np.bincount(before, weights=counts > 0, minlength=rows)
            self._orders.append(Counts(keys, counts, totals, kinds))
            contexts, rows = _one_later(grams), len(keys)

    def loss(self, sequences: Sequence[Sequence[int]]) -> float:
        """Mean loss in nats per token, one end mark a sequence counted."""
        ids, scored = self._line_up(sequences)
        share = 1 / (self._orders[0].kinds[0] + 1)  # one more for whatever was never seen
        probability = np.full(len(ids), share)
        contexts = np.zeros_like(ids)
        for order in self._orders:
            grams, counts = _find(order, contexts, ids, self._width)
            total, kinds = order.totals[contexts], order.kinds[contexts]
            known = (contexts >= 0) & (total > 0)
            lower = self.discount * kinds[known] / total[known] * probability[known]
            probability[known] = np.maximum(counts[known] - self.discount, 0) / total[known] + lower
            contexts = _one_later(grams)
        return float(-np.log(probability[scored]).mean())

    def _line_up(self, sequences: Sequence[Sequence[int]]) -> tuple[Ids, Ids]:
        """All sequences in one row, each as START ... START s END; and which places are predicted."""
        starts = self.order - 1
        lengths = np.array([len(sequence) + 1 for sequence in sequences])
        pieces = chain.from_iterable(chain(repeat(START, starts), sequence, (END,)) for sequence in sequences)
        ids = np.fromiter(pieces, np.int64, count=int(lengths.sum()) + starts * len(lengths))
        blocks = np.column_stack([np.full_like(lengths, starts), lengths]).ravel()
        return ids, np.repeat(np.tile([False, True], len(lengths)), blocks)


def _one_later(grams: Ids) -> Ids:
    """The n-gram that ends at a place is the context of the next place."""
    return np.concatenate([[0], grams[:-1]])


def _find(order: Counts, contexts: Ids, ids: Ids, width: int) -> tuple[Ids, Ids]:
    """Row and count of each n-gram, -1 and 0 where it is unknown."""
    keys = np.where((contexts >= 0) & (ids < width), contexts * width + ids, -1)
    places = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
    found = order.keys[places] == keys
    return np.where(found, places, -1), np.where(found, order.counts[places], 0)
