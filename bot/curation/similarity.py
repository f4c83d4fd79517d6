"""Which texts are too alike for one week, and which of them a slot gets. It knows no clock and no queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from bot.curation.habits import words_of
from bot.curation.normal import normal_form

WEEK = timedelta(days=7)
ALIKE = 0.75  # of the longer text's characters stay when one is edited into the other
SHARED = 0.5  # of all the words of the two texts together


class Used(NamedTuple):
    """A text that was posted, or will be; at None, nobody knows when: it counts for every week."""

    at: datetime | None
    text: str


def similar(text: str, other: str) -> bool:
    """Whether one is the other with a few edits, or with other words added or in another order.

    >>> similar("Pale Moon Rising", "Pale Noon Rising"), similar("Moon of Blood", "Blood of the Moon")
    (True, True)
    >>> similar("Corpse Grinder", "Corpse Eater")
    False
    """
    return _Form.of(text).like(_Form.of(other))


def nearest(text: str, others: Sequence[str], count: int) -> list[int]:
    """Which of the others are nearest to the text, by characters or by words, the nearest first.

    >>> nearest("Pale Moon", ["Crypt", "Moon of Blood", "Pale Noon"], 2)
    [2, 1]
    """
    form = _Form.of(text)
    closeness = [form.closeness(_Form.of(other)) for other in others]
    return sorted(range(len(others)), key=lambda number: -closeness[number])[:count]


def allot(texts: Sequence[str], moments: Sequence[datetime], used: Sequence[Used]) -> list[int | None]:
    """Which text each moment gets: the first left that is like none within a week of it; None if all are.

    moments: in their order. used: what was posted or has its moment.
    """
    left = {number: _Waiting(_Form.of(text)) for number, text in enumerate(texts)}
    taken = [_Taken(one.at, _Form.of(one.text)) for one in used]
    found: list[int | None] = []
    for moment in moments:
        chosen = next((n for n, one in left.items() if not one.barred(moment, taken)), None)
        found.append(chosen)
        if chosen is not None:
            taken.append(_Taken(moment, left.pop(chosen).form))
    return found


class _Form(NamedTuple):
    """What of a text is compared."""

    form: str
    words: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "_Form":
        return cls(normal_form(text), frozenset(words_of(text)))

    def like(self, other: "_Form") -> bool:
        if Levenshtein.normalized_similarity(self.form, other.form) >= ALIKE:
            return True
        return self.shared_words(other) >= SHARED

    def closeness(self, other: "_Form") -> float:
        """0 to 1: the share of characters that stay, or of words that are in both."""
        return max(Levenshtein.normalized_similarity(self.form, other.form), self.shared_words(other))

    def shared_words(self, other: "_Form") -> float:
        every = len(self.words | other.words)
        return len(self.words & other.words) / every if every else 0.0


class _Taken(NamedTuple):
    """A text that has its moment, by what is compared."""

    at: datetime | None
    form: _Form

    def near(self, moment: datetime) -> bool:
        return self.at is None or abs(moment - self.at) < WEEK


class _Waiting:
    """A text that waits for its moment. It is compared once with each that has one, and only when need be."""

    def __init__(self, form: _Form):
        self.form = form
        self._compared = 0
        self._like: list[_Taken] = []

    def barred(self, moment: datetime, taken: Sequence[_Taken]) -> bool:
        """Whether one of the texts taken within a week of the moment is like it. `taken` only grows."""
        if any(one.near(moment) for one in self._like):
            return True
        while self._compared < len(taken):
            one = taken[self._compared]
            self._compared += 1
            if one.form.like(self.form):
                self._like.append(one)
                if one.near(moment):
                    return True
        return False
