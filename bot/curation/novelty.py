"""Is a text new? The training corpus as an index of hashes without any text, or with its texts as evidence.

By hashes alone the index says whether a text equals an item, is within one edit of one, or shares
40 characters or 8 words in a row with the corpus. It never misses. It may raise a false alarm: a question
looks up k keys of 40 bits among the index's n, so the chance is at most k * n / 2**40. For a name of
12 characters (k = 38) among 33,000 names (n = 400,000) that is 1.4e-5, for a text of 280 (k = 290) in a
corpus of 2.7 million characters (n = 3.2 million) 8e-4. With the texts at hand there is none.

It does not know what a filter makes of the answer.
"""

import mmap
import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from sys import getsizeof
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.curation.keys import (
    CHARACTERS,
    CUTS,
    NO_KEYS,
    SHORT,
    Cut,
    Keys,
    exact_key,
    item_keys,
    near_keys,
    window_keys,
)
from bot.curation.normal import normal_form, standing
from bot.errors import BotError, CheckpointError
from bot.records import Evidence, Match, Span

FILE_NAME = "novelty.index"
_HEADER = struct.Struct("<8sQ")  # magic with version, number of keys n; then n upper 32 bits, n lower 8 bits
_MAGIC = b"novelty\x01"
FAR = 8  # edits; an item further off says nothing about a text
_BATCH = 1 << 20  # characters hashed at a time


def build_index(texts: Iterable[str]) -> bytes:
    """The file `novelty.index` of a corpus: 5 bytes a key, about as many keys as the corpus has characters.

    Items of 40 to 79 characters leave up to twice that. The texts are walked once and not kept.
    """
    keys = _distinct(_distinct(_keys(batch)) for batch in _batches(texts))
    upper, lower = (keys >> np.uint64(8)).astype("<u4"), (keys & np.uint64(255)).astype("u1")
    return b"".join([_HEADER.pack(_MAGIC, len(keys)), upper.tobytes(), lower.tobytes()])


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The distinct normal forms, about _BATCH characters at a time."""
    batch: set[str] = set()
    size = 0
    for text in texts:
        batch.add(form := normal_form(text))
        size += len(form)
        if size >= _BATCH:
            yield list(batch)
            batch, size = set(), 0
    if batch:
        yield list(batch)


def _keys(forms: list[str]) -> Iterator[Keys]:
    yield from item_keys(forms)
    for cut in CUTS:
        yield window_keys(cut, forms)


def _distinct(keys: Iterable[Keys]) -> Keys:
    """Sorted, each once; np.unique hashes instead, which takes many times as long."""
    joined = np.concatenate([NO_KEYS, *keys])
    joined.sort()
    return joined[np.append(True, joined[1:] != joined[:-1])] if len(joined) else joined


class HashedTrainingSet:
    """A TrainingSet that holds hashes only: verdicts without the corpus's text.

    index: what `build_index` made, as bytes or mapped from a file. Raises CheckpointError if it is not.
    """

    def __init__(self, index: bytes | mmap.mmap, place: str = "the novelty index"):
        magic, count = _HEADER.unpack_from(index) if len(index) >= _HEADER.size else (b"", 0)
        if magic != _MAGIC or len(index) != _HEADER.size + 5 * count:
            msg = (
                f"{place}: not a novelty index of version {_MAGIC[-1]}, or cut short; train again to make one"
            )
            raise CheckpointError(msg)
        self._upper = np.frombuffer(index, dtype="<u4", count=count, offset=_HEADER.size)
        self._lower = np.frombuffer(index, dtype="u1", count=count, offset=_HEADER.size + 4 * count)
        self.size = len(index)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map the file; only what is looked up is read."""
        try:
            with path.open("rb") as file:
                return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), str(path))
        except (OSError, ValueError) as error:  # mmap calls an empty file a ValueError
            msg = f"{path}: cannot be read ({error})"
            raise CheckpointError(msg) from error

    def nearest(self, text: str, edits: int) -> Match | None:
        """Whether an item is within `edits`, 0 or 1. Raises BotError for more: that needs the texts.

        Of texts of 80 characters and more only windows are known: the answer is one edit where one explains
        all windows not in the corpus. So it is given too for a text that is no item but copied throughout, or
        but for its first or last 39 characters; with the texts at hand it is not.
        """
        if edits > 1:
            msg = f"{edits} edits: hashes know one at most; more need the corpus itself at hand"
            raise BotError(msg)
        form = normal_form(text)
        found = self._holds(near_keys(form) if edits and len(form) <= SHORT else exact_key(form))
        if found[0]:
            return Match(0)
        return Match(1) if edits and (found.any() or self._near_long(form)) else None

    def copied(self, text: str) -> Span | None:
        """The first stretch of 40 characters or 8 words or more that stands in the corpus."""
        for cut, _, starts in self.copies(text):
            end = starts[0]
            while end + 1 in starts:
                end += 1
            return _span(text, cut, starts[0], end + cut.width)
        return None

    def evidence(self, texts: Sequence[str]) -> list[Evidence]:
        """Of each text what hashes know of it."""
        return [Evidence(len(text), 1, self.nearest(text, 1), self.copied(text)) for text in texts]

    def copies(self, text: str) -> Iterator[tuple[Cut, list[str], list[int]]]:
        """For each cut that finds any: the text's units and where the windows that are copies begin."""
        form = normal_form(text)
        for cut in CUTS:
            starts = np.flatnonzero(self._holds(window_keys(cut, [form])))
            if len(starts):
                yield cut, list(cut.split(form)), starts.tolist()

    def _near_long(self, form: str) -> bool:
        """Whether the windows not in the corpus lie so close together that one edit explains them."""
        if len(form) < SHORT:
            return False
        strange = np.flatnonzero(~self._holds(window_keys(CHARACTERS, [form])))
        return not len(strange) or bool(strange[-1] - strange[0] < CHARACTERS.width)

    def _holds(self, keys: Keys) -> NDArray[np.bool_]:
        """For each key whether the index holds it."""
        if not len(self._upper) or not len(keys):
            return np.zeros(len(keys), dtype=np.bool_)
        upper = (keys >> np.uint64(8)).astype(np.uint32)
        first = self._upper.searchsorted(upper)
        found: NDArray[np.bool_] = self._upper.take(first, mode="clip") == upper
        for i in found.nonzero()[0]:  # few: what fell in with 32 bits is looked at with all 40
            last = self._upper.searchsorted(upper[i], side="right")
            found[i] = int(keys[i]) & 255 in self._lower[first[i] : last]
        return found


