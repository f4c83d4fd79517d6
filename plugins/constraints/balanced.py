"""A constraint: brackets and quotation marks are closed, in the right order."""

from collections.abc import Callable

from bot import BotError, Constraint, hookimpl


class Balanced:
    """What opens is closed before what stood around it.

    pairs: opening and closing signs in turn. quotes: signs that open and close.
    """

    start = ""  # a state: the signs that must still come, the next one last

    def __init__(self, pairs: str = "()[]{}“”«»", quotes: str = '"'):
        if len(pairs) % 2 or len(set(pairs + quotes)) < len(pairs + quotes):
            raise BotError(f"pairs {pairs!r}, quotes {quotes!r}: an even number of pairs, every sign once")
        self._closing = dict(zip(pairs[::2], pairs[1::2], strict=True)) | dict(
            zip(quotes, quotes, strict=True)
        )

    def advance(self, state: str, character: str) -> str | None:
        if state.endswith(character):
            return state[:-1]
        if character in self._closing and character not in state:
            return state + self._closing[character]
        if character in self._closing.values():
            return None  # closed without having been opened, or a quotation within itself
        return state

    def missing(self, state: str) -> int:
        return len(state)


@hookimpl
def register_constraints() -> dict[str, Callable[..., Constraint]]:
    return {"balanced": Balanced}
