"""What a text may go on with, and where it ends, beside what the model thinks: a guide for each that asks.

Most texts need none. It knows ids, and texts by what joins them; not the rows, nor the model.

Shapes: V vocabulary_size.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.model.automaton import Automaton
from bot.model.tags import Way
from bot.text.vocabulary import END

Numbers = NDArray[Any]


def anything(text: str) -> bool:
    return True


@dataclass(frozen=True)
class Stops:
    """Texts at which a text ends. join: ids -> text. free: the first ids, in which no stop counts.

    allows: whether what stands before a stop may be a text; if not, that stop does not count.
    """

    texts: tuple[str, ...]
    join: Callable[[Sequence[int]], str]
    free: int
    allows: Callable[[str], bool] = anything

    def reached(self, ids: Sequence[int]) -> bool:
        """Whether one has just been completed. The end is looked at first: joining all takes long."""
        tail = self.join(ids[-max(map(len, self.texts)) - 1 :])
        return any(text in tail for text in self.texts) and self.place(ids) is not None

    def place(self, ids: Sequence[int]) -> int | None:
        """Where the first stop that counts begins in the text."""
        text, start = self.join(ids), len(self.join(ids[: self.free]))
        places = {at for stop in self.texts for at in range(start, len(text)) if text.startswith(stop, at)}
        return next((at for at in sorted(places) if self.allows(text[:at])), None)

    def cut(self, ids: Sequence[int]) -> str:
        """The text before the first stop."""
        return self.join(ids)[: self.place(ids)]


@dataclass(frozen=True)
class Course:
    """What all texts of a request have in common."""

    prefix: tuple[int, ...] = ()
    min_length: int = 0
    no_repeat_ngram: int = 0
    stops: Stops | None = None
    automaton: Automaton | None = None
    max_length: int = 0
    allows: Callable[[str], bool] = anything
    way: Way | None = None

    @property
    def guides(self) -> bool:
        """Whether a text needs a guide; that it begins with something needs none."""
        return bool(self.min_length or self.no_repeat_ngram or self.stops or self.automaton)


class Guide:
    """One text on its way, its prefix written."""

    def __init__(self, course: Course):
        self._course, self._ids = course, list(course.prefix)
        self._state = course.automaton.follow(0, course.prefix) if course.automaton else 0
        self._followers: dict[tuple[int, ...], set[int]] = defaultdict(set)  # of the last n - 1 ids
        for end in range(1, len(course.prefix) + 1):
            self._remember(course.prefix[:end])

    def bar(self, barred: Numbers) -> None:
        """Write -inf into barred (V,) where an id must not follow; repetitions only if that leaves any."""
        if len(self._ids) < self._course.min_length:
            barred[END] = -math.inf
        if self._course.automaton:
            barred += self._course.automaton.mask(self._state, self._course.max_length - len(self._ids))
        if self._course.no_repeat_ngram:
            repeated = list(self._followers.get(self._context(), ()))
            before = barred[repeated]
            barred[repeated] = -math.inf
            if not np.isfinite(barred).any():
                barred[repeated] = before

    def write(self, id: int) -> bool:
        """Whether the text ends with it, apart from its end mark and its greatest length."""
        self._ids.append(id)
        if self._course.automaton and id != END:
            self._state = self._course.automaton.follow(self._state, [id])
        self._remember(self._ids)
        return self._course.stops is not None and self._course.stops.reached(self._ids)

    def _context(self) -> tuple[int, ...]:
        """The last n - 1 ids."""
        return tuple(self._ids[len(self._ids) - self._course.no_repeat_ngram + 1 :])

    def _remember(self, ids: Sequence[int]) -> None:
        length = self._course.no_repeat_ngram
        if 0 < length <= len(ids):
            self._followers[tuple(ids[-length:-1])].add(ids[-1])