class TextTrainingSet:
    """A TrainingSet with the texts at hand: which item, which span, any number of edits, no false alarm.

    index: of the same texts, built here if None.
    """

    def __init__(self, texts: Iterable[str], index: HashedTrainingSet | None = None):
        self._items = {normal_form(text): text for text in texts}
        self._index = index or HashedTrainingSet(build_index(self._items))
        texts_size = sum(getsizeof(text) for item in self._items.items() for text in item)
        self.size = self._index.size + 2 * texts_size  # cut up for `copied` once more
        self._haystacks = cache(self._cut_up)

    def nearest(self, text: str, edits: int) -> Match | None:
        """The nearest item within `edits`; over one edit every item is compared."""
        form = normal_form(text)
        if form in self._items:
            return Match(0, self._items[form])
        if edits < 1 or (edits == 1 and self._index.nearest(text, 1) is None):
            return None
        found = process.extractOne(form, self._items.keys(), scorer=Levenshtein.distance, score_cutoff=edits)
        return Match(int(found[1]), self._items[found[0]]) if found else None

    def copied(self, text: str) -> Span | None:
        """The first 40 characters or 8 words copied, as far as they go on in the same item."""
        for cut, units, starts in self._index.copies(text):
            for start in starts:
                if found := self._holder(cut, units[start:]):
                    return _span(text, cut, start, start + found[0], found[1])
        return None

    def evidence(self, texts: Sequence[str]) -> list[Evidence]:
        """Of each text the nearest item within FAR edits and the longest copied stretch."""
        return [Evidence(len(text), FAR, self.nearest(text, FAR), self.longest(text)) for text in texts]

    def longest(self, text: str) -> Span | None:
        """The longest stretch of the text that stands in an item."""
        form, begin, size = normal_form(text), 0, 0
        for start in range(len(form)):
            while start + size < len(form) and form[start : start + size + 1] in self._joined:
                begin, size = start, size + 1
        return (
            _span(text, CHARACTERS, begin, begin + size, self._item_at(form[begin : begin + size]))
            if size
            else None
        )

    def _item_at(self, stretch: str) -> str:
        at = self._joined.index(stretch)
        form = self._joined[self._joined.rfind("\n", 0, at) + 1 : self._joined.find("\n", at)]
        return self._items[form]

    @cached_property
    def _joined(self) -> str:
        return "\n".join([*self._items, ""])

    def _holder(self, cut: Cut, units: list[str]) -> tuple[int, str] | None:
        """How many of `units` stand in the first item that holds a window's width of them, and the item."""
        width = cut.width
        for haystack, item in self._haystacks(cut):
            if _bound(cut, units[:width]) in haystack:
                while width < len(units) and _bound(cut, units[: width + 1]) in haystack:
                    width += 1
                return width, item
        return None

    def _cut_up(self, cut: Cut) -> list[tuple[str, str]]:
        return [(_bound(cut, cut.split(form)), item) for form, item in self._items.items()]


def _span(text: str, cut: Cut, first: int, last: int, item: str | None = None) -> Span:
    """The text's units from `first` up to `last`, as they stand in it."""
    places = cut.places(normal_form(text))
    start, end = standing(text, places[first][0], places[last - 1][1])
    return Span(text[start:end], item, start=start)


def _bound(cut: Cut, units: Iterable[str]) -> str:
    """The units as one string that finds them whole: words stand between spaces."""
    return cut.glue + cut.glue.join(units) + cut.glue
