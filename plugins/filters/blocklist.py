"""A filter: words that must not go out under the owner's name, also in disguise.

Two levels. In strict form (case, width, marks, invisible and look-alike characters undone) a whole word
vetoes. In squeezed form (letters alone, leet read as letters, repeats ignored) a likely hit asks
for a person. The words come from a declared dependency's dictionaries and from the owner; none stands here.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import ge
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import regex

from bot import Ask, BotError, Candidate, Filter, FilterContext, Reject, hookimpl, read_lines

SPACED_OUT = 3  # letters: shorter words are spelled by accident where spaces are ignored
INSIDE = 5  # letters: shorter words stand inside too many innocent ones

T = TypeVar("T")
Search: TypeAlias = Callable[[str], Iterator[tuple[int, tuple[str, T]]]]
Meanings: TypeAlias = list[tuple[tuple[int, ...], str]]


def blocklist(
    path: Path | None = None,
    words: tuple[str, ...] = (),
    languages: tuple[str, ...] = ("english",),
    allow: tuple[str, ...] = (),
) -> Filter:
    """Reject a text with a blocked word in it, ask about one that seems to hide one.

    path: the owner's file, one word or phrase a line, lines with # are notes. words: more of them.
    languages: dictionaries of glin-profanity. allow: their words that are welcome here.
    """
    chosen = [*_dictionaries(languages, allow), *(_owners(path) if path else ()), *words]
    blocked = {form: word for word in chosen if (form := _strict_form(word))}
    if not blocked:
        raise BotError("it blocks nothing: give it `path`, `words` or `languages`")
    in_plain, in_disguise = _search(blocked), _search(_hideable(blocked))

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        form = _strict_form(candidate.text)
        if word := next(_whole_words(form, in_plain), None):
            raise Reject(f"has the blocked word {word!r}")
        if word := next(_hidden_words(_squeeze(form), in_disguise), None):
            raise Ask(f"seems to hide the blocked word {word!r}")
        return candidate

    return judge


def _dictionaries(languages: Iterable[str], allow: Iterable[str]) -> list[str]:
    from glin_profanity.data.dictionary import DictionaryLoader  # takes a tenth of a second

    loader = DictionaryLoader()
    for language in languages:
        if language not in loader.available_languages:
            raise BotError(
                f"no dictionary is called {language!r} (have {', '.join(loader.available_languages)})"
            )
    welcome = {_strict_form(word) for word in allow}
    words = [word for language in languages for word in loader.get_words(language)]
    return [word for word in words if _strict_form(word) not in welcome]


def _owners(path: Path) -> list[str]:
    lines = (line.strip() for line in read_lines(path))
    return [line for line in lines if line and not line.startswith("#")]


# Letters, casefolded, that readers take for a Latin one.
_ALIKE = {
    "a": "аαɑᴀ", "b": "вβʙ", "c": "сϲᴄ", "d": "ԁđᴅ", "e": "еεҽᴇ", "f": "ғꜰ", "g": "ɡɢ", "h": "нһħʜ",
    "i": "іιıɪ", "j": "јϳᴊ", "k": "кκᴋ", "l": "ӏłʟ", "m": "мᴍ", "n": "ηпɴ", "o": "оοøσᴏ",
    "p": "рρᴘ", "q": "ԛ", "r": "гʀ", "s": "ѕꜱ", "t": "тτᴛ", "u": "υцᴜ",
    "v": "νѵᴠ", "w": "ԝωшᴡ", "x": "хχ", "y": "уγүʏ", "z": "ᴢ",
}  # fmt: skip
_LOOK_ALIKES = str.maketrans({alike: letter for letter, alikes in _ALIKE.items() for alike in alikes})
_INVISIBLE = regex.compile(r"[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]")
_ORNAMENT = regex.compile(
    r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Common}])[\p{Mn}\p{Me}]+"
)


def _strict_form(text: str) -> str:
    """NFKC, casefold, no invisible characters, no ornamental marks, look-alikes as Latin letters."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold())
    bare = _ORNAMENT.sub("", unicodedata.normalize("NFD", folded))
    return " ".join(unicodedata.normalize("NFC", bare).translate(_LOOK_ALIKES).split())


class _Squeezed(NamedTuple):
    """A text's letters, each run of equal ones as one, and of each run its length and its place in a word."""

    letters: str
    runs: tuple[int, ...]
    opens: tuple[bool, ...]  # a word begins with it
    closes: tuple[bool, ...]  # a word ends with it


_LEET = str.maketrans("4@8(3€9!|1l05$7+", "aabceegiiiiosstt")  # l becomes i too: 1 stands for both
_PUNCTUATION = regex.compile(r"[!|+(](?!\w)")  # no letter follows, so it is none


def _squeeze(form: str) -> _Squeezed:
    """The squeezed form of a strict form."""
    spelled = f" {_PUNCTUATION.sub(' ', form).translate(_LEET)} "
    letters = [
        (letter, not spelled[i - 1].isalnum(), not spelled[i + 1].isalnum())
        for i, letter in enumerate(spelled)
        if letter.isalnum()
    ]
    runs = [list(run) for _, run in groupby(letters, key=lambda letter: letter[0])]
    return _Squeezed(
        letters="".join(run[0][0] for run in runs),
        runs=tuple(len(run) for run in runs),
        opens=tuple(run[0][1] for run in runs),
        closes=tuple(run[-1][2] for run in runs),
    )


def _search(forms: Mapping[str, T]) -> Search[T]:
    """Finds all forms in one walk over a text (Aho and Corasick 1975): where each ends, itself, its value."""
    if not forms:
        return lambda text: iter(())
    from ahocorasick import Automaton

    automaton = Automaton()
    for form, value in forms.items():
        automaton.add_word(form, (form, value))
    automaton.make_automaton()
    found: Search[T] = automaton.iter
    return found


_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]")  # no space between words


def _whole_words(form: str, search: Search[str]) -> Iterator[str]:
    """The blocked words that stand in a strict form with no letter or digit on either side."""
    padded = f" {form} "
    for end, (found, word) in search(form):
        neighbours = padded[end - len(found) + 1] + padded[end + 2]
        if _UNSPACED.search(found) or not any(map(str.isalnum, neighbours)):
            yield word


def _hideable(blocked: Mapping[str, str]) -> dict[str, Meanings]:
    """Squeezed letters -> the runs and the words behind them."""
    hideable: dict[str, Meanings] = {}
    for form, word in blocked.items():
        squeezed = _squeeze(form)
        if sum(squeezed.runs) >= SPACED_OUT:
            hideable.setdefault(squeezed.letters, []).append((squeezed.runs, word))
    return hideable


def _hidden_words(text: _Squeezed, search: Search[Meanings]) -> Iterator[str]:
    """The blocked words spelled by whole words of the text, or if long enough within one of them."""
    for end, (letters, meanings) in search(text.letters):
        start = end - len(letters) + 1
        whole = text.opens[start] and text.closes[end]
        within = not any(text.closes[start:end])
        for runs, word in meanings:
            long_enough = all(map(ge, text.runs[start : end + 1], runs))
            if long_enough and (whole or (within and sum(runs) >= INSIDE)):
                yield word


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"blocklist": blocklist}
