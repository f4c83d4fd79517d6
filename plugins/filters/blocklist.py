"""A filter: words that must not go out under the owner's name, also in disguise.

Two levels. In strict form (case, width, marks, invisible and look-alike characters undone) a word that stands
by itself vetoes. What only seems to hide one asks for a person and says which word and how: letters set
apart, repeated, replaced by digits and signs, masked, left out, reversed, swapped, spelled by sound, or the
word within another. The words come from a dependency's dictionaries and from the owner; none stands here.
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
RESPELLED = 4  # letters: shorter words, spelled otherwise, are others

T = TypeVar("T")
Search: TypeAlias = Callable[[str], Iterator[tuple[int, tuple[str, T]]]]
Look: TypeAlias = Callable[[str], str | None]  # at a strict form, for the blocked word in it


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
    in_plain, disguises = _search(blocked), _disguises(blocked)

    def judge(candidate: Candidate, context: FilterContext) -> Candidate:
        forms = _strict_forms(candidate.text)
        for form in forms:
            if word := next(_whole_words(form, in_plain), None):
                raise Reject(f"has the blocked word {word!r}")
        for form in (*forms, _strict_form(_HUMP.sub(" ", candidate.text))):
            for disguise, look in disguises.items():
                if word := look(form):
                    raise Ask(f"seems to hide the blocked word {word!r}: {disguise}")
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


# The strict form: what readers take for the same letter is the same letter.

_INVISIBLE = regex.compile(
    r"[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u0640]"
)  # and what stretches Arabic
_VOICING = "\u3099\u309a"  # make another letter of a kana
_ORNAMENT = regex.compile(
    rf"[[\p{{Mn}}\p{{Me}}]&&[\p{{Zinh}}\p{{Common}}\p{{Latin}}\p{{Greek}}\p{{Cyrillic}}\p{{Arabic}}\p{{Hebrew}}]"
    rf"--[{_VOICING}]]",
    regex.VERSION1,
)
_LATIN_VARIANT = regex.compile(
    r".*\b(?:LATIN|REGIONAL INDICATOR|MODIFIER)\b.* LETTER (?:[A-Z ]+ )?([A-Z])(?: WITH .*)?"
)
_TALL = regex.compile(r"(?<=\p{Ll})I")
_HUMP = regex.compile(r"(?<=\p{Ll})(?=\p{Lu})")  # of a camel
# What readers take for a Latin letter though Unicode's list of confusables does not say so; and letters that
# Arabic and Persian keyboards write differently.
_ALSO_ALIKE = dict(zip("пшцηωғһҽəکیىةہھ", "nwunwfheeكييههه", strict=True))


class _Letters(dict[int, str]):
    """Code point -> what stands for it in strict forms; each is looked up once."""

    def __missing__(self, code: int) -> str:
        self[code] = _letter(chr(code))
        return self[code]


def _letter(character: str) -> str:
    """The Latin letter that a character looks like or is a variant of, else itself."""
    if character.isascii():
        return character
    if character in _ALSO_ALIKE:
        return _ALSO_ALIKE[character]
    if variant := _LATIN_VARIANT.fullmatch(unicodedata.name(character, "")):
        return str(variant[1])
    return next(_latin_look_alikes(character), character)


def _latin_look_alikes(character: str) -> Iterator[str]:
    """Of the character, then of its capital; by Unicode's list of confusables."""
    from confusable_homoglyphs.confusables import is_confusable  # reads a megabyte

    for case in filter(lambda case: len(case) == 1, (character, character.upper())):
        for found in is_confusable(case, greedy=True) or ():
            for alike in found["homoglyphs"]:
                if regex.fullmatch("[A-Za-z]", alike["c"]):
                    yield alike["c"]


_LETTERS = _Letters()


def _strict_form(text: str) -> str:
    """NFKC, casefold, no invisible characters, no ornamental marks, look-alikes as Latin letters."""
    return _alike(_bare(text).casefold())


def _strict_forms(text: str) -> tuple[str, ...]:
    """The strict form, and one by case: Η is like H and η like n, and I amid small letters like l."""
    bare = _bare(text)
    by_case = _TALL.sub("l", bare).translate(_LETTERS)
    return tuple(dict.fromkeys((_alike(bare.casefold()), _alike(by_case.casefold()))))


