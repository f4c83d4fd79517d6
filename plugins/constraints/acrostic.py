"""A constraint: the first letters of the words, or of the lines, spell something."""

from collections.abc import Callable
from typing import Literal

from bot import BotError, Constraint, hookimpl

State = tuple[int, bool]  # letters used, and whether a word's or line's first letter is to come


class Acrostic:
    """As many words as `letters` has, each beginning with its own, whatever the case. of: words or lines.

    Signs before a word's first letter do not count, as in "(doom".
    """

    start: State = (0, True)

    def __init__(self, letters: str, of: Literal["words", "lines"] = "words"):
        if not letters.isalnum():
            raise BotError(
                f"{letters!r}: an acrostic spells one or more letters or digits, and no other signs"
            )
        self._letters = [letter.casefold() for letter in letters]
        self._lines = of == "lines"

    def advance(self, state: State, character: str) -> State | None:
        used, waiting = state
        if character == "\n" if self._lines else character.isspace():
            return None if used == len(self._letters) else (used, True)
        if not (waiting and character.isalnum()):
            return state
        return (used + 1, False) if character.casefold() == self._letters[used] else None

    def missing(self, state: State) -> int:
        used, waiting = state
        return 2 * (len(self._letters) - used) - (waiting and used < len(self._letters))


@hookimpl
def register_constraints() -> dict[str, Callable[..., Constraint]]:
    return {"acrostic": Acrostic}
