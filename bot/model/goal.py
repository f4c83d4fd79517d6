"""What a run learns: how a corpus is laid out for it, and what its loss is. The run itself does not know.

Shapes: T time steps, B rows, V vocabulary_size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from bot.model.batches import Batches
from bot.model.evaluation import cross_entropy
from bot.model.layouts import lay_out
from bot.model.ngram import NGram
from bot.text.parts import texts

Ids = Sequence[Sequence[int]]


class Loss(Protocol):
    """(T, B, V) logits and (T, B) targets -> nats per token, or their sum."""

    def __call__(self, logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor: ...


@dataclass(frozen=True)
class Goal:
    """name: what a run that was begun with another is told apart by.

    lay_out: of sequences, as training settings say. guess: the held-out loss of who knows only how frequent
    each token is in what is learned from.
    """

    name: str
    lay_out: Callable[[Ids, Any], Batches]
    loss: Loss
    guess: Callable[[Ids, Ids], float]


def _guessed(train_ids: Ids, held_out_ids: Ids) -> float:
    frequencies = NGram(order=1)
    frequencies.fit(texts(train_ids))
    return frequencies.loss(texts(held_out_ids))


NEXT_TOKEN = Goal("next token", lay_out, cross_entropy, _guessed)
