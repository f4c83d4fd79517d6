"""An n-gram model: the baseline that every network has to beat. It knows ids only.

Interpolated absolute discounting (Ney, Essen and Kneser 1994): at each order a fixed discount is
taken from every count and given to the order below, down to an even share for every id.

Shapes: n contexts, V vocabulary_size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.text.vocabulary import END, START

Ids = NDArray[Any]
Numbers = NDArray[Any]
Table = tuple[Ids, Ids]  # keys and counts


@dataclass(frozen=True, slots=True)
class Counts:
    """One order's n-grams. A key is context * width + id, where a context is the row of the n-gram
    one shorter in its own keys; so every n-gram, however long, is one number."""

    keys: Ids  # sorted
    counts: Ids  # of each key
    totals: Ids  # of each context
    kinds: Ids  # different ids seen after each context

    @classmethod
    def of(cls, keys: Ids, counts: Ids, contexts: int, width: int) -> "Counts":
        before = keys // width  # the context of each key
        totals = np.bincount(before, weights=counts, minlength=contexts)
        kinds = np.bincount(before, weights=counts > 0, minlength=contexts)
        return cls(keys, counts, totals, kinds)


class Shares:
    """One order's part in what comes next, laid out to be read for many contexts at once.

    The last of `back`, `firsts` and `many` is read for -1, a context that was never seen: nothing is its own.
    """

    def __init__(self, order: Counts, discount: float, width: int):
        totals = np.maximum(order.totals, 1)  # what is only ever a context has no counts
        before = order.keys // width
        self.ids = order.keys % width
        self.own = np.maximum(order.counts - discount, 0) / totals[before]  # of each key
        self.back = np.append(np.where(order.totals > 0, discount * order.kinds / totals, 1), 1)  # for below
        bounds = np.searchsorted(before, np.arange(len(totals) + 1))
        self.firsts, self.many = bounds, np.append(np.diff(bounds), 0)  # of each context, its keys


class NGram:
    """Counted once, then asked for losses or for what may come next.

    order: the ids a count covers, the predicted one included. vocabulary_size: shares what is unseen among
    all ids but START; None: among those that were seen and one more.
    """

    def __init__(self, order: int = 5, discount: float = 0.75, vocabulary_size: int | None = None):
        if order < 1 or not 0 < discount < 1:
            msg = f"order is at least 1 and the discount between 0 and 1, not {order} and {discount:g}"
            raise ValueError(msg)
        self.order, self.discount, self.vocabulary_size = order, discount, vocabulary_size
        self._orders: list[Counts] = []
        self._width = vocabulary_size or 0

    def fit(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count; the sequences carry neither START nor END."""
        ids, scored = self._line_up(sequences)
        self._width = self.vocabulary_size or int(ids.max()) + 1
        orders, contexts, rows = [], np.zeros_like(ids), 1
        for _ in range(self.order):
            keys, grams = np.unique(contexts * self._width + ids, return_inverse=True)
            counts = np.bincount(grams[scored], minlength=len(keys))
            orders.append(Counts.of(keys, counts, rows, self._width))
            contexts, rows = _one_later(grams), len(keys)
        self._settle(orders)

    @property
    def tables(self) -> list[Table]:
        """All that `restore` needs, order by order."""
        return [(order.keys, order.counts) for order in self._orders]

    def restore(self, tables: Sequence[Table]) -> None:
        """Take the counts of another, with the same settings. Raises ValueError if they make no sense."""
        orders, rows = [], 1
        for number, (keys, counts) in enumerate(tables, 1):
            if not _makes_sense(keys, counts, rows * self._width):
                msg = f"the {number}-grams make no sense"
                raise ValueError(msg)
            orders.append(Counts.of(keys, counts, rows, self._width))
            rows = len(keys)
        self._settle(orders)

    def _settle(self, orders: list[Counts]) -> None:
        self._orders = orders
        self._shares = [Shares(order, self.discount, self._width) for order in orders]
        first = self._shares[0]
        self._alone = np.full(self._width, first.back[0] * self._even_share)  # (V,) whatever came before
        self._alone[first.ids] += first.own
        self._alone[START] = 0

    def loss(self, sequences: Sequence[Sequence[int]]) -> float:
        """Mean loss in nats per token, one end mark a sequence counted."""
        ids, scored = self._line_up(sequences)
        probability = np.full(len(ids), self._even_share)
        contexts = np.zeros_like(ids)
        for order in self._orders:
            grams, counts = _find(order, contexts, ids, self._width)
            total, kinds = order.totals[contexts], order.kinds[contexts]
            known = (contexts >= 0) & (total > 0)
            lower = self.discount * kinds[known] / total[known] * probability[known]
            probability[known] = np.maximum(counts[known] - self.discount, 0) / total[known] + lower
            contexts = _one_later(grams)
        return float(-np.log(probability[scored]).mean())

    def start(self) -> Ids:
        """The contexts before the START that is read first, one an order, the shortest first: (order,)."""
        contexts = np.zeros((1, self.order), np.int64)
        for _ in range(self.order - 2):
            contexts = self.advance(contexts, np.array([START]))
        found: Ids = contexts[0]
        return found

    def advance(self, contexts: Ids, ids: Ids) -> Ids:
        """The contexts (n, order) after an id each, (n,); -1 for one that was never seen."""
        after = np.zeros_like(contexts)
        for number, order in enumerate(self._orders[:-1]):
            after[:, number + 1], _ = _find(order, contexts[:, number], ids, self._width)
        return after

    def probabilities(self, contexts: Ids) -> Numbers:
        """(n, V) for each id to come next; START never does. Needs a vocabulary_size."""
        rows, left = len(contexts), np.ones(len(contexts))  # what the longer contexts leave to the shorter
        flat, own = [np.zeros(0, np.int64)], [np.zeros(0)]
        for shares, found in zip(self._shares[:0:-1], contexts.T[:0:-1], strict=True):
            many = shares.many[found]
            places = _stretches(shares.firsts[found], many)
            flat.append(np.repeat(np.arange(rows) * self._width, many) + shares.ids[places])
            own.append(shares.own[places] * np.repeat(left, many))
            left = left * shares.back[found]
        given = np.bincount(np.concatenate(flat), np.concatenate(own), rows * self._width)
        probabilities: Numbers = given.reshape(rows, self._width) + left[:, None] * self._alone
        return probabilities

    @property
    def _even_share(self) -> float:
        """One more than was seen, for whatever was not, where nobody says how many there are."""
        return 1 / (self.vocabulary_size - 1 if self.vocabulary_size else self._orders[0].kinds[0] + 1)

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


def _stretches(firsts: Ids, many: Ids) -> Ids:
    """So many numbers in a row from each first on, one stretch after the other."""
    ends = np.cumsum(many)
    stretches: Ids = np.repeat(firsts - ends + many, many) + np.arange(ends[-1])
    return stretches


def _find(order: Counts, contexts: Ids, ids: Ids, width: int) -> tuple[Ids, Ids]:
    """Row and count of each n-gram, -1 and 0 where it is unknown."""
    keys = np.where((contexts >= 0) & (ids < width), contexts * width + ids, -1)
    places = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
    found = order.keys[places] == keys
    return np.where(found, places, -1), np.where(found, order.counts[places], 0)


def _makes_sense(keys: Ids, counts: Ids, bound: int) -> bool:
    """Whether these are sorted keys below a bound, each with its count."""
    if not len(keys) or len(keys) != len(counts) or keys[0] < 0 or keys[-1] >= bound:
        return False
    return bool((np.diff(keys) > 0).all() and (counts >= 0).all() and counts.any())