def _bare(text: str) -> str:
    """No invisible characters, no variants of letters, no ornamental marks."""
    seen = _VARIANT.sub(lambda found: _letter(found[0]), _INVISIBLE.sub("", text))
    decomposed = unicodedata.normalize("NFKD", _INVISIBLE.sub("", unicodedata.normalize("NFKC", seen)))
    composed = unicodedata.normalize("NFC", _ORNAMENT.sub("", decomposed))
    return composed.translate(dict.fromkeys(map(ord, _VOICING)))


_VARIANT = regex.compile(r"\p{So}")  # enclosed letters: NFKC leaves some as they are, others in brackets


def _alike(folded: str) -> str:
    return " ".join(unicodedata.normalize("NFC", folded).translate(_LETTERS).casefold().split())


# What stands in the text as it is

_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]")  # no space between words
_HAN = regex.compile(r"\p{Han}")


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


def _is_letter(character: str) -> bool:
    """Or a digit, or the sign of a vowel."""
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")


def _whole_words(form: str, search: Search[str]) -> Iterator[str]:
    """The blocked words that stand in a strict form by themselves, where words are set apart."""
    padded = f" {form} "
    for end, (found, word) in search(form):
        joins = _UNSPACED.search if _UNSPACED.search(found) else _is_letter
        if _tells(found) or not any(map(joins, (padded[end - len(found) + 1], padded[end + 2]))):
            yield word


def _tells(word: str) -> bool:
    """Whether it is hardly a part of another where no space is between words: two of Han, or four letters."""
    return bool(_UNSPACED.search(word)) and (len(word) >= 4 or len(_HAN.findall(word)) >= 2)


# What may be a disguise


def _tables() -> Iterator[dict[int, str]]:
    """What digits and signs stand for, which depends on who writes; з and ч are what shares their digits."""
    pairs = "4a @a 8b 3e €e 9g 6g !i |l 1i 0o 5s $s §s 7t +t 2z ¢c (c <c {c [c #h £l ¥y ¡i"
    latin, cyrillic = dict(pairs.split()), "0o 3e зe 4a чa @a 6б 8b 1и !и |и $c €e"
    for others in ("", "1l 6b 9q", "1l !l |i"):
        yield str.maketrans(latin | dict(others.split()))
    yield str.maketrans(dict(cyrillic.split()))


_LEET = tuple(_tables())
_LEET_SIGN = regex.compile(r"[\d@€!|$§+¢(<{\[#£¥¡/\\]")
_SEVERAL = {"|<": "k", "|{": "k", "()": "o", "|-|": "h", "|_|": "u", "\\/": "v", "/\\": "a", "|)": "d"}
_PUNCTUATION = regex.compile(r"(?<![!|+(<{\[#])[!|+(<{\[#]++(?=\s|$)")  # perhaps no letter, for none follows
_SIGNS = regex.compile(r"[^\p{L}\p{M}\s]+")
_APOSTROPHE = dict.fromkeys(map(ord, "'’"))
_KANA = {code: chr(code - 0x60) for code in range(0x30A1, 0x30F7)} | dict.fromkeys(map(ord, "ー〜~"))


def _disguises(blocked: Mapping[str, str]) -> dict[str, Look]:
    """Each disguise in words, with what sees through it."""
    return {
        "letters set apart, repeated or replaced, or the word within another": _hidden(blocked),
        "letters masked": _masked(blocked),
        "vowels left out": _respelled(blocked, _without_vowels),
        "spelled backwards": _respelled(blocked, _backwards),
        "letters swapped": _respelled(blocked, _swapped),
        "spelled by sound": _by_sound(blocked),
    }


def _readings(form: str, of_a_word: bool = False) -> Iterator[str]:
    """A strict form's letters alone, and if it has any digits or signs in it, with these as letters."""
    spelled = form.translate(_KANA | _APOSTROPHE)
    signs = bool(_LEET_SIGN.search(spelled))
    if not (signs and of_a_word):
        yield _SIGNS.sub(" ", spelled)
    if signs or of_a_word:
        for several, letter in _SEVERAL.items():
            spelled = spelled.replace(several, letter)
        for read in dict.fromkeys((_PUNCTUATION.sub(" ", spelled), spelled)):
            yield from (read.translate(leet) for leet in _LEET)


class _Squeezed(NamedTuple):
    """A text's letters, each run of equal ones as one; a run may end a word and begin the next."""

    letters: str
    runs: tuple[int, ...]
    opens: tuple[int, ...]  # how many of its letters a word begins with, 0 if none
    closes: tuple[int, ...]  # how many a word ends with
    ends: tuple[bool, ...]  # a word ends with all of it


