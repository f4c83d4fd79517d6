"""Whether a habit of a batch comes of what was asked for: a prefix, or a constraint that leaves few letters.

It knows texts, and of what was asked only whether a text is so.
"""

from collections.abc import Callable, Iterable, Iterator

from bot.curation.habits import WORD, Kind

Asked = Callable[[str], bool]  # whether a text is as was asked for

SHIFTS = (1, 7, 13)  # letters further in the alphabet


def forced(kind: Kind, sampled: Iterable[tuple[str, Asked]]) -> bool:
    """Whether most of these texts could not have other letters where habits of this kind are.

    sampled: each text as it was sampled, with what was asked for.
    """
    tried = [asked(other) for text, asked in sampled if asked(text) for other in _others(text, kind)]
    return sum(tried) < len(tried) / 2


def _others(text: str, kind: Kind) -> Iterator[str]:
    """The text with other letters in its first word, or in its last."""
    words = list(WORD.finditer(text))
    if words:
        start, end = (words[0] if kind == "begins with" else words[-1]).span()
        for shift in SHIFTS:
            yield text[:start] + "".join(_later(letter, shift) for letter in text[start:end]) + text[end:]


def _later(letter: str, shift: int) -> str:
    """Another letter of its alphabet and case."""
    first = "A" if letter.isupper() else "a"
    if letter.isascii() and letter.isalpha():
        return chr(ord(first) + (ord(letter) - ord(first) + shift) % 26)
    later = chr(ord(letter) + shift)
    return later if later.isalpha() and later.isupper() == letter.isupper() else letter
