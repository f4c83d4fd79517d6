"""Looks at a training run's losses and gradients and says in plain words what is wrong and what would help.

It knows nothing of networks: numbers in, sentences out. Losses are nats per token. The bounds were set by
`python -m benchmarks.watch`, which has healthy runs of every cell beside broken ones.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

TREND = 3  # evaluations in a row that make a trend
WHILE = 100  # steps that they must span to say that nothing is learnt
SETTLED = 20  # steps after which there is something usual to compare with
MEMORY = 100  # steps over which a gradient's norm is what is usual
EXPLODED = 1000.0  # times the usual norm; what is below is clipped and does no harm, relu needs that
TINY = 1e-30  # a norm of 0 has no logarithm
SPIKE = 6  # deviations above the usual loss
FLAT = 0.1  # a usual norm below this is that of a network which knows its corpus by heart
VANISHED = 1e-4  # share of the gradient's norm that still reaches the embedding, or the norm itself
FALLING = 0.99  # of the loss three evaluations ago: above it nothing has been learnt since


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured at one evaluation; train_loss and the gradient's are means since the one before.

    gradient_reach: the share of the gradient's norm that belongs to the embedding, which it reaches last.
    """

    step: int
    epoch: float
    learning_rate: float
    gradient_norm: float
    gradient_reach: float
    train_loss: float
    held_out_loss: float


@dataclass
class Level:
    """What the norm of a run's gradients usually is: a running mean of its logarithm."""

    logarithm: float = 0.0
    seen: int = 0

    @property
    def norm(self) -> float:
        return math.exp(self.logarithm)

    def take(self, norm: float) -> None:
        """The norm of one more step; the mean is of the latest hundred or so."""
        self.seen += 1
        self.logarithm += (math.log(max(norm, TINY)) - self.logarithm) / min(self.seen, MEMORY)


def as_csv(history: Sequence[Measurement]) -> bytes:
    """The loss history as a table, one measurement a line."""
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Measurement)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(measurement) for measurement in history)
    return table.getvalue().encode()


def from_csv(table: bytes) -> list[Measurement]:
    """What `as_csv` wrote; not a number for a column that older tables lack."""
    columns = [field.name for field in fields(Measurement) if field.name != "step"]
    return [
        Measurement(int(row["step"]), *(float(row.get(name, "nan")) for name in columns))
        for row in csv.DictReader(io.StringIO(table.decode()))
    ]


def has_diverged(train_loss: float, held_out_loss: float, vocabulary_size: int, first_loss: float) -> bool:
    """Whether the network is far worse than one that guesses evenly, ln V, and than it was at first.

    train_loss: what is usual now; a spike that is over does not count. A held-out loss alone may rise that
    far by over-fitting. Most networks begin near ln V; one that begins far above may come down.
    """
    bound = max(1.5 * math.log(vocabulary_size) + 1, first_loss)
    return not math.isfinite(held_out_loss) or not train_loss < bound


def trouble(loss: float, norm: float, usual: Level) -> str:
    """Why a step must not be made, "" if it may. norm: of the gradient before it is clipped."""
    if not (math.isfinite(loss) and math.isfinite(norm)):
        return "its gradient was not finite"
    if usual.seen >= SETTLED and norm > EXPLODED * max(usual.norm, FLAT):
        return f"its gradient exploded (norm {norm:.3g}, usually {usual.norm:.3g})"
    return ""


def is_spike(loss: float, usual: float, deviation: float) -> bool:
    """Whether a step's loss is out of all proportion to those before it, which differ by `deviation`."""
    return loss > usual + max(SPIKE * deviation, 0.4 * usual + 0.3)


def remark(history: Sequence[Measurement], guessing: float) -> str:
    """What the course of the losses and gradients says, "" if all is well.

    guessing: the held-out loss of who knows only how frequent each token is.
    """
    if _is_overfitting(history):
        best = min(history, key=lambda measurement: measurement.held_out_loss)
        return (
            f"over-fitting: the held-out loss has risen since step {best.step} ({best.held_out_loss:.4f}) "
            "while the training loss falls; more dropout or fewer steps would help"
        )
    if stopped := _stopped(history):
        return _why_it_stopped(stopped, guessing)
    return ""


def _why_it_stopped(last: Sequence[Measurement], guessing: float) -> str:
    """In plain words; "" where it has learnt what it can."""
    if lost := _where_it_vanishes(last):
        return (
            f"vanishing gradients: {lost}, and the loss no longer falls; fewer layers, "
            "a gated cell (gru, lstm) or one with layer norm would help"
        )
    if all(row.held_out_loss > 0.98 * guessing for row in last):
        return (
            f"not learning: after {last[-1].step} steps the loss is {last[-1].held_out_loss:.4f}, "
            f"to know how frequent each token is gives {guessing:.4f}; {_what_would_help(last[-1])}"
        )
    return ""


def _is_overfitting(history: Sequence[Measurement]) -> bool:
    pairs = list(pairwise(history[-TREND - 1 :]))
    return len(pairs) == TREND and all(
        later.held_out_loss > earlier.held_out_loss and later.train_loss < earlier.train_loss
        for earlier, later in pairs
    )


def _stopped(history: Sequence[Measurement]) -> Sequence[Measurement]:
    """The last evaluations, if they brought no better training loss worth the name; else none."""
    spans = [at for at, row in enumerate(history[: 1 - TREND]) if history[-1].step - row.step >= WHILE]
    last = history[spans[-1] :] if spans else ()
    return last if last and last[-1].train_loss > FALLING * last[0].train_loss else ()


def _where_it_vanishes(last: Sequence[Measurement]) -> str:
    """In plain words; "" if the gradient arrives everywhere."""
    norm, reach = (max(getattr(row, name) for row in last) for name in ("gradient_norm", "gradient_reach"))
    if norm < VANISHED:
        return f"nothing pulls at the weights any more (norm {norm:.1e})"
    return f"only {reach:.1e} of the gradient reaches the first layer" if reach < VANISHED else ""


def _what_would_help(row: Measurement) -> str:
    if row.gradient_norm > EXPLODED:  # and was so from the beginning: nothing to compare with
        explodes = f"its gradients explode (norm {row.gradient_norm:.3g})"
        return f"{explodes}: a lower learning rate, fewer layers or a gated cell (gru, lstm) would help"
    return "try another learning rate"
