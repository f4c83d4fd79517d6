"""A filter: enough of a text's words are words.

Known are those of the corpus, those of the dictionaries that the dependency pyspellchecker brings, and the
owner's. It is for languages that put spaces between words.
"""

import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import regex

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl, read_lines

_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*")
_SHOWN = 3  # unknown words that a reason names


def real_words(
    min: float = 0.85, path: Path | None = None, dictionaries: tuple[str, ...] = (), corpus: bool = True
) -> Filter:
    """Reject a text of whose words less than the share `min` are known.

    path: words, one a line. dictionaries: of pyspellchecker, as en or de. corpus: its words are known too.
    """
    if not 0 < min <= 1:
        raise BotError(f"min {min:g} is no share: more than 0 and at most 1")
    known = {_folded(line.strip()) for line in read_lines(path)} if path else set()
    known.update(*map(_dictionary, dictionaries))
    if not known and not corpus:
        raise BotError("it knows no word: give it `path` or `dictionaries`, or leave `corpus` as it is")

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        words = _WORD.findall(_folded(candidate.text))
        strange = [
            word for word in words if not ({word, _stem(word)} & known or (corpus and _in(context, word)))
        ]
        if not words:
            raise Reject("has no word")
        if len(strange) > (1 - min) * len(words) + 1e-9:
            named = ", ".join(repr(word) for word in dict.fromkeys(strange[:_SHOWN]))
            share = 1 - len(strange) / len(words)
            raise Reject(f"{share:.0%} of its words are known, less than {min:.0%}: not {named}")
        return candidate

    return judge


def _in(context: FilterContext, word: str) -> bool:
    return context.profile.knows(word) or context.profile.knows(_stem(word))


def _stem(word: str) -> str:
    return word.removesuffix("'s")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def _dictionary(language: str) -> Iterable[str]:
    from spellchecker import SpellChecker  # takes a fifth of a second

    have = SpellChecker.languages()
    if language not in have:
        raise BotError(f"no dictionary is called {language!r} (have {', '.join(sorted(have))})")
    return map(_folded, SpellChecker(language=language).word_frequency.words())


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"real_words": real_words}
