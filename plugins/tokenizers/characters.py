"""A tokenizer that takes every character (code point) for a token."""

from collections.abc import Sequence

from bot import hookimpl


class Characters:
    """Nothing is lost: join(split(text)) is the text."""

    vocabulary_size: int | None = None

    def split(self, text: str) -> list[str]:
        return list(text)

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


@hookimpl
def register_tokenizers() -> dict[str, type]:
    return {"characters": Characters}
