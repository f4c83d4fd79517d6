"""A filter: a text begins and ends as a sentence does, in scripts with capitals and without."""

from collections.abc import Callable

import regex

from bot import Candidate, Filter, FilterContext, Reject, hookimpl

CLOSING = r"[\p{Pe}\p{Pf}\p{Pi}\"'\s]"  # also « and “, which close in some languages
_END = regex.compile(rf"(?:\p{{Sentence_Terminal}}|…)\p{{M}}*{CLOSING}*\Z")
_BEFORE = regex.compile(r"[\p{Ps}\p{Pi}\p{Pf}\"'¿¡‐-―\-\s…]*")
_BEGINNING = regex.compile(
    r"[\p{Lu}\p{Lt}\p{Lo}\p{N}]|\p{Lm}"
)  # scripts without capitals begin with any letter


def complete_sentence() -> Filter:
    """Reject a text that begins in the middle of a sentence, or does not come to its end."""

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        text = candidate.text.strip()
        start = text[_BEFORE.match(text).end() :]
        if not start:
            raise Reject("is no sentence: it has no word")
        if not _BEGINNING.match(start):
            raise Reject(f"begins in the middle of a sentence: {start.split()[0]!r:.30}")
        if not _END.search(text):
            raise Reject(f"breaks off: it ends in {text.split()[-1]!r:.30}, without a full stop or the like")
        return candidate

    return judge


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"complete_sentence": complete_sentence}
