"""A tokenizer of Japanese words, which have no spaces between them, by TinySegmenter.

Needs the package tinysegmenter: `pip install 'wormhorn[japanese]'`.
"""

from collections.abc import Sequence
from importlib import import_module

from bot import PluginError, hookimpl


class TinySegmenter:
    """Nothing is lost: join(split(text)) is the text. vocabulary_size: so many of the most frequent words."""

    def __init__(self, vocabulary_size: int | None = 8000):
        self.vocabulary_size: int | None = vocabulary_size
        try:
            self._segmenter = import_module("tinysegmenter").TinySegmenter()
        except ImportError as error:
            msg = "the tokenizer tinysegmenter needs a package: pip install 'wormhorn[japanese]'"
            raise PluginError(msg) from error

    def split(self, text: str) -> list[str]:
        words: list[str] = self._segmenter.tokenize(text)
        return words

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


@hookimpl
def register_tokenizers() -> dict[str, type]:
    return {"tinysegmenter": TinySegmenter}
