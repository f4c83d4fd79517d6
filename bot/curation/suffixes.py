"""How much of a text stands in a corpus, from each of its places on: by binary search in a suffix array.

All places of many texts are searched at once, eight bytes a step (Manber and Myers 1993). It knows bytes
only: what a character or an item is, its caller knows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**31 - 1
WORD = 8  # bytes compared at once
PADDING = bytes(WORD)
AT_ONCE = 1 << 19  # places searched in one go: some 50 MiB

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


class Found(NamedTuple):
    """For each place: how many bytes from it on stand in the corpus, and where.

    If they are all that was asked for, also the range of suffixes that begin with them, else an empty one.
    """

    size: Numbers
    where: Numbers
    first: Numbers
    last: Numbers


def sort_suffixes(corpus: bytes) -> NDArray[np.int32]:
    """The suffix array; takes four bytes a byte, and of time some 0.1 us a byte and more as it grows."""
    from pydivsufsort import divsufsort

    suffixes: NDArray[np.int32] = divsufsort(corpus)
    return suffixes


class Suffixes:
    """corpus: bytes and then PADDING. array: the suffix array of the bytes."""

    def __init__(self, corpus: Bytes, array: NDArray[np.int32]):
        self._words, self._array = words(corpus), array

    def search(self, text: Bytes, places: Numbers, sizes: Numbers) -> Found:
        """text: bytes and then PADDING. sizes: how many bytes are looked for at each place, 1 or more."""
        parts = [
            self._search(words(text), places[at : at + AT_ONCE], sizes[at : at + AT_ONCE])
            for at in range(0, max(1, len(places)), AT_ONCE)
        ]
        return Found(*map(np.concatenate, zip(*parts, strict=True)))

    def _search(self, text: NDArray[np.uint64], places: Numbers, sizes: Numbers) -> Found:
        count = len(places)
        size, where = np.zeros(count, np.int64), np.zeros(count, np.int64)
        first, last = np.zeros(count, np.int64), np.full(count, len(self._array))
        active = np.arange(count if len(self._array) else 0)
        depth = 0
        while len(active):
            mask = _mask(sizes[active] - depth)
            wanted = text[places[active] + depth] & mask
            low, high = first[active], last[active]
            begin = self._bound(low, high, wanted, mask, depth, after=False)
            end = self._bound(begin, high, wanted, mask, depth, after=True)
            ended = begin == end
            gone = active[ended]
            size[gone], where[gone] = self._nearest(
                begin[ended], low[ended], high[ended], wanted[ended], mask[ended], depth
            )
            first[active], last[active] = begin, end
            depth += WORD
            active = active[~ended]
            whole = sizes[active] <= depth
            done = active[whole]
            size[done], where[done] = sizes[done], self._array[first[done]]
            active = active[~whole]
        return Found(size, where, first, last)

    def _bound(
        self,
        low: Numbers,
        high: Numbers,
        wanted: NDArray[np.uint64],
        mask: NDArray[np.uint64],
        depth: int,
        after: bool,
    ) -> Numbers:
        """The first suffix from `low` to `high` that is not before, or `after`, what is wanted at `depth`."""
        low, high = low.copy(), high.copy()
        open = np.flatnonzero(low < high)
        while len(open):
            middle = (low[open] + high[open]) >> 1
            word = self._words[self._array[middle] + depth] & mask[open]
            right = word <= wanted[open] if after else word < wanted[open]
            low[open[right]] = middle[right] + 1
            high[open[~right]] = middle[~right]
            open = open[low[open] < high[open]]
        return low

    def _nearest(
        self,
        at: Numbers,
        low: Numbers,
        high: Numbers,
        wanted: NDArray[np.uint64],
        mask: NDArray[np.uint64],
        depth: int,
    ) -> tuple[Numbers, Numbers]:
        """Of the suffixes before and behind where it would stand, how many bytes agree, and where it is."""
        best, where = np.full(len(at), -1), np.zeros(len(at), np.int64)
        for beside in (at - 1, at):
            inside = (beside >= low) & (beside < high)
            position = self._array[np.where(inside, beside, low)].astype(np.int64)
            agree = _agreeing((self._words[position + depth] & mask) ^ wanted)
            better = inside & (agree > best)
            best[better], where[better] = agree[better], position[better]
        return depth + np.maximum(best, 0), where


def words(data: Bytes) -> NDArray[np.uint64]:
    """At each byte but those of the padding, it and the seven behind it as one number; no copy is made."""
    flat = np.ascontiguousarray(data)
    return np.ndarray((max(0, len(flat) - WORD + 1),), dtype=">u8", buffer=flat, strides=(1,))


def _mask(left: Numbers) -> NDArray[np.uint64]:
    """Ones for as many leading bytes as are still to be compared."""
    unused = (WORD - np.minimum(left, WORD)).astype(np.uint64) * np.uint64(8)
    mask: NDArray[np.uint64] = np.uint64(0xFFFF_FFFF_FFFF_FFFF) << unused
    return mask


def _agreeing(difference: NDArray[np.uint64]) -> Numbers:
    """The leading bytes that are zero."""
    agree = np.zeros(len(difference), np.int64)
    for bit in range(0, 8 * WORD, 8):
        agree += difference >> np.uint64(bit) == 0
    return agree
