"""Which items may be within a few edits of a text: the halves of items, each found by what it lacks.

Three edits leave one half of an item within one edit of a beginning or an end of the text, one edit leaves a
half untouched. A half and a stretch within one edit of each other have a variant in common: themselves, or
themselves without one character (Mor and Fraenkel 1982). So every item leaves a key for each variant of its
halves, and a text asks for the variants of its ends. What is found is a pair that may be near; whether it is,
the caller finds out. None is missed, but for the items that are longer than LONGEST.

Everything here takes normal forms and is vectorised. It does not know where the keys are kept.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.curation.keys import NO_KEYS, SHORT, Keys, code_points, hashes, mix

MOST_EDITS = 3  # of which one half has one
LONGEST = 2 * (SHORT - 1)  # characters of an item whose halves are hashed
AT_ONCE = 1 << 22  # pairs looked at in one go: some 100 MiB

Rows = NDArray[np.int64]

_BEGINNING, _END = mix(np.array([5001, 5002], dtype=np.uint64))
_UPPER = np.uint64(32)
_ROW = np.uint64(0xFFFF_FFFF)


def entries(forms: Sequence[str], first: int) -> Iterator[Keys]:
    """What items leave in the index, unsorted: 32 bits of a variant's hash, then the item's row.

    first: the row of the first item; at most 2**32 rows.
    """
    for length, places in by_length(forms).items():
        if length > LONGEST:
            continue
        rows = (places + first).astype(np.uint64)[:, None]
        half = length // 2
        for side, ends in (
            (_BEGINNING, [forms[i][:half] for i in places]),
            (_END, [forms[i][half:] for i in places]),
        ):
            yield ((_variants(ends, side, True) << _UPPER) | rows).ravel()


def probes(forms: Sequence[str], edits: int) -> tuple[Rows, Keys]:
    """What texts ask the index for, `edits` from 0 to MOST_EDITS: the text's number and the key, for each."""
    owners, keys = [np.empty(0, np.int64)], [NO_KEYS]
    for length, places in by_length(forms).items():
        for side, size in _ends(length, edits):
            cut = slice(size) if side == _BEGINNING else slice(length - size, length)
            found = _variants([forms[i][cut] for i in places], side, edits > 1)
            owners.append(np.repeat(places, found.shape[1]))
            keys.append(found.ravel())
    return np.concatenate(owners), np.concatenate(keys)


def hits(index: Keys, owners: Rows, keys: Keys) -> Iterator[tuple[Rows, Rows]]:
    """(texts, rows) of what the sorted index holds under the keys, at most about AT_ONCE at a time."""
    order = np.argsort(keys)
    keys, owners = keys[order] << _UPPER, owners[order]
    first = index.searchsorted(keys)
    count = index.searchsorted(keys | _ROW, side="right") - first
    ends = count.cumsum()
    start = 0
    while start < len(count):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(ends.searchsorted(before + AT_ONCE, side="right")))
        some = slice(start, stop)
        steps = np.arange(ends[stop - 1] - before) - np.repeat(ends[some] - count[some] - before, count[some])
        found = index[np.repeat(first[some], count[some]) + steps]
        yield np.repeat(owners[some], count[some]), (found & _ROW).astype(np.int64)
        start = stop


def bags(forms: Sequence[str]) -> Keys:
    """64 bits of each text: which of 32 classes of characters are in it once, which twice.

    One edit changes two bits at most, so texts whose bags differ by more than 2k are more than k edits apart.
    """
    sizes = np.fromiter(map(len, forms), np.int64, len(forms))
    classes = (code_points("".join(forms)) & np.uint64(31)).astype(np.int64)
    places = np.repeat(np.arange(len(forms)) * 32, sizes) + classes
    counts = np.bincount(places, minlength=32 * len(forms)).reshape(len(forms), 32)
    bits = np.uint64(1) << np.arange(32, dtype=np.uint64)
    found: Keys = ((counts > 0) @ bits) | (((counts > 1) @ bits) << _UPPER)
    return found


def by_length(forms: Sequence[str]) -> dict[int, Rows]:
    """The places of the texts of each length."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for place, form in enumerate(forms):
        found[len(form)].append(place)
    return {length: np.array(places) for length, places in found.items()}


def _ends(length: int, edits: int) -> Iterator[tuple[np.uint64, int]]:
    """The beginnings and ends of a text that may be half of an item within `edits`, by their sizes."""
    slack = 1 if edits > 1 else 0
    items = range(max(0, length - edits), min(LONGEST, length + edits) + 1)
    for side, halves in (
        (_BEGINNING, {size // 2 for size in items}),
        (_END, {size - size // 2 for size in items}),
    ):
        sizes = {half + change for half in halves for change in range(-slack, slack + 1)}
        yield from ((side, size) for size in sorted(sizes) if 0 <= size <= min(length, SHORT))


def _variants(ends: Sequence[str], side: np.uint64, lacking: bool) -> Keys:
    """(texts, 1) keys of 32 bits or, with `lacking`, (texts, 1 + length), of texts of one length."""
    whole, without = hashes(ends)
    return (np.concatenate([whole, without], axis=1) if lacking else whole) + side >> _UPPER