class _Meaning(NamedTuple):
    """Whom squeezed letters may spell: a blocked word with such runs; `within` also inside another word."""

    runs: tuple[int, ...]
    word: str
    within: bool
    unspaced: bool


def _squeeze(reading: str) -> _Squeezed:
    spelled = f" {reading} "
    letters = [
        (letter, not _is_letter(spelled[i - 1]), not _is_letter(spelled[i + 1]))
        for i, letter in enumerate(spelled)
        if _is_letter(letter)
    ]
    runs = [list(run) for _, run in groupby(letters, key=lambda letter: letter[0])]
    return _Squeezed(
        letters="".join(run[0][0] for run in runs),
        runs=tuple(map(len, runs)),
        opens=tuple(_last(opens for _, opens, _ in reversed(run)) for run in runs),
        closes=tuple(_last(closes for _, _, closes in run) for run in runs),
        ends=tuple(run[-1][2] for run in runs),
    )


def _last(flags: Iterable[bool]) -> int:
    """Where the last is that is set, counted from 1; 0 if none is."""
    return max((place for place, flag in enumerate(flags, 1) if flag), default=0)


def _hidden(blocked: Mapping[str, str]) -> Look:
    """Looks for the letters of a word in their order, whatever stands between them."""
    hideable: dict[str, set[_Meaning]] = {}
    for form, word in blocked.items():
        for letters, meaning in _meanings(form, word):
            hideable.setdefault(letters, set()).add(meaning)
    search = _search(hideable)
    amid = _search({form: word for form, word in blocked.items() if _UNSPACED.search(form)})

    def look(form: str) -> str | None:
        for reading in dict.fromkeys(_readings(form)):
            if word := next(_hidden_words(_squeeze(reading), search), None):
                return word
        return next((word for _, (_, word) in amid(form)), None)

    return look


def _meanings(form: str, word: str) -> Iterator[tuple[str, _Meaning]]:
    """A blocked word and its inflected forms squeezed, if long enough to be no accident."""
    shortest = 2 if _UNSPACED.search(form) else SPACED_OUT
    unspaced = bool(_HAN.search(form) or (_UNSPACED.search(form) and len(form) >= SPACED_OUT))
    for spelled in (form, *_inflected(form, word)):
        for reading in _readings(spelled, of_a_word=True):
            letters, runs, *_ = _squeeze(reading)
            if sum(runs) >= shortest:
                within = spelled == form and sum(runs) >= INSIDE
                yield letters, _Meaning(runs, word, within, unspaced)


def _hidden_words(text: _Squeezed, search: Search[set[_Meaning]]) -> Iterator[str]:
    """The blocked words spelled by whole words of the text, or if long enough within one of them."""
    for end, (letters, meanings) in search(text.letters):
        start = end - len(letters) + 1
        words = [meaning.word for meaning in meanings if _stands(meaning, text, start, end)]
        yield from sorted(words, key=_spelled_out)


def _spelled_out(word: str) -> tuple[bool, str]:
    """To name a word as it is, not as one of a dictionary's own disguises of it."""
    return not word.replace(" ", "").isalpha(), word


def _stands(meaning: _Meaning, text: _Squeezed, start: int, end: int) -> bool:
    """Whether a word with these runs is what a reader sees between two places of the text."""
    runs = list(text.runs[start : end + 1])
    if not all(map(ge, runs, meaning.runs)):
        return False
    if opens := text.opens[start] >= meaning.runs[0]:
        runs[0] = text.opens[start]
    if closes := text.closes[end] >= meaning.runs[-1]:
        runs[-1] = text.closes[end]
    in_one, apart = not any(text.ends[start:end]), all(text.ends[start:end])
    if meaning.unspaced or (opens and closes and (in_one or apart)):
        return True
    drawn_out = all(has == needs or has > 2 for has, needs in zip(runs, meaning.runs, strict=True))
    placed = opens and closes if not in_one else opens or closes or sum(meaning.runs) > INSIDE
    return drawn_out and placed and (meaning.within or not in_one)


_ENDINGS = "s es ed ing"
_CASES = "а у ы и е о ю я ом ой ою ам ами ах ов ей ем ям ями ях ие ая ый ий"
_STEM = regex.compile(r"(?<=\w{3})[аяоеёийыуюь]$")


