"""A filter: a text is in one of the languages that were asked for.

Short texts do not tell their language: under `letters` letters only the script is judged. Longer ones are
compared with the 140 languages that the dependency py3langid knows.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import regex

from bot import BotError, Candidate, Filter, FilterContext, Reject, hookimpl

LEAST = 0.05  # probability of the languages asked for, together: below it, it is another

_SCRIPTS = {  # by language; those not named here use Latin letters
    "Arabic": "ar fa ps sd ug ur ckb", "Armenian": "hy", "Bengali": "as bn",
    "Cyrillic": "ab ba be bg ce cv kk ky mk mn os ru sah sr tg tt uk", "Devanagari": "bho hi mai mr ne sa",
    "Ethiopic": "am ti", "Georgian": "ka", "Greek": "el", "Gujarati": "gu", "Gurmukhi": "pa",
    "Han": "ja yue zh", "Hangul": "ko", "Hebrew": "he yi", "Hiragana": "ja", "Kannada": "kn",
    "Katakana": "ja", "Khmer": "km",
    "Lao": "lo", "Malayalam": "ml", "Myanmar": "my", "Oriya": "or", "Sinhala": "si", "Tamil": "ta",
    "Telugu": "te", "Thaana": "dv", "Thai": "th", "Tibetan": "bo dz",
}  # fmt: skip
_LETTER = regex.compile(r"\p{L}")


def language(languages: tuple[str, ...] = ("en",), letters: int = 20) -> Filter:
    """Reject a text that is written in another script, or if it has `letters` letters in another language.

    languages: their codes, as en, de, ja.
    """
    if strange := [code for code in languages if code not in _identifier().labels]:
        raise BotError(
            f"no language is called {strange[0]!r} (have {', '.join(sorted(_identifier().labels))})"
        )
    if not languages:
        raise BotError("no language would pass: name one in `languages`")
    scripts = _scripts(languages)
    in_script = regex.compile("|".join(rf"\p{{Script={script}}}" for script in scripts))
    wanted = " or ".join(languages)

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        found = _LETTER.findall(candidate.text)
        if 2 * sum(bool(in_script.match(letter)) for letter in found) < len(found):
            raise Reject(f"is not written in {' or '.join(scripts)} letters, as {wanted} is")
        if len(found) >= letters and (other := _other(candidate.text, languages)):
            raise Reject(f"is not in {wanted} but looks like {other}")
        return candidate

    return judge


def _scripts(languages: tuple[str, ...]) -> list[str]:
    named = [script for script, codes in _SCRIPTS.items() if not set(languages).isdisjoint(codes.split())]
    latin = [code for code in languages if all(code not in codes.split() for codes in _SCRIPTS.values())]
    return [*(["Latin"] if latin else []), *named]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # takes a second

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _other(text: str, languages: tuple[str, ...]) -> str:
    """The likeliest language and its probability where it is none of these; else ""."""
    ranked = _identifier().rank(text)
    share = sum(probability for code, probability in ranked if code in languages)
    best, probability = ranked[0]
    return f"{best} ({probability:.0%} sure)" if share < LEAST else ""


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"language": language}
