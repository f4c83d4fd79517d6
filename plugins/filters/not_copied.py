"""A filter: what is one piece of the corpus, or pieced together from it, is not new."""

from collections.abc import Callable

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl


def not_copied(share: float = 0.8, characters: int = 39, overlap: float = 1.0) -> Filter:
    """Reject what shares with an item one stretch of more than this share of it, or of more `characters`.

    overlap: also a long text of whose runs of 5 words more than this share stand in the corpus. All is
    compared after NFKC and casefold and needs the corpus at hand. 40 characters or 8 words are vetoed anyhow.
    """
    for name, limit in (("share", share), ("overlap", overlap)):
        if not 0 <= limit <= 1:
            raise BotError(f"{name} {limit:g}: must be from 0 to 1")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        known, text = context.training_set, candidate.text
        span = known.longest(text)
        if span and len(span.text) > min(characters, share * len(text)):
            raise Reject(f"shares {span.text.strip()!r} with {span.item!r}")
        if overlap < 1 and (found := known.overlap(text) or 0.0) > overlap:
            raise Reject(f"{found:.0%} of its runs of 5 words stand in the corpus")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"not_copied": not_copied}
