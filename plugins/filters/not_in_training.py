"""A filter: what the model learned by heart is not an invention."""

from collections.abc import Callable

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl


def not_in_training(edits: int = 1) -> Filter:
    """Reject training items and what is within `edits` of one, after NFKC and casefold.

    More than one edit needs the corpus at hand, for hashes know no more. Up to three are looked up,
    for more the text is compared with every item.
    """
    if edits < 0:
        raise BotError(f"edits {edits}: must be 0 (equal items only), 1 or more")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        match = context.training_set.nearest(candidate.text, edits)
        if match is None:
            return candidate
        item = "" if match.item is None else f": {match.item!r}"
        if match.distance == 0:
            raise Reject(f"is a training item{item}")
        raise Reject(f"is {match.distance} edit{'s'[: match.distance - 1]} from a training item{item}")

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"not_in_training": not_in_training}
