"""Twenty-three ways in which people hide a word from a filter and show it to a reader.

Each takes a word and a source of chance and gives the disguised word, or None where the disguise has no
meaning for its script: letters without case have no mixed case. They know no blocklist; look-alikes and
digits are chosen by eye, not by any table of the filter.
"""

import unicodedata
from collections.abc import Callable
from random import Random

import regex

Disguise = Callable[[str, Random], str | None]

SCRIPTS = {
    "Latin": regex.compile(r"\p{Latin}"),
    "Cyrillic": regex.compile(r"\p{Cyrillic}"),
    "Han, Kana": regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]"),
    "Arabic": regex.compile(r"\p{Arabic}"),
}
ALIKE = {
    "Latin": [
        dict(zip("aceijopsxybhkmtu", "асеіјорѕхуьһкмтυ", strict=True)),
        dict(zip("aeiknoptuvxy", "αεικηορτυνχγ", strict=True)),
    ],
    "Cyrillic": [dict(zip("асеорхукмт", "aceopxykmt", strict=True))],
    "Arabic": [dict(zip("كيه", "کیہ", strict=True))],
}
DIGITS = {
    "Latin": dict(zip("aeiostbg", "43105789", strict=True)),
    "Cyrillic": dict(zip("абзочв", "463048", strict=True)),
}
SIGNS = {
    "Latin": dict(zip("aisctl", "@!$(+|", strict=True)),
    "Cyrillic": dict(zip("асеi", "@$€!", strict=True)),
}
VOWELS = {"Latin": "aeiou", "Cyrillic": "аеиоуыэюяё"}
SOUNDS = [("ck", "k"), ("ph", "f"), ("f", "ph"), ("c", "k"), ("s", "z"), ("u", "v")]


def script(word: str) -> str:
    """The script of most letters, "" if it is none of ours."""
    return max(SCRIPTS, key=lambda name: len(SCRIPTS[name].findall(word)))


def has_case(word: str) -> bool:
    return word.lower() != word.upper()


def mixed_case(word: str, chance: Random) -> str | None:
    mixed = "".join(chance.choice((letter.lower(), letter.upper())) for letter in word)
    return mixed if has_case(word) else None


def width(word: str, chance: Random) -> str | None:
    """Full-width Latin letters; half-width Katakana."""
    if script(word) == "Han, Kana":
        return changed(word, "".join(HALF.get(letter, letter) for letter in word))
    return changed(
        word, "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in word)
    )


def _half_widths() -> dict[str, str]:
    halves = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF66, 0xFF9E)}
    voiced = {
        unicodedata.normalize("NFKC", half + mark): half + mark for half in halves.values() for mark in "ﾞﾟ"
    }
    return {full: half for full, half in (halves | voiced).items() if len(full) == 1}


HALF = _half_widths()


def mathematical(word: str, chance: Random) -> str | None:
    """Bold, script, fraktur, sans-serif, monospace; Arabic presentation forms."""
    if script(word) == "Arabic":
        return changed(word, "".join(chance.choice(PRESENTED.get(letter, letter)) for letter in word))
    start = chance.choice((0x1D41A, 0x1D4D0 + 26, 0x1D56C + 26, 0x1D5BA, 0x1D68A))
    return changed(
        word, "".join(chr(start + ord(letter) - 97) if "a" <= letter <= "z" else letter for letter in word)
    )


def _presented() -> dict[str, list[str]]:
    forms: dict[str, list[str]] = {}
    for code in range(0xFE80, 0xFEF5):
        forms.setdefault(unicodedata.normalize("NFKC", chr(code)), []).append(chr(code))
    return forms


PRESENTED = _presented()


def enclosed(word: str, chance: Random) -> str | None:
    """Circled, parenthesized, or white on black; circled Katakana."""
    start = chance.choice((0x24D0, 0x249C, 0x1F150, 0x1F170, 0x1F1E6))
    latin = {chr(97 + i): chr(start + i) for i in range(26)}
    kana = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0x32D0, 0x32FF)}
    return changed(word, "".join((latin | kana).get(letter, letter) for letter in word))


def small_capitals(word: str, chance: Random) -> str | None:
    capitals = dict(zip("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", strict=True))
    return changed(word, "".join(capitals.get(letter, letter) for letter in word))


def look_alikes(word: str, chance: Random) -> str | None:
    """Letters of another script; Hiragana for Katakana and the other way round."""
    if script(word) == "Han, Kana":
        return changed(word, "".join(OTHER_KANA.get(letter, letter) for letter in word))
    table = chance.choice(ALIKE[script(word)])
    return changed(word, "".join(table.get(letter, letter) for letter in word))


HIRAGANA = {chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)}
OTHER_KANA = HIRAGANA | {katakana: hiragana for hiragana, katakana in HIRAGANA.items()}


def joined_by(*between: str) -> Disguise:
    def disguise(word: str, chance: Random) -> str | None:
        return chance.choice(between).join(word) if len(word) > 1 else None

    return disguise


