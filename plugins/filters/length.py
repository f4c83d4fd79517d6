"""A filter: keep what a reader takes in at a glance."""

from collections.abc import Callable

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl


def length(min: int = 1, max: int = 280) -> Filter:
    """Reject texts shorter than `min` or longer than `max` characters."""
    if min > max:
        raise BotError(f"min {min} is more than max {max}: nothing would pass")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        size = len(candidate.text)
        said = f"{size} character{'' if size == 1 else 's'}"
        if size < min:
            raise Reject(f"{said}, fewer than {min}")
        if size > max:
            raise Reject(f"{said}, more than {max}")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"length": length}
