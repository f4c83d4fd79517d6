"""A filter: neither a text the model knows too well nor noise, by how much it surprised the model."""

from collections.abc import Callable

from bot import BANDS, BotError, Candidate, Filter, FilterContext, Reject, hookimpl


def temperature_band(band: str | None = None, min: float = 0.0, max: float = float("inf")) -> Filter:
    """Reject a text whose surprise, its loss over the model's held-out loss, lies outside.

    band: safe, balanced or wild instead of `min` and `max`.
    """
    low, high = _limits(band, min, max)

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        if candidate.surprise < low:
            raise Reject(
                f"surprise {candidate.surprise:.2f}, under {low:g}: too close to what the model knows"
            )
        if not candidate.surprise <= high:  # not a number is no surprise to accept
            raise Reject(f"surprise {candidate.surprise:.2f}, over {high:g}: too close to noise")
        return candidate

    return judge


def _limits(band: str | None, min: float, max: float) -> tuple[float, float]:
    if band is None:
        if not min <= max:
            raise BotError(f"min {min:g} is more than max {max:g}: nothing would pass")
        return min, max
    if band not in BANDS:
        raise BotError(f"no band is called {band!r} (have {', '.join(BANDS)})")
    if (min, max) != (0.0, float("inf")):
        raise BotError("either `band` or `min` and `max`, not both")
    return BANDS[band]


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"temperature_band": temperature_band}
