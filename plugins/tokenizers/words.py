"""A tokenizer of words and signs, for any script that puts spaces between its words."""

from collections.abc import Sequence

import regex

from bot import hookimpl

WORD = regex.compile(r"\w+(?:['’]\w+)*")
TOKEN = regex.compile(rf"\n+|{WORD.pattern}| ?[^\w\s] ?")
SPACE = regex.compile(r"\s+")


class Words:
    """Words stand bare; a sign keeps the spaces beside it: `Rest (in death), you` gives
    `Rest`, ` (`, `in`, `death`, `)`, `, `, `you`. So joining only has to part words from words,
    and gives the text back but for its white space: a run of it becomes one space, one line
    break or, if it holds several, two. Line breaks are tokens.
    """

    def __init__(self, vocabulary_size: int = 8000):
        self.vocabulary_size: int | None = vocabulary_size

    def split(self, text: str) -> list[str]:
        tokens: list[str] = TOKEN.findall(SPACE.sub(_one_space, text.strip()))
        return tokens

    def join(self, tokens: Sequence[str]) -> str:
        parts: list[str] = []
        for before, token in zip(["", *tokens], tokens, strict=False):
            if WORD.match(before) and WORD.match(token):
                parts.append(" ")
            parts.append(token)
        return "".join(parts)


def _one_space(run: regex.Match[str]) -> str:
    return "\n" * min(run[0].count("\n"), 2) or " "


@hookimpl
def register_tokenizers() -> dict[str, type]:
    return {"words": Words}
