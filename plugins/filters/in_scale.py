"""A filter: a tune in ABC notation keeps to its key, and to a pentatonic scale if that is wanted.

Whether it is a whole tune, `valid_tune` says; of a text without notes nothing is said here.
"""

from collections.abc import Callable

from bot import BotError, Candidate, Filter, FilterContext, Reject, abc_notation, hookimpl

SHOWN = 3  # foreign notes that a reason names


def in_scale(max_foreign: float = 0.05, min_pentatonic: float = 0.0) -> Filter:
    """Reject a tune of whose notes more than this share is foreign to its key, or too few pentatonic.

    max_foreign, min_pentatonic: shares of the notes; the pentatonic scale is the one that has most of them.
    """
    if not (0 <= max_foreign <= 1 and 0 <= min_pentatonic <= 1):
        raise BotError(f"max_foreign {max_foreign:g}, min_pentatonic {min_pentatonic:g}: shares of 1")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        tune = abc_notation.survey(candidate.text)
        if tune.foreign > max_foreign:
            named = [f"{one.pitch} in line {one.line}" for one in tune.notes if one.foreign][:SHOWN]
            raise Reject(f"{tune.foreign:.0%} of its notes are not of the key: {', '.join(named)}")
        if tune.notes and tune.pentatonic < min_pentatonic:
            raise Reject(f"{tune.pentatonic:.0%} of its notes are of one pentatonic scale")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"in_scale": in_scale}