def in_bidi_controls(word: str, chance: Random) -> str | None:
    opening, closing = chance.choice((("\u202a", "\u202c"), ("\u2066", "\u2069"), ("\u200f", "\u200e")))
    middle = max(1, len(word) // 2)
    return f"{opening}{word[:middle]}{closing}{opening}{word[middle:]}{closing}"


def with_marks(word: str, chance: Random) -> str | None:
    """Zalgo."""
    return "".join(
        letter + "".join(chance.choices("\u0301\u0316\u0321\u0337\u0353\u0489", k=3)) for letter in word
    )


def accented(word: str, chance: Random) -> str | None:
    """Accents on vowels; the short vowels of Arabic."""
    if script(word) == "Arabic":
        return "".join(letter + chance.choice("\u064e\u064f\u0650\u0651") for letter in word)
    marks = {vowel: chance.choice("\u0300\u0301\u0302\u0308") for vowel in VOWELS.get(script(word), "")}
    return changed(
        word, unicodedata.normalize("NFC", "".join(letter + marks.get(letter, "") for letter in word))
    )


def repeated(word: str, chance: Random) -> str | None:
    """One letter drawn out, or all doubled; Arabic stretched, Kana lengthened."""
    if script(word) == "Arabic":
        return "\u0640\u0640".join(word) if len(word) > 1 else None
    if chance.random() < 0.5:
        return "".join(letter * 2 for letter in word)
    place = chance.randrange(len(word))
    return word[: place + 1] + word[place] * 3 + word[place + 1 :]


def replaced_by(tables: dict[str, dict[str, str]], share: float = 1.0) -> Disguise:
    def disguise(word: str, chance: Random) -> str | None:
        table = tables.get(script(word), {})
        return changed(
            word, "".join(table.get(letter, letter) if chance.random() < share else letter for letter in word)
        )

    return disguise


def replaced_and_spaced(word: str, chance: Random) -> str | None:
    replaced = replaced_by(DIGITS, 0.5)(word, chance)
    return " ".join(replaced) if replaced else None


def starred(word: str, chance: Random) -> str | None:
    """The vowels within, or the first of them."""
    vowels = VOWELS.get(script(word), "")
    inner = [place for place in range(1, len(word)) if _base(word[place]) in vowels]
    places = chance.choice((inner, inner[:1]))
    sign = chance.choice("**#@-")
    return changed(word, "".join(sign if place in places else letter for place, letter in enumerate(word)))


def vowels_left_out(word: str, chance: Random) -> str | None:
    vowels = VOWELS.get(script(word), "")
    bare = word[0] + "".join(letter for letter in word[1:] if _base(letter) not in vowels)
    return changed(word, bare) if len(bare) > 2 else None


def _base(letter: str) -> str:
    """Without its accent."""
    return letter if letter == "й" else unicodedata.normalize("NFD", letter)[0]


def by_sound(word: str, chance: Random) -> str | None:
    possible = [word.replace(*pair) for pair in SOUNDS if pair[0] in word]
    return (
        changed(word, chance.choice(possible))
        if possible and len(word) > 3 and script(word) == "Latin"
        else None
    )


def backwards(word: str, chance: Random) -> str | None:
    return changed(word, word[::-1]) if len(word) > 3 and has_case(word) else None


def swapped(word: str, chance: Random) -> str | None:
    if len(word) < 4 or not has_case(word):
        return None
    place = chance.randrange(1, len(word) - 2)
    return changed(word, word[:place] + word[place + 1] + word[place] + word[place + 2 :])


def broken(word: str, chance: Random) -> str | None:
    """Halves on two lines, or with a hyphen."""
    middle = max(1, len(word) // 2)
    return word[:middle] + chance.choice(("-\n", "\n", "-", "- ")) + word[middle:] if len(word) > 1 else None


def in_plural(word: str, chance: Random) -> str | None:
    if script(word) == "Latin":
        return word + "'" * chance.randrange(2) + "s"
    return word + chance.choice("ыи") if script(word) == "Cyrillic" and word[-1] not in "аяоеьйиыую" else None


def changed(word: str, disguised: str) -> str | None:
    """A disguise that changes nothing is none."""
    return disguised if disguised != word else None


DISGUISES: dict[str, Disguise] = {
    "mIxEd case": mixed_case,
    "full or half width": width,
    "mathematical, presentation forms": mathematical,
    "enclosed letters": enclosed,
    "small capitals": small_capitals,
    "look-alikes of another script": look_alikes,
    "zero-width inside": joined_by("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"),
    "in bidi controls": in_bidi_controls,
    "stacked marks": with_marks,
    "accents": accented,
    "l e t t e r s  s p a c e d": joined_by(" ", "  ", "\u00a0"),
    "d.o.t.t.e.d, d-a-s-h-e-d": joined_by(".", "-", "_", "·", "*", " . "),
    "repeeeated letters": repeated,
    "d1g1ts for letters": replaced_by(DIGITS),
    "$igns for letters": replaced_by(SIGNS),
    "digits and spaces": replaced_and_spaced,
    "v*wels masked": starred,
    "broken in halves": broken,
    "vwls lft out": vowels_left_out,
    "bye sownd": by_sound,
    "backwards": backwards,
    "swapped lettres": swapped,
    "plurals": in_plural,
}
