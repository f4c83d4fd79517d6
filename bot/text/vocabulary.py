"""Tokens to ids and back. It does not know how a text is cut into tokens."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from bot.errors import CheckpointError, CorpusError

START, END, UNKNOWN = 0, 1, 2
MARKS = ("<start>", "<end>", "<unknown>")  # what the three read as; a text may hold the same letters


class Vocabulary:
    """Ids 0, 1, 2 are START, END, UNKNOWN; the tokens follow from 3 in the order given.

    complete: whether it holds every token of its corpus. A complete one refuses other tokens by
    name, one cut to a size reads them as UNKNOWN.
    """

    def __init__(self, tokens: Sequence[str], complete: bool = True):
        self.tokens = tuple(tokens)
        self.complete = complete
        self._texts = (*MARKS, *self.tokens)  # by id
        self._ids = {token: id for id, token in enumerate(self.tokens, len(MARKS))}
        if len(self._ids) != len(self.tokens):
            msg = "the tokens of a vocabulary must differ"
            raise ValueError(msg)

    @classmethod
    def build(cls, documents: Iterable[Sequence[str]], size: int | None = None) -> Self:
        """From documents in tokens: the most frequent first, equal ones in the tokens' own order.

        size: keep that many tokens; None keeps all.
        """
        counts: Counter[str] = Counter()
        for tokens in documents:
            counts.update(tokens)
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        return cls(ranked[:size], complete=size is None or len(ranked) <= size)

    def __len__(self) -> int:
        return len(MARKS) + len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Ids without START and END. Raises CorpusError, naming them, if a complete one misses tokens."""
        ids = [self._ids.get(token, UNKNOWN) for token in tokens]
        if self.complete and UNKNOWN in ids:
            missing = list(dict.fromkeys(token for token in tokens if token not in self._ids))
            named = ", ".join(map(repr, missing[:10])) + (", ..." if len(missing) > 10 else "")
            msg = f"not in the vocabulary of {len(self.tokens)} tokens: {named}"
            raise CorpusError(msg)
        return ids

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Tokens of ids; a START or END among them is dropped, an UNKNOWN reads <unknown>."""
        return [self._texts[id] for id in ids if id not in (START, END)]

    def encoded(self) -> bytes:
        """The content of vocabulary.json: the tokens, readable, in the order of their ids."""
        content = {"complete": self.complete, "tokens": self.tokens}
        return (json.dumps(content, indent=0) + "\n").encode()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `encoded` gave. Raises CheckpointError if the file is missing or something else."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            tokens, complete = content["tokens"], content["complete"]
            if type(tokens) is not list or not all(isinstance(token, str) for token in tokens):
                raise ValueError("its tokens are no list of texts")
            if type(complete) is not bool:
                raise ValueError("`complete` is neither true nor false")
            return cls(tokens, complete)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            msg = f"{path}: no vocabulary can be read from it ({error!r:.200})"
            raise CheckpointError(msg) from error
