"""A text cut into pieces that a template can show: what is invisible by its name, what is copied by its heat.

Pure. Nothing is interpreted: a piece is text, and the template escapes it.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from bot.records import Evidence

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that draw nothing
SHORTEST = 3  # characters in a row that stand in the nearest item too
LONGEST = 2000  # characters of a text that is compared with its nearest item


@dataclass(frozen=True)
class Piece:
    """heat: "copied" (the longest stretch that is in the corpus), "near" (also in the nearest item) or "".

    name: of a character that cannot be seen, whose text is its code point then.
    """

    text: str
    heat: str = ""
    name: str = ""


def pieces(text: str, evidence: Evidence | None = None) -> list[Piece]:
    heats = _heats(text, evidence)
    marked = [(heats[at], _name(character), character) for at, character in enumerate(text)]
    found: list[Piece] = []
    for (heat, name), run in groupby(marked, key=lambda one: one[:2]):
        characters = [character for _, _, character in run]
        if name:
            found += [Piece(f"U+{ord(character):04X}", heat, name) for character in characters]
        else:
            found.append(Piece("".join(characters), heat))
    return found


def is_plain(text: str) -> bool:
    """Whether all of it can be seen."""
    return not any(_name(character) for character in text)


def _name(character: str) -> str:
    """Of a character that cannot be seen or told from a space, "" for all others."""
    if character in " \n":
        return ""
    category = unicodedata.category(character)
    if category in INVISIBLE or category == "Zs" or character in BLANK or _selects(character):
        return unicodedata.name(character, "a character without a name").lower()
    return ""


def _selects(character: str) -> bool:
    """Whether it is a variation selector: it draws nothing, and can carry anything."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _heats(text: str, evidence: Evidence | None) -> list[str]:
    heats = [""] * len(text)
    if evidence is None:
        return heats
    for start, end in _shared(text, evidence):
        heats[start:end] = ["near"] * (end - start)
    if copied := evidence.copied:
        end = min(len(text), copied.start + len(copied.text))
        heats[copied.start : end] = ["copied"] * (end - copied.start)
    return heats


def _shared(text: str, evidence: Evidence) -> Iterator[tuple[int, int]]:
    """The stretches that the nearest item has too, in the same order."""
    item = evidence.nearest and evidence.nearest.item
    if not item or len(text) > LONGEST or len(item) > LONGEST:
        return
    for block in SequenceMatcher(
        None, text.casefold(), item.casefold(), autojunk=False
    ).get_matching_blocks():
        if block.size >= SHORTEST and len(text.casefold()) == len(text):
            yield block.a, block.a + block.size
