"""A tokenizer of Japanese words, which have no spaces between them, by TinySegmenter.

Needs the package tinysegmenter: `pip install 'wormhorn[japanese]'`.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from bot import BotError, hookimpl


class TinySegmenter:
    """Nothing is lost: join(split(text)) is the text. vocabulary_size: so many of the most frequent words."""

    def __init__(self, vocabulary_size: int | None = 8000):
        self.vocabulary_size: int | None = vocabulary_size
        try:
            self._segmenter = _segmenter()
        except ImportError as error:
            msg = "the tokenizer tinysegmenter needs a package: pip install 'wormhorn[japanese]'"
            raise BotError(msg) from error

    def split(self, text: str) -> list[str]:
        return list(_words(self._segmenter, text))

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


@lru_cache(maxsize=1 << 16)
def _words(segmenter: Any, text: str) -> tuple[str, ...]:
    """Kept, for it takes a millisecond a sentence and is asked for again and again."""
    return tuple(segmenter.tokenize(text))


@lru_cache(maxsize=1)
def _segmenter() -> Any:
    return import_module("tinysegmenter").TinySegmenter()


@hookimpl
def register_tokenizers() -> dict[str, type]:
    return {"tinysegmenter": TinySegmenter}
