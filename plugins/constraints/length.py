"""A constraint: how many characters a text has."""

from collections.abc import Callable

from bot import BotError, Constraint, hookimpl


class Length:
    """At least `min` and, if that is not 0, at most `max` characters."""

    def __init__(self, min: int = 0, max: int = 0):
        if min < 0 or max < 0 or (max and min > max):
            raise BotError(
                f"no text has {min} to {max} characters: min is at least 0, max no less (0: no limit)"
            )
        self.start = 0  # a state: how many there are, as far as that matters
        self._least, self._most = min, max

    def advance(self, state: int, character: str) -> int | None:
        if self._most:
            return state + 1 if state < self._most else None
        return min(state + 1, self._least)

    def missing(self, state: int) -> int:
        return max(0, self._least - state)


@hookimpl
def register_constraints() -> dict[str, Callable[..., Constraint]]:
    return {"length": Length}
