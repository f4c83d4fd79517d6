"""Block mode: N tokens in, the next N out, each predicted at the place that lies N before it.

A network that reads a whole block could know all of it before it writes; here place t is predicted from the
places up to t alone, so every token is predicted N ahead, and none from the one before it. The same can be
asked of a block that begins one token later: then each place is the next token.

Shapes: T = N time steps, B rows, V vocabulary_size.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bot.errors import TrainingError
from bot.model.batches import Batch
from bot.model.goal import Goal
from bot.model.language_model import LanguageModel
from bot.model.layouts import joined

CERTAIN = 1 - 1e-7  # a wrong token that is held for certain costs no more than 16 nats
AT_ONCE = 256  # blocks that are predicted side by side

Ids = Sequence[Sequence[int]]


class BlockBatches:
    """Texts end to end, cut into blocks; a row is a block to read and one to predict.

    ahead: how many tokens later that begins; if None where the block ends, so that the two share nothing.
    most: rows, the first ones. Raises TrainingError where there is none.
    """

    def __init__(
        self,
        sequences: Ids,
        batch_size: int,
        block: int,
        ahead: int | None = None,
        most: int | None = None,
    ):
        ids, ahead = joined(sequences), ahead or block
        count = min(max(0, len(ids) - ahead) // block, most or len(ids))
        if not count:
            msg = f"{len(ids):,} tokens are too few for a block of {block} and what comes {ahead} later"
            raise TrainingError(msg)
        self.inputs: NDArray[Any] = ids[: count * block].reshape(count, block)
        self.targets: NDArray[Any] = ids[ahead : ahead + count * block].reshape(count, block)
        self.rows, self.tokens = min(batch_size, count), count * block

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        return self._pairs(np.random.default_rng((seed, number)).permutation(len(self.inputs)))

    def in_order(self) -> Iterator[Batch]:
        return self._pairs(np.arange(len(self.inputs)))

    def _pairs(self, places: NDArray[Any]) -> Iterator[Batch]:
        for at in range(0, len(places), self.rows):
            rows = places[at : at + self.rows]
            yield Batch(_columns(self.inputs[rows]), _columns(self.targets[rows]), fresh=True)


def binary_cross_entropy(logits: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    """Of a softmax and one-hot targets, summed over the vocabulary: every token is right or wrong by itself.

    Keras takes the mean over the vocabulary instead: this divided by V.
    """
    wrong = torch.log1p(-logits.softmax(-1).clamp(max=CERTAIN))  # (T, B, V)
    places = targets.unsqueeze(-1)
    right = logits.log_softmax(-1).gather(-1, places) - wrong.gather(-1, places)
    losses = -(wrong.sum(-1) + right.squeeze(-1))
    return losses.sum() if reduction == "sum" else losses.mean()


def _guessed(train_ids: Ids, held_out_ids: Ids) -> float:
    """The same loss with each token as likely as it is frequent; one never read counts as read once."""
    read, asked = joined(train_ids), joined(held_out_ids)
    counts = np.bincount(read, minlength=int(asked.max()) + 1)
    frequencies = torch.from_numpy(np.maximum(counts, 1) / len(read)).log()
    targets = torch.from_numpy(asked.astype(np.int64))[:, None]
    return binary_cross_entropy(frequencies.expand(len(asked), 1, -1), targets).item()


def block_goal(ahead: int | None = None) -> Goal:
    """To predict blocks of `sequence_length` tokens, each place so many ahead; if None, a whole block."""

    def lay_out(sequences: Ids, settings: Any) -> BlockBatches:
        return BlockBatches(sequences, settings.batch_size, settings.sequence_length, ahead)

    name = "next block" if ahead is None else f"block of {ahead} ahead"
    return Goal(name, lay_out, binary_cross_entropy, _guessed)


@torch.no_grad()
def predict(
    model: LanguageModel, blocks: Sequence[Sequence[int]], temperature: float = 0.0, seed: int = 1
) -> list[list[int]]:
    """The block that belongs to each of these. temperature: 0 takes the likeliest token at each place."""
    generator = torch.Generator().manual_seed(seed)
    found: list[list[int]] = []
    for at in range(0, len(blocks), AT_ONCE):
        logits, _ = model(_columns(np.array(blocks[at : at + AT_ONCE])))
        found += _drawn(logits, temperature, generator).T.tolist()
    return found


def go_on(model: LanguageModel, block: Sequence[int], count: int) -> list[int]:
    """So many blocks of the likeliest tokens, each predicted from the one that the model wrote before it."""
    ids: list[int] = []
    for _ in range(count):
        [block] = predict(model, [block])
        ids += block
    return ids


def _drawn(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    if not temperature:
        return logits.argmax(-1)
    likely = functional.softmax(logits.flatten(0, 1) / temperature, dim=-1)
    return torch.multinomial(likely, 1, generator=generator).view(logits.shape[:2])


def _columns(blocks: NDArray[Any]) -> Tensor:
    """(B, T) -> (T, B)."""
    return torch.from_numpy(blocks.T.astype(np.int64, order="C"))
