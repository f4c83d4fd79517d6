"""A filter: a text is a whole tune in ABC notation whose bars add up."""

from collections.abc import Callable

from bot import BotError, Candidate, Filter, FilterContext, Reject, abc_notation, hookimpl


def valid_tune(min_bars: int = 4, max_bars: int = 200) -> Filter:
    """Reject a text without key and metre, with a bar too long or too short, or something not closed.

    min_bars, max_bars: how many bars with notes it has.
    """
    if not 0 < min_bars <= max_bars:
        raise BotError(f"min_bars {min_bars}, max_bars {max_bars}: at least 1, and the greatest no less")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        found = abc_notation.survey(candidate.text)
        if found.faults:
            more = f" (and {len(found.faults) - 1} more)" if found.faults[1:] else ""
            raise Reject(f"{found.faults[0]}{more}")
        if not min_bars <= found.bars <= max_bars:
            raise Reject(f"has {found.bars} bars, not {min_bars} to {max_bars}")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"valid_tune": valid_tune}
