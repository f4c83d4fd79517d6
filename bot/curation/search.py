"""Questions about many texts at once to a TextIndex: the nearest items, the longest stretches, the overlap.

Everything here takes normal forms and answers with rows. It does not know what is made of the answers.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.curation.halves import LONGEST, MOST_EDITS, bags, hits, probes
from bot.curation.keys import CHARACTERS, SHINGLES, WORDS, Keys, distinct, window_keys
from bot.curation.suffixes import PADDING, Suffixes
from bot.curation.text_index import TextIndex, phrase_entries

FAR = 8  # edits; an item further off says nothing about a text
SHORTLIST = 16  # items compared with a text that has none within MOST_EDITS
FEWEST_SHINGLES = 8  # of a text that is long enough to have an overlap
WINDOW = 20  # characters: with 3 edits or fewer, one such piece of a text longer than LONGEST is untouched
AT_ONCE = 1 << 14  # texts

Rows = NDArray[np.int64]


class Near(NamedTuple):
    """An item and its distance in edits."""

    distance: int
    row: int


class Stretch(NamedTuple):
    """`size` characters, or words, from `begin` on that stand in an item too."""

    begin: int
    size: int
    row: int


class Stretches(NamedTuple):
    """The longest one, and the first that counts as a copy."""

    longest: Stretch | None
    first: Stretch | None


class Search:
    """What can be asked of an index."""

    def __init__(self, index: TextIndex):
        self._index = index
        self._suffixes = Suffixes(index.forms, index.suffixes)
        self._long = bool(len(index) and index.lengths.max() > LONGEST)

    def nearest(self, forms: Sequence[str], edits: int) -> list[Near | None]:
        """The nearest item within `edits` of each, exactly; the first one of several."""
        if edits > MOST_EDITS:
            return [self._scan(form, edits) for form in forms]
        return [
            near
            for at in range(0, len(forms), AT_ONCE)
            for near in self._near(forms[at : at + AT_ONCE], edits, edits)
        ]

    def nearest_of_all(self, forms: Sequence[str], hints: Sequence[int | None]) -> list[Near | None]:
        """The nearest item of each: exactly within MOST_EDITS, beyond that of a short list, up to FAR.

        hints: an item for each that belongs on its list.
        """
        found = list[Near | None]()
        for at in range(0, len(forms), AT_ONCE):
            found += self._near(forms[at : at + AT_ONCE], MOST_EDITS, FAR, hints[at : at + AT_ONCE])
        return found

    def stretches(self, forms: Sequence[str]) -> list[Stretches]:
        """What each text shares with items in one piece."""
        encoded = [form.encode("utf-8", "surrogatepass") for form in forms]
        sizes = np.fromiter(map(len, encoded), np.int64, len(forms))
        ends = sizes.cumsum()
        text = np.frombuffer(b"".join(encoded) + PADDING, np.uint8)
        heads = (text & 0xC0) != 0x80  # the first byte of a character
        before = np.concatenate([[0], heads.cumsum()])
        places = np.flatnonzero(heads[: len(text) - len(PADDING)])
        owners = np.repeat(np.arange(len(forms)), sizes)[places]
        found = self._suffixes.search(text, places, ends[owners] - places)
        reached = places + found.size
        counts = before[reached] - before[places] - ~heads[reached]  # a character in part is none
        firsts = np.concatenate([[0], before[ends]])
        return [
            self._stretches(counts[slice(*some)], found.where[slice(*some)])
            for some in zip(firsts[:-1].tolist(), firsts[1:].tolist(), strict=True)
        ]

    def phrase(self, form: str) -> Stretch | None:
        """The first run of words that counts as a copy, as far as it goes on in the same item; in words."""
        words = WORDS.split(form)
        entries = phrase_entries(window_keys(WORDS, [form]))
        phrases = self._index.phrases
        first = phrases.searchsorted(entries)
        last = phrases.searchsorted(entries | np.uint64(0xFFFF_FFFF), side="right")
        for begin in np.flatnonzero(first < last).tolist():
            for entry in phrases[first[begin] : last[begin]].tolist():
                row = entry & 0xFFFF_FFFF
                if size := _shared(words[begin:], WORDS.split(self._index.form(row)), WORDS.width):
                    return Stretch(begin, size, row)
        return None

    def overlap(self, form: str) -> float | None:
        """The share of a text's shingles that stand in the corpus; None for a text with few."""
        keys, shingles = window_keys(SHINGLES, [form]), self._index.shingles
        if len(keys) < FEWEST_SHINGLES:
            return None
        if not len(shingles):
            return 0.0
        return float((shingles.take(shingles.searchsorted(keys), mode="clip") == keys).mean())

    def _stretches(self, counts: Rows, where: Rows) -> Stretches:
        if not len(counts) or not counts.max():
            return Stretches(None, None)
        longest, copies = int(counts.argmax()), np.flatnonzero(counts >= CHARACTERS.width)
        first = self._stretch(int(copies[0]), counts, where) if len(copies) else None
        return Stretches(self._stretch(longest, counts, where), first)

    def _stretch(self, begin: int, counts: Rows, where: Rows) -> Stretch:
        return Stretch(begin, int(counts[begin]), self._index.row_at(where[begin]))

    def _near(
        self, forms: Sequence[str], edits: int, reach: int, hints: Sequence[int | None] = ()
    ) -> list[Near | None]:
        """The nearest of what may be within `edits`; of others within `reach` SHORTLIST are compared."""
        asked = _asked(forms)
        found = [
            *hits(self._index.halves, *probes(forms, edits)),
            self._long_rows(forms, edits),
            _known(hints),
        ]
        joined = distinct(self._sifted(asked, *some, reach) for some in found)
        owners = (joined >> np.uint64(40)).astype(np.int64)
        if reach > edits:
            likely = ((joined >> np.uint64(32)) & np.uint64(255)) <= 2 * edits
            place = np.arange(len(joined)) - owners.searchsorted(owners)
            chosen = likely | (place < SHORTLIST)
            joined, owners = joined[chosen], owners[chosen]
        return self._compare(forms, owners, (joined & np.uint64(0xFFFF_FFFF)).astype(np.int64), reach)

    def _scan(self, form: str, edits: int) -> Near | None:
        rows = np.arange(len(self._index))
        pairs = self._sifted(_asked([form]), np.zeros_like(rows), rows, edits)
        rows = (pairs & np.uint64(0xFFFF_FFFF)).astype(np.int64)
        return self._compare([form], np.zeros_like(rows), rows, edits)[0]

    def _sifted(self, asked: "_Asked", owners: Rows, rows: Rows, reach: int) -> Keys:
        """Those pairs that lengths and bags do not rule out: text, then bits that differ, then row."""
        alike = np.abs(self._index.lengths[rows] - asked.lengths[owners]) <= reach
        owners, rows = owners[alike], rows[alike]
        differ = np.bitwise_count(self._index.bags[rows] ^ asked.bags[owners]).astype(np.uint64)
        keys = (
            (owners.astype(np.uint64) << np.uint64(40)) | (differ << np.uint64(32)) | rows.astype(np.uint64)
        )
        likely: Keys = keys[differ <= 2 * reach]
        return likely

    def _compare(self, forms: Sequence[str], owners: Rows, rows: Rows, reach: int) -> list[Near | None]:
        """The nearest of each text's rows within `reach`."""
        nearest: list[Near | None] = [None] * len(forms)
        if not len(rows):
            return nearest
        texts, items = [forms[i] for i in owners.tolist()], [self._index.form(row) for row in rows.tolist()]
        options: dict[str, Any] = {"scorer": Levenshtein.distance, "score_cutoff": reach, "workers": 1}
        distances = process.cpdist(texts, items, dtype=np.int32, **options)
        for i in np.lexsort((-rows, -distances, owners)).tolist():  # the nearest of each comes last
            if distances[i] <= reach:
                nearest[owners[i]] = Near(int(distances[i]), int(rows[i]))
        return nearest

    def _long_rows(self, forms: Sequence[str], edits: int) -> tuple[Rows, Rows]:
        """(texts, rows): long items that have a piece of a text, untouched, WINDOW characters or more."""
        owners, rows = list[int](), list[int]()
        for owner, form in enumerate(forms if self._long else ()):
            if len(form) >= LONGEST + 1 - edits:
                found = self._holding(
                    [form[i : i + WINDOW] for i in range(0, len(form) - WINDOW + 1, WINDOW)]
                )
                owners += [owner] * len(found)
                rows += found.tolist()
        return np.array(owners, np.int64), np.array(rows, np.int64)

    def _holding(self, pieces: Sequence[str]) -> Rows:
        """The items in which one of the pieces stands."""
        encoded = [piece.encode("utf-8", "surrogatepass") for piece in pieces]
        sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
        text = np.frombuffer(b"".join(encoded) + PADDING, np.uint8)
        found = self._suffixes.search(text, sizes.cumsum() - sizes, sizes)
        places = [
            self._index.suffixes[first:last] for first, last in zip(found.first, found.last, strict=True)
        ]
        rows: Rows = np.unique(self._index.starts.searchsorted(np.concatenate(places), side="right") - 1)
        return rows


class _Asked(NamedTuple):
    """What rules items out, of each text that is asked about."""

    lengths: Rows
    bags: Keys


def _asked(forms: Sequence[str]) -> _Asked:
    return _Asked(np.fromiter(map(len, forms), np.int64, len(forms)), bags(forms))


def _known(hints: Sequence[int | None]) -> tuple[Rows, Rows]:
    pairs = [(owner, row) for owner, row in enumerate(hints) if row is not None]
    owners, rows = np.array(pairs, np.int64).reshape(-1, 2).T
    return owners, rows


def _shared(words: Sequence[str], item: Sequence[str], fewest: int) -> int:
    """How many of the words stand in a row in the item from their beginning on, 0 if fewer than `fewest`."""
    best = 0
    for start in range(len(item) - fewest + 1):
        size = 0
        while size < min(len(words), len(item) - start) and words[size] == item[start + size]:
            size += 1
        best = max(best, size)
    return best if best >= fewest else 0
