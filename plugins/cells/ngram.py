"""An n-gram model in a cell's stead: counted in one pass over the corpus, and quick to sample."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from bot import hookimpl
from bot.model import CountedModel, State
from bot.model.ngram import NGram


class Ngram(CountedModel):
    """What was seen after the last `order` - 1 tokens, each shorter context filling up for the longer one.

    discount: what every count gives away to the order below (Ney, Essen and Kneser 1994).
    """

    def __init__(
        self, vocabulary_size: int, order: Annotated[int, Field(ge=1, le=20)] = 5, discount: float = 0.75
    ):
        super().__init__(vocabulary_size)
        self._ngram = NGram(order, discount, vocabulary_size)
        for n in range(1, order + 1):
            self.register_buffer(f"keys{n}", torch.empty(0, dtype=torch.int64))
            self.register_buffer(f"counts{n}", torch.empty(0, dtype=torch.int32))

    def fit(self, sequences: Sequence[Sequence[int]]) -> None:
        self._ngram.fit(sequences)
        for n, (keys, counts) in enumerate(self._ngram.tables, 1):
            setattr(self, f"keys{n}", torch.from_numpy(keys))
            setattr(self, f"counts{n}", torch.from_numpy(counts.astype(np.int32)))

    def loss(self, sequences: Sequence[Sequence[int]]) -> float:
        return self._ngram.loss(sequences)

    def restored(self) -> None:
        orders = range(1, self._ngram.order + 1)
        tables = [(self.get_buffer(f"keys{n}"), self.get_buffer(f"counts{n}")) for n in orders]
        self._ngram.restore([(keys.numpy(), counts.numpy()) for keys, counts in tables])

    def initial_state(self, batch_size: int) -> tuple[State, ...]:
        contexts = np.tile(self._ngram.start(), (batch_size, 1))  # (B, order)
        return ((torch.from_numpy(contexts),),)

    def step(self, ids: Tensor, state: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
        contexts = self._ngram.advance(state[0][0].numpy(), ids.numpy())
        with np.errstate(divide="ignore"):  # START never comes next
            logits = np.log(self._ngram.probabilities(contexts)).astype(np.float32)
        return torch.from_numpy(logits), ((torch.from_numpy(contexts),),)


@hookimpl
def register_cells() -> dict[str, type]:
    return {"ngram": Ngram}
