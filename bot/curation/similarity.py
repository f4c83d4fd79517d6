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
    """A text that was posted, or will be."""

    at: datetime
    text: str


def similar(text: str, other: str) -> bool:
    """Whether one is the other with a few edits, or with other words added or in another order.

    >>> similar("Pale Moon Rising", "Pale Noon Rising"), similar("Moon of Blood", "Blood of the Moon")
    (True, True)
    >>> similar("Corpse Grinder", "Corpse Eater")
    False
    """
    return _Form.of(text).like(_Form.of(other))


def allot(texts: Sequence[str], moments: Sequence[datetime], used: Sequence[Used]) -> list[int | None]:
    """Which text each moment gets: the first left that is like none within a week of it; None if all are.

    moments: in their order. used: what was posted or has its moment.
    """
    left = {number: _Form.of(text) for number, text in enumerate(texts)}
    taken = [(one.at, _Form.of(one.text)) for one in used]
    found: list[int | None] = []
    for moment in moments:
        near = [form for at, form in taken if abs(moment - at) < WEEK]
        chosen = next((n for n, form in left.items() if not any(map(form.like, near))), None)
        found.append(chosen)
        if chosen is not None:
            taken.append((moment, left.pop(chosen)))
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
        every = len(self.words | other.words)
        return bool(every) and len(self.words & other.words) >= SHARED * every
