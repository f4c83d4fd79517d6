"""Looks at a training run's losses and says in plain words what is wrong with them.

It knows nothing of networks: losses in, sentences out. Losses are nats per token.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

RISING = 3  # evaluations in a row that make a trend


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured at one evaluation; train_loss and gradient_norm are means since the one before."""

    step: int
    epoch: float
    learning_rate: float
    gradient_norm: float
    train_loss: float
    held_out_loss: float


def as_csv(history: Sequence[Measurement]) -> bytes:
    """The loss history as a table, one measurement a line."""
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Measurement)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(measurement) for measurement in history)
    return table.getvalue().encode()


def has_diverged(measured: Measurement, vocabulary_size: int) -> bool:
    """Whether the network is far worse than one that guesses evenly, ln V, which is where it began.

    The training loss tells: a held-out loss may rise that far by over-fitting alone.
    """
    bound = 1.5 * math.log(vocabulary_size) + 1
    return not math.isfinite(measured.held_out_loss) or not measured.train_loss < bound


def is_spike(loss: float, usual: float) -> bool:
    """Whether a step's loss is out of all proportion to those before it."""
    return loss > 2 * usual + 1


def remark(history: Sequence[Measurement], vocabulary_size: int) -> str:
    """What the course of the losses says, "" if all is well."""
    if _is_overfitting(history):
        best = min(history, key=lambda measurement: measurement.held_out_loss)
        return (
            f"over-fitting: the held-out loss has risen since step {best.step} ({best.held_out_loss:.4f}) "
            "while the training loss falls; more dropout or fewer steps would help"
        )
    if _is_not_learning(history, vocabulary_size):
        return (
            f"not learning: after {history[-1].step} steps the loss is {history[-1].held_out_loss:.4f}, "
            f"guessing evenly has {math.log(vocabulary_size):.4f}; try another learning rate"
        )
    return ""


def _is_overfitting(history: Sequence[Measurement]) -> bool:
    last = history[-RISING - 1 :]
    pairs = list(pairwise(last))
    return len(pairs) == RISING and all(
        later.held_out_loss > earlier.held_out_loss and later.train_loss < earlier.train_loss
        for earlier, later in pairs
    )


def _is_not_learning(history: Sequence[Measurement], vocabulary_size: int) -> bool:
    even = math.log(vocabulary_size)
    return len(history) >= RISING and all(row.held_out_loss > 0.98 * even for row in history[-RISING:])
