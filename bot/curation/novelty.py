"""Is a text new? The training corpus as an index of hashes without any text, or with its texts as evidence.

By hashes alone the index says whether a text equals an item, is within one edit of one, or shares
40 characters or 8 words in a row with the corpus. It never misses. Of items over 200 characters it knows
every fourth window of 37 characters and every second of 7 words: such a stretch it may take for a copy, too.
It may raise a false alarm: a question looks up k keys of 40 bits among the index's n, so the chance is at
most k * n / 2**40. For a name of 12 characters (k = 38) among 33,000 names (n = 400,000) that is 1.4e-5, for
a text of 280 (k = 600) in 2.7 million characters of prose (n = 900,000) 5e-4. With the texts at hand there
is none.

It does not know what a filter makes of the answer.
"""

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from bot.curation.halves import MOST_EDITS
from bot.curation.keys import (
    CHARACTERS,
    CUTS,
    LONG,
    LONG_CHARACTERS,
    LONG_CUTS,
    SHORT,
    WORDS,
    Cut,
    Keys,
    distinct,
    exact_key,
    item_keys,
    known_keys,
    near_keys,
    window_keys,
)
from bot.curation.normal import normal_form, standing
from bot.curation.packed_keys import KeySet, pack, unpack
from bot.curation.search import Near, Search, Stretch, Stretches
from bot.curation.text_index import TextIndex, build
from bot.errors import BotError, CheckpointError
from bot.records import Document, Evidence, Match, Span

FILE_NAME = "novelty.index"
_BATCH = 1 << 20  # characters hashed at a time

Answer = TypeVar("Answer")


def build_index(texts: Iterable[str]) -> bytes:
    """The file `novelty.index` of a corpus of short texts: under 3 bytes a character; of long ones about 1.

    Items of 40 to 79 characters leave up to twice that. The texts are walked once and not kept.
    """
    return pack(distinct(distinct(_keys(batch)) for batch in _batches(texts)))


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
    long = [form for form in forms if len(form) > LONG]
    short = [form for form in forms if len(form) <= LONG]
    for cuts, group in ((CUTS, short), (LONG_CUTS, long)):
        yield from (known_keys(cut, group) for cut in cuts)


class HashedTrainingSet:
    """A TrainingSet that holds hashes only: verdicts without the corpus's text.

    index: what `build_index` made, as bytes or mapped from a file. Raises CheckpointError if it is not.
    """

    def __init__(self, index: bytes | mmap.mmap, place: str = "the novelty index"):
        keys = unpack(index)
        if keys is None:
            msg = f"{place}: no novelty index of this program, cut short or damaged; train again to make one"
            raise CheckpointError(msg)
        self._keys = keys
        self._windows = lru_cache(maxsize=1)(partial(_known_windows, keys))  # two questions need them
        self.size = len(index)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map the file: a tenth of it is read at once, of the rest only what is looked up."""
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
        but for its first or last 39 characters, or of an item over 200 characters but for its first or last
        40, or 7 in a row; with the texts at hand it is not.
        """
        if edits > 1:
            msg = f"{edits} edits: hashes know one at most; more need the corpus itself at hand"
            raise BotError(msg)
        form = normal_form(text)
        found = self._keys.holds(near_keys(form) if edits and len(form) <= SHORT else exact_key(form))
        if found[0]:
            return Match(0)
        return Match(1) if edits and (found.any() or self._near_long(form)) else None

    def copied(self, text: str) -> Span | None:
        """The first stretch of 40 characters or 8 words or more that stands in the corpus."""
        for cut, _, starts in self.copies(text):
            end = starts[0]
            while end + cut.stride in starts:
                end += cut.stride
            return _span(text, cut, starts[0], end + cut.width)
        return None

    def expect(self, texts: Iterable[str]) -> None:
        """Nothing is gained by asking about many at once."""

    def longest(self, text: str) -> Span | None:
        """Raises BotError: that needs the texts."""
        msg = "hashes know stretches of 40 characters and more; shorter ones need the corpus itself at hand"
        raise BotError(msg)

    def overlap(self, text: str) -> float | None:
        """Raises BotError: that needs the texts."""
        msg = "hashes know no overlap; it needs the corpus itself at hand"
        raise BotError(msg)

    def evidence(self, texts: Sequence[str]) -> list[Evidence]:
        """Of each text what hashes know of it."""
        return [Evidence(len(text), 1, self.nearest(text, 1), self.copied(text)) for text in texts]

    def copies(self, text: str) -> Iterator[tuple[Cut, list[str], list[int]]]:
        """For each cut that finds any: the text's units and where the windows that are copies begin."""
        form = normal_form(text)
        for cut, known in self._windows(form).items():
            if len(starts := known.nonzero()[0]):
                yield cut, list(cut.split(form)), starts.tolist()

    def _near_long(self, form: str) -> bool:
        """Whether what is not in the corpus lies so close together that one edit explains it."""
        if len(form) < SHORT:
            return False
        strange = np.flatnonzero(~self._windows(form)[CHARACTERS])
        if not len(strange) or strange[-1] - strange[0] < CHARACTERS.width:
            return True
        return len(form) >= LONG and self._is_covered(form)

    def _is_covered(self, form: str) -> bool:
        """The same by the windows of a long text: an edit bares at most 40 characters at an end, else 7."""
        bare = np.ones(len(form), np.bool_)
        for start in np.flatnonzero(self._windows(form)[LONG_CHARACTERS]):
            bare[start : start + LONG_CHARACTERS.width] = False
        if not bare.any():
            return True
        first, last = np.flatnonzero(bare)[[0, -1]]
        at_an_end = first == 0 or last == len(form) - 1
        return bool(last - first < (CHARACTERS.width if at_an_end else 2 * LONG_CHARACTERS.stride - 1))


