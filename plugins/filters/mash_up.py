"""A filter: a text shows where it comes from twice, by words of one source and words of another.

A word's evidence is its log-odds between the two, counted in their items; the model is not asked. Whether the
words are words, and the text new, `real_words` and `not_in_training` say.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import regex

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl, read_lines

_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*")
_UNSEEN = 0.5  # what is added to every count, so that a word of one source alone has finite odds


def mash_up(first_path: Path, second_path: Path, odds: float = 2.0, balance: float = 0.3) -> Filter:
    """Reject a text without a word of each source, or in which one outweighs the other.

    first_path, second_path: the items of each source, one a line. odds: natural log-odds from which a word
    tells of its source. balance: twice the lesser evidence over all of it, at least; 1 is even.
    """
    if odds <= 0 or not 0 <= balance <= 1:
        raise BotError(f"odds {odds:g}, balance {balance:g}: odds are above 0, balance lies between 0 and 1")
    one, other = (_counts(read_lines(path)) for path in (first_path, second_path))
    evidence = _log_odds(one, other)

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        words = set(_words(candidate.text))
        told = {word: evidence[word] for word in words if abs(evidence.get(word, 0.0)) >= odds}
        ours = sum(value for value in told.values() if value > 0)
        theirs = -sum(value for value in told.values() if value < 0)
        for path, weight in ((first_path, ours), (second_path, theirs)):
            if not weight:
                raise Reject(f"has no word that tells of {path.stem}")
        even = 2 * min(ours, theirs) / (ours + theirs)
        if even < balance:
            most = first_path if ours > theirs else second_path
            raise Reject(f"is nearly all {most.stem}: balance {even:.2f}, under {balance:g}")
        return candidate

    return judge


def _log_odds(one: Counter[str], other: Counter[str]) -> dict[str, float]:
    """Natural log-odds of every word, above 0 where it is more usual in the first source."""
    words = one.keys() | other.keys()
    first, second = (counts.total() + _UNSEEN * len(words) for counts in (one, other))
    return {
        word: math.log((one[word] + _UNSEEN) / first) - math.log((other[word] + _UNSEEN) / second)
        for word in words
    }


def _counts(lines: Iterable[str]) -> Counter[str]:
    counts = Counter(word for line in lines for word in _words(line))
    if not counts:
        raise BotError("a source of a mash-up has no word")
    return counts


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("’", "'"))


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"mash_up": mash_up}
