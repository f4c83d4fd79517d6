"""A filter: a text must read like an item of the corpus, by how its characters follow each other."""

import math
from collections.abc import Callable

from bot import Candidate, Filter, FilterContext, Reject, hookimpl


def name_like(min: float = -2.0) -> Filter:
    """Reject what reads less like the corpus than `min`.

    Real items that were held out have mean 0 and deviation 1; about one in twenty-five of them lies under -2.
    """

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        likeness = context.profile.likeness(candidate.text)
        if not likeness >= min:
            told = (
                math.floor(100 * likeness) / 100 if math.isfinite(likeness) else likeness
            )  # not up to `min`
            raise Reject(f"reads unlike the corpus: likeness {told:.2f}, under {min:g} (real items: about 0)")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"name_like": name_like}