def _known_windows(keys: KeySet, form: str) -> dict[Cut, NDArray[np.bool_]]:
    """Of each cut's windows of the text which are known, looked up at once."""
    cuts = (*CUTS, *LONG_CUTS)
    sought = [window_keys(cut, [form]) for cut in cuts]
    known = keys.holds(np.concatenate(sought))
    ends = accumulate(map(len, sought))
    return {cut: known[end - len(some) : end] for cut, some, end in zip(cuts, sought, ends, strict=True)}


class TextTrainingSet:
    """A TrainingSet with the texts at hand: which item, which stretch, any number of edits, no false alarm.

    items: the corpus, or the index that was built of it.
    """

    def __init__(self, items: Iterable[Document | str] | TextIndex):
        self._index = items if isinstance(items, TextIndex) else build(items)
        self._search = Search(self._index)
        self._expected: frozenset[str] = frozenset()
        self._known: dict[object, dict[str, Any]] = {}

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return self._index.size

    def expect(self, texts: Iterable[str]) -> None:
        """Say what will be asked about: the first question about one of these texts is answered for all."""
        self._expected, self._known = frozenset(texts), {}

    def nearest(self, text: str, edits: int) -> Match | None:
        """The nearest item within `edits`; over MOST_EDITS every item is compared."""
        [match] = self._answers(("nearest", edits), [text], lambda texts: self._nearest(texts, edits))
        return match

    def copied(self, text: str) -> Span | None:
        """The first 40 characters or 8 words copied, as far as they go on in the same item."""
        [found] = self._stretches([text])
        return self._span(text, found.first) or self._phrase(text)

    def longest(self, text: str) -> Span | None:
        """The longest stretch that stands in one item."""
        [found] = self._stretches([text])
        return self._span(text, found.longest)

    def overlap(self, text: str) -> float | None:
        """The share of the text's shingles that stand in the corpus; None for a text with few."""
        return self._search.overlap(normal_form(text))

    def evidence(self, texts: Sequence[str]) -> list[Evidence]:
        """Of each text the nearest item, the longest copied stretch, and the overlap if it is long."""
        forms = list(map(normal_form, texts))
        stretches = [found.longest for found in self._stretches(texts)]
        matches = self._search.nearest_of_all(forms, [found and found.row for found in stretches])
        overlaps = map(self._search.overlap, forms)
        return [
            Evidence(len(text), MOST_EDITS, self._match(match), self._span(text, stretch), overlap)
            for text, match, stretch, overlap in zip(texts, matches, stretches, overlaps, strict=True)
        ]

    def _answers(
        self, question: object, texts: Sequence[str], answer: Callable[[Sequence[str]], list[Answer]]
    ) -> list[Answer]:
        if not self._expected.issuperset(texts):
            return answer(texts)
        if question not in self._known:
            expected = list(self._expected)
            self._known[question] = dict(zip(expected, answer(expected), strict=True))
        return [self._known[question][text] for text in texts]

    def _stretches(self, texts: Sequence[str]) -> list[Stretches]:
        return self._answers(
            "stretches", texts, lambda texts: self._search.stretches(list(map(normal_form, texts)))
        )

    def _nearest(self, texts: Sequence[str], edits: int) -> list[Match | None]:
        return list(map(self._match, self._search.nearest(list(map(normal_form, texts)), edits)))

    def _phrase(self, text: str) -> Span | None:
        form = normal_form(text)
        if (found := self._search.phrase(form)) is None:
            return None
        places = WORDS.places(form)
        begin, end = places[found.begin][0], places[found.begin + found.size - 1][1]
        return self._span(text, Stretch(begin, end - begin, found.row))

    def _match(self, near: Near | None) -> Match | None:
        return None if near is None else Match(near.distance, *self._index.item(near.row))

    def _span(self, text: str, stretch: Stretch | None) -> Span | None:
        if stretch is None:
            return None
        start, end = standing(text, stretch.begin, stretch.begin + stretch.size)
        return Span(text[start:end], *self._index.item(stretch.row), start)


def _span(text: str, cut: Cut, first: int, last: int) -> Span:
    """The text's units from `first` up to `last`, as they stand in it."""
    places = cut.places(normal_form(text))
    start, end = standing(text, places[first][0], places[last - 1][1])
    return Span(text[start:end], start=start)
