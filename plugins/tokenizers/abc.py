"""A tokenizer of tunes in ABC notation: a header line, a note with its length, a bar line are one token each.

What is not ABC is taken sign by sign, so any text can be split.
"""

from collections.abc import Sequence

import regex

from bot import abc_notation, hookimpl

FIELD = r"^[A-Za-z]:[ \t]*"  # a header's letter; what it says follows, in one token where it is short of ways
SAID = r"(?<=^[MLK]:[ \t]*)[^\n]+"
TOKEN = regex.compile(
    rf"{FIELD}|{SAID}|{abc_notation.TUPLET}|{abc_notation.BAR}(?:\[?[1-4])?|\[[1-4](?![\d:])"
    rf"|(?:{abc_notation.PITCH}|[zx]){abc_notation.LENGTH}|[<>]{{1,3}}|\n|.",
    regex.MULTILINE | regex.DOTALL,
)


class Abc:
    """`M:3/4`, `K:Dmin`, `d2`, `|:` are learned as units; titles letter by letter. Nothing is lost."""

    vocabulary_size: int | None = None

    def split(self, text: str) -> list[str]:
        tokens: list[str] = TOKEN.findall(text)
        return tokens

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


@hookimpl
def register_tokenizers() -> dict[str, type]:
    return {"abc": Abc}
