"""Where in a corpus a garbled text was read off: the place at which most of its characters agree.

It knows no edits: what was left out or put in shifts all that follows, so it is for short pieces.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import regex

SPACE = regex.compile(r"\s+")


@dataclass(frozen=True)
class Place:
    """there: what stands at the place, as long as the piece. share: of characters that agree."""

    there: str
    share: float


class Reel:
    """Texts end to end, every run of white space one space."""

    def __init__(self, texts: Iterable[str]):
        self._text = " ".join(SPACE.sub(" ", text.strip()) for text in texts)
        self._signs = _numbers(self._text)

    def nearest(self, piece: str) -> Place:
        """The first of the places with most agreement. The piece, not longer than the texts, is as it is."""
        last = len(self._signs) - len(piece)
        agree = np.zeros(last + 1, np.int32)
        for at, sign in enumerate(_numbers(piece)):
            agree += self._signs[at : at + last + 1] == sign
        best = int(agree.argmax())
        return Place(self._text[best : best + len(piece)], int(agree[best]) / len(piece))


def _numbers(text: str) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)
