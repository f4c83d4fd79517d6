"""A filter: nothing is queued for a bot twice, whatever became of it."""

from collections.abc import Callable

from bot import Candidate, Filter, FilterContext, Reject, hookimpl


def not_seen_before() -> Filter:
    """Reject what was ever queued for this bot, after NFKC and casefold."""

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        if context.seen(candidate.text):
            raise Reject("was queued before")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"not_seen_before": not_seen_before}
