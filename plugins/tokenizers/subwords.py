"""A tokenizer of pieces of words that it learns from the corpus, by SentencePiece (arXiv:1808.06226).

Needs the package sentencepiece: `pip install 'wormhorn[subwords]'`.
"""

import base64
import io
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Literal

from bot import BotError, CorpusError, hookimpl

SPACE, STAND_IN = "▁", "\ue581"  # what the library writes a space as; what stands for that sign itself
LONGEST = 1 << 20  # bytes of a text that is learned from


class Subwords:
    """Pieces of the unigram language model (arXiv:1804.10959), or of byte-pair encoding (arXiv:1508.07909).

    pieces: how many, fewer if the corpus has fewer. learned: what `learn` gave, which a checkpoint keeps.
    Nothing is lost: join(split(text)) is the text, line breaks are pieces.
    """

    vocabulary_size: int | None = None  # what it has learned is the vocabulary

    def __init__(
        self, pieces: int = 2000, model: Literal["unigram", "bpe"] = "unigram", learned: str | None = None
    ):
        if not 16 <= pieces <= 65_536:
            msg = f"pieces {pieces} is not from 16 to 65536"
            raise ValueError(msg)
        self._pieces, self._model = pieces, model
        try:
            self._library = import_module("sentencepiece")
        except ImportError as error:
            msg = "the tokenizer subwords needs a package: pip install 'wormhorn[subwords]'"
            raise BotError(msg) from error
        self._processor = learned and self._library.SentencePieceProcessor(
            model_proto=base64.b64decode(learned)
        )

    def learn(self, texts: Iterable[str]) -> dict[str, Any]:
        """The options with which the factory makes it as it has learned. Raises CorpusError."""
        lines = (_plain(line) for text in texts for line in text.split("\n") if line)
        content = io.BytesIO()
        try:
            self._library.SentencePieceTrainer.train(
                sentence_iterator=lines,
                model_writer=content,
                vocab_size=self._pieces,
                model_type=self._model,
                hard_vocab_limit=False,
                character_coverage=1.0,
                normalization_rule_name="identity",
                add_dummy_prefix=False,
                remove_extra_whitespaces=False,
                user_defined_symbols=["\n"],
                max_sentence_length=LONGEST,
                num_threads=1,  # the same pieces every time
                minloglevel=2,
            )
        except RuntimeError as error:
            msg = f"no {self._pieces} subwords can be learned from this corpus ({error}): set fewer `pieces`"
            raise CorpusError(msg) from error
        return {"learned": base64.b64encode(content.getvalue()).decode()}

    def split(self, text: str) -> list[str]:
        if not self._processor:
            raise BotError("the tokenizer subwords has learned nothing yet")
        pieces: list[str] = self._processor.encode(_plain(text), out_type=str)
        return [piece.replace(SPACE, " ").replace(STAND_IN, SPACE) for piece in pieces]

    def join(self, tokens: Sequence[str]) -> str:
        return "".join(tokens)


def _plain(text: str) -> str:
    return text.replace(SPACE, STAND_IN)


@hookimpl
def register_tokenizers() -> dict[str, type]:
    return {"subwords": Subwords}
