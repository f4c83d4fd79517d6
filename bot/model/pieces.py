"""What each token adds to a text: a tokenizer's join, taken apart. It knows no model.

A tokenizer may put something between two tokens, as a space between words. What it puts there must depend on
these two alone; then tokens fall into kinds by what they do to their neighbours, mostly one or two.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

from bot.errors import BotError

PROBES = 16  # tokens, all through the vocabulary, that others are tried beside

Ids = Sequence[int]


class Piece(NamedTuple):
    """What an id adds; `shared`: how many of its first characters the piece before it in the list has too."""

    id: int
    shared: int
    text: str


class Pieces:
    """join: ids -> text. ids: of all tokens that may be written. Raises BotError where it cannot be done."""

    def __init__(self, join: Callable[[Ids], str], ids: Ids):
        self._join, self._ids = join, ids
        self._own = {id: join([id]) for id in ids}
        self._left, self._right = self._kinds()
        self._lefts, self._rights = _one_of_each(self._left), _one_of_each(self._right)
        self._lists: dict[int, list[Piece]] = {}

    def kind(self, id: int) -> int:
        """What `after` asks for; 0 is the beginning of a text."""
        return self._left[id] + 1

    def after(self, kind: int) -> list[Piece]:
        """What each id adds after one of this kind, by their texts."""
        if kind not in self._lists:
            before = (
                [self._seam(self._lefts[kind - 1], b) for b in self._rights]
                if kind
                else [""] * len(self._rights)
            )
            self._lists[kind] = _sorted((before[self._right[id]] + self._own[id], id) for id in self._ids)
        return self._lists[kind]

    @cached_property
    def longest(self) -> int:
        """Characters of the longest piece that an id can add."""
        kinds = range(len(self._lefts) + 1)
        return max((len(piece.text) for kind in kinds for piece in self.after(kind)), default=0)

    def _kinds(self) -> tuple[dict[int, int], dict[int, int]]:
        """By what they do to a token after them, and by what a token before them does to them."""
        left = right = self._ids[:: max(1, len(self._ids) // PROBES)]
        found = (0, 0)
        while True:
            lefts = _numbered((a, tuple(self._seam(a, b) for b in right)) for a in self._ids)
            rights = _numbered((b, tuple(self._seam(a, b) for a in left)) for b in self._ids)
            left, right = _one_of_each(lefts), _one_of_each(rights)
            if found == (len(left), len(right)):
                return lefts, rights
            found = len(left), len(right)

    def _seam(self, a: int, b: int) -> str:
        """What stands between two ids' own texts."""
        before, after, both = self._own[a], self._own[b], self._join([a, b])
        if not (both.startswith(before) and both[len(before) :].endswith(after)):
            msg = f"its tokenizer makes {both!r} of {before!r} and {after!r}: constraints cannot follow that"
            raise BotError(msg)
        return both[len(before) : len(both) - len(after)]


def _numbered(signatures: Iterable[tuple[int, Hashable]]) -> dict[int, int]:
    """Each id's kind: equal signatures, equal numbers, from 0."""
    numbers: dict[Hashable, int] = {}
    return {id: numbers.setdefault(signature, len(numbers)) for id, signature in signatures}


def _one_of_each(kinds: dict[int, int]) -> list[int]:
    firsts: dict[int, int] = {}
    for id, kind in kinds.items():
        firsts.setdefault(kind, id)
    return list(firsts.values())


def _sorted(texts: Iterable[tuple[str, int]]) -> list[Piece]:
    pieces, before = [], ""
    for text, id in sorted(texts):
        pieces.append(Piece(id, _shared(before, text), text))
        before = text
    return pieces


def _shared(a: str, b: str) -> int:
    """How many first characters two texts have in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