def _inflected(form: str, word: str) -> Iterator[str]:
    """Short words with endings, or an article; long ones are found within others anyhow."""
    if len(form) >= INSIDE:
        return
    if regex.fullmatch(r"\p{Latin}+", word):
        yield from (form + ending for ending in _ENDINGS.split())
    if regex.fullmatch(r"\p{Cyrillic}+", word):
        yield from (_strict_form(_STEM.sub("", word.lower()) + ending) for ending in _CASES.split())
    if regex.fullmatch(r"\p{Arabic}+", word):
        yield _strict_form(f"ال{word}")


def _masked(blocked: Mapping[str, str]) -> Look:
    """Looks for words with signs or digits in the place of letters."""
    by_letter: dict[str, list[tuple[str, str]]] = {}
    for form, word in blocked.items():
        if form.isalpha() and len(form) >= SPACED_OUT:
            by_letter.setdefault(form[0], []).append((form, word))

    def look(form: str) -> str | None:
        for token in (bare for written in form.split() for bare in _without_punctuation(written)):
            if _shows(token):
                for masked, word in by_letter.get(token[0], ()):
                    if _may_be(token, masked):
                        return word
        return None

    return look


_AROUND = regex.compile(r"^[^\w*]+|(?<![^\w*])[^\w*]++$")
_BEHIND = regex.compile(r"^[^\w*]+|(?<![.,;:?!)\]}»”’\"'])[.,;:?!)\]}»”’\"']++$")
_MASK = regex.compile(r"[*#@$_-]")


def _without_punctuation(token: str) -> tuple[str, str]:
    """Nothing about it but stars, and with what may be masks at its end."""
    return _AROUND.sub("", token), _BEHIND.sub("", token)


def _shows(token: str) -> bool:
    """Whether it masks letters, and shows enough of them."""
    letters = sum(map(str.isalpha, token))
    shortest = SPACED_OUT if _MASK.search(token) else RESPELLED
    return shortest <= len(token) and letters < len(token) and (letters * 2 >= len(token) or "*" in token)


def _may_be(token: str, word: str) -> bool:
    """Each sign for one letter, or one row of stars for any number."""
    opening, stars, rest = token.partition("*")
    ending = rest.lstrip("*")
    in_one_row = stars and "*" not in ending and 1 < len(opening + ending) < len(word)
    if in_one_row and word.startswith(opening) and word.endswith(ending):
        return True
    return len(token) == len(word) and all(
        a == b or not a.isalpha() for a, b in zip(token, word, strict=True)
    )


def _respelled(blocked: Mapping[str, str], spell: Callable[[str], Iterable[str]]) -> Look:
    """Looks for words of the text that are a blocked word spelled otherwise. spell: a word in other ways."""
    spelled = {
        form: word
        for known, word in reversed(blocked.items())
        if len(known) >= RESPELLED and known.isalpha()
        for way in spell(word.casefold())
        if len(form := _strict_form(way)) >= SPACED_OUT and form != known
    }

    def look(form: str) -> str | None:
        return next((spelled[token] for token in _TOKEN.findall(form) if token in spelled), None)

    return look


_TOKEN = regex.compile(r"\w+")
_VOWELS = regex.compile(r"(?!и\u0306)[aeiouаеиоуыэюя]\p{Mn}*")
_SOUNDS = {
    "ph": "f",
    "ck": "k",
    "c": "k",
    "kk": "k",
    "q": "k",
    "x": "ks",
    "z": "s",
    "y": "i",
    "w": "u",
    "v": "u",
}


def _without_vowels(word: str) -> Iterator[str]:
    letters = unicodedata.normalize("NFD", word)
    yield _VOWELS.sub("", letters)
    yield letters[0] + _VOWELS.sub("", letters[1:])


def _backwards(word: str) -> Iterator[str]:
    yield word[::-1]


def _swapped(word: str) -> Iterator[str]:
    for i in range(len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _by_sound(blocked: Mapping[str, str]) -> Look:
    """Looks for words of the text that sound like a blocked one, roughly and in English."""
    sounds = {
        _sound(form): word for form, word in blocked.items() if len(form) >= RESPELLED and form.isalpha()
    }

    def look(form: str) -> str | None:
        heard = map(_sound, _TOKEN.findall(form))
        return next((sounds[sound] for sound in heard if len(sound) >= SPACED_OUT and sound in sounds), None)

    return look


def _sound(form: str) -> str:
    for letters, sound in _SOUNDS.items():
        form = form.replace(letters, sound)
    return form


@hookimpl
def register_filters() -> dict[str, Callable[..., Filter]]:
    return {"blocklist": blocklist}
