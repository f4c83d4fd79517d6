"""A model that is counted in one pass, not trained: what `cell:` may name beside a recurrent cell.

It is held out against, stored, calibrated and sampled as a network is. It knows ids only.

Shapes: B rows, V vocabulary_size, N entries of a table.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bot.errors import TrainingError
from bot.model.cell import State
from bot.model.language_model import LanguageModel
from bot.model.training import Result
from bot.model.watch import Measurement
from bot.records import Progress

Sequences = Sequence[Sequence[int]]  # of ids, without START and END


class CountedModel(nn.Module):
    """A subclass takes `vocabulary_size` and, as further keyword arguments, its own options.

    What it counted stands in buffers of one dimension, (N,) each, whose lengths only the corpus decides.
    It stays on the CPU.
    """

    def __init__(self, vocabulary_size: int):
        super().__init__()
        self.vocabulary_size = vocabulary_size

    def fit(self, sequences: Sequences) -> None:
        """Count."""
        raise NotImplementedError

    def loss(self, sequences: Sequences) -> float:
        """Mean loss in nats per token, one end mark a sequence counted."""
        raise NotImplementedError

    def restored(self) -> None:
        """The buffers hold what a file held. Raises ValueError if that makes no sense."""
        raise NotImplementedError

    def initial_state(self, batch_size: int) -> tuple[State, ...]:
        """The state before the first token, each part (B, ...)."""
        raise NotImplementedError

    def step(self, ids: Tensor, state: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
        """ids (B,) -> logits (B, V) of what comes next, and the state after."""
        raise NotImplementedError

    def make_room(self, lengths: Mapping[str, int]) -> None:
        """Give the buffers these lengths; what stands in them is undefined."""
        for name, buffer in list(self.named_buffers()):
            setattr(self, name, torch.empty(lengths.get(name, 0), dtype=buffer.dtype))

    def _apply(self, function: Callable[[Tensor], Tensor], recurse: bool = True) -> "CountedModel":
        return self


Model = LanguageModel | CountedModel


def count(
    model: CountedModel,
    train_ids: Sequences,
    held_out_ids: Sequences,
    *,
    save: Callable[[Any, Sequence[Measurement]], None],
    progress: Callable[[Progress], None],
) -> Result:
    """Fit, measure, save: what `train` is for a network. Raises TrainingError where nothing can be learnt."""
    if not train_ids or not held_out_ids:
        msg = f"nothing to learn from: {len(train_ids)} items to count, {len(held_out_ids)} held out"
        raise TrainingError(msg)
    before = time.monotonic()
    model.fit(train_ids)
    seconds = time.monotonic() - before
    tokens = sum(len(sequence) + 1 for sequence in train_ids)
    row = Measurement(
        step=1,
        epoch=1.0,
        learning_rate=0.0,
        gradient_norm=0.0,
        gradient_reach=0.0,
        train_loss=model.loss(train_ids),
        held_out_loss=model.loss(held_out_ids),
    )
    save(model, (row,))
    progress(_counted(row, tokens / max(seconds, 1e-9)))
    return Result((row,), False, "all counted")


def _counted(row: Measurement, tokens_per_second: float) -> Progress:
    return Progress(
        step=row.step,
        steps=row.step,
        epoch=row.epoch,
        train_loss=row.train_loss,
        validation_loss=row.held_out_loss,
        learning_rate=row.learning_rate,
        tokens_per_second=tokens_per_second,
        gradient_norm=row.gradient_norm,
        seconds_left=0.0,
    )
