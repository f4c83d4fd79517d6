"""A filter: nothing is queued for a bot twice, whatever became of it, nor nearly so."""

from collections.abc import Callable

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl


def not_seen_before(edits: int = 0) -> Filter:
    """Reject what was ever queued for this bot, after NFKC and casefold.

    Also what is within `edits` of one of its last 20,000 drafts or 1,000 posts.
    """
    if edits < 0:
        raise BotError(f"edits {edits}: must be 0 (equal texts only), 1 or more")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        if context.seen(candidate.text):
            raise Reject("was queued before")
        if edits and (match := context.nearest_seen(candidate.text, edits)):
            far = (
                f"{match.distance} edit{'s'[: match.distance - 1]} from" if match.distance else "the same as"
            )
            raise Reject(f"is {far} the {match.source} {match.item!r}")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"not_seen_before": not_seen_before}
