"""What a training run needs to go on exactly where it stood, in one safetensors file with JSON in its header.

It does not know how to train.
"""

import hashlib
import json
import math
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from bot.errors import CheckpointError, TrainingError
from bot.model.checkpoint import written_atomically
from bot.model.language_model import LanguageModel, States
from bot.model.watch import Level, Measurement

Ids = Sequence[Sequence[int]]

SHAPING = (  # settings that make a run what it is: going on with others would be another run
    "batch_size",
    "sequence_length",
    "learning_rate",
    "schedule",
    "warmup_steps",
    "decay",
    "decay_after",
    "optimizer",
    "weight_decay",
    "dropout",
    "embedding_dropout",
    "weight_dropout",
    "averaging",
    "gradient_clip",
    "clip_by",
    "beta2",
    "rmsprop_alpha",
    "initial_range",
    "layout",
    "shards",
    "seed",
)

LOSSES = "losses"  # the tensor of them
LONGEST = 60  # characters of a value that a message shows
LATEST = 10  # steps whose losses say where a run is now
MOST_NOTES = 200


@dataclass
class Position:
    """Where a run stands; sums and streaks are since the last evaluation or the last good step."""

    fingerprint: dict[str, Any] = field(default_factory=dict)  # of data and settings, compared on resuming
    step: int = 0
    ended: str = ""  # why, "" while it goes on
    epoch: int = 0  # complete passes over the corpus
    batch: int = 0  # batches taken of this pass
    tokens: int = 0  # tokens taken of this pass
    seconds: float = 0.0  # that the run has taken so far
    first_loss: float = 0.0  # of the first step that was made
    loss_sum: float = 0.0
    loss_tokens: int = 0
    loss_squares: float = 0.0  # of the steps' losses
    norm_sum: float = 0.0
    reach_sum: float = 0.0
    updates: int = 0
    latest: list[float] = field(default_factory=list)  # losses
    stale: int = 0  # evaluations in a row without a better loss
    skipped: int = 0  # steps in a row that were not made
    rollbacks: int = 0
    rate_factor: float = 1.0  # halved at each roll-back
    level: Level = field(default_factory=Level)
    evaluated: tuple[int, float, float] = (0, 0.0, 0.0)  # step, epoch and seconds of the last evaluation
    history: list[Measurement] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)  # what the watch said, and after which step

    def add(self, loss: float, tokens: int, norm: float, reach: float) -> None:
        """Count in a step that was made. reach: the share of the gradient that reached the embedding."""
        self.skipped = 0
        self.first_loss = self.first_loss or loss
        self.loss_sum += loss * tokens
        self.loss_tokens += tokens
        self.loss_squares += loss * loss
        self.norm_sum += norm
        self.reach_sum += reach
        self.updates += 1
        self.latest = [*self.latest[1 - LATEST :], loss]
        self.level.take(norm)

    def take_note(self, note: str) -> None:
        """Keep what the watch has to say; the same kind of remark again and again is kept once."""
        kind = note.partition(":")[0]
        again = self.notes and kind == self.notes[-1][1].partition(":")[0] and not note.startswith("spike")
        if note and not again and len(self.notes) < MOST_NOTES:
            self.notes.append((self.step, note))

    @property
    def loss_deviation(self) -> float:
        """How far the losses lie about their mean."""
        if not self.updates:
            return 0.0
        return math.sqrt(max(0.0, self.loss_squares / self.updates - (self.loss_sum / self.loss_tokens) ** 2))

    def clear_sums(self) -> None:
        """Begin the means anew: after an evaluation, and where the last steps no longer count."""
        self.loss_sum = self.loss_squares = self.norm_sum = self.reach_sum = 0.0
        self.loss_tokens = self.updates = 0
        self.latest = []


_POSITION = TypeAdapter(Position)


def store(path: Path, position: Position, tensors: dict[str, Tensor]) -> None:
    """Replace the file in one step, also if the machine stops meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    separate = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with written_atomically(path) as unfinished:
        try:
            save_file(separate, unfinished, {"position": json.dumps(asdict(position))})
        except SafetensorError as error:  # its name for what the system says of a full disk
            raise OSError(None, str(error)) from error


def load(path: Path) -> tuple[Position, dict[str, Tensor]]:
    """What `store` wrote. Raises CheckpointError if it is missing or something else.

    Copied, for a tensor in a file begins at any multiple of 8 bytes, in torch's own memory at one of 64: a
    matrix product may round otherwise by that, and a run gone on with not be the one that never stopped.
    """
    with _opened(path) as file:
        return _position(file), {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118


def load_position(path: Path) -> Position:
    """The same without its tensors."""
    with _opened(path) as file:
        return _position(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError, ValidationError) as error:
        msg = f"{path}: no training can go on from it ({str(error).splitlines()[0]:.200})"
        raise CheckpointError(msg) from error


def _position(file: Any) -> Position:
    return _POSITION.validate_json((file.metadata() or {}).get("position", ""), strict=True)


def load_losses(path: Path) -> tuple[Position, list[float]]:
    """Where a run stands or how it ended, and the loss of each of its steps."""
    with _opened(path) as file:
        stored = {LOSSES: file.get_tensor(LOSSES)} if LOSSES in file.keys() else {}  # noqa: SIM118
        return _position(file), losses(stored)


def losses(tensors: dict[str, Tensor]) -> list[float]:
    """The loss of each step of a run, not a number where none was made; of an older run there are none."""
    return tensors[LOSSES].tolist() if LOSSES in tensors else []


def gather(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    carried: States | None,
    device: torch.device,
    losses: Sequence[float],
) -> dict[str, Tensor]:
    """All tensors of a run by name: weights, optimizer, carried state, random numbers, losses."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": moment for name, moment in moments.items()}
    for layer, state in enumerate(carried or ()):
        tensors |= {f"carried.{layer}.{part}": tensor for part, tensor in enumerate(state)}
    tensors["random.cpu"] = torch.get_rng_state()
    tensors[LOSSES] = torch.tensor(losses, dtype=torch.float32)
    if device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(device)
    return tensors


def restore_weights(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `gather` took of model and optimizer."""
    model.load_state_dict(under("model.", tensors))
    state: dict[int, dict[str, Tensor]] = {}
    for key, moment in under("optimizer.", tensors).items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = moment
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def restore_random(tensors: dict[str, Tensor], device: torch.device) -> None:
    """Put back the states of the random number generators."""
    torch.set_rng_state(tensors["random.cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(tensors["random.cuda"], device)


def restore_carried(tensors: dict[str, Tensor], device: torch.device) -> States | None:
    """The carried state that `gather` took, None if there was none."""
    layers: dict[int, dict[int, Tensor]] = {}
    for key, tensor in under("carried.", tensors).items():
        layer, part = map(int, key.split("."))
        layers.setdefault(layer, {})[part] = tensor.to(device)
    ordered = [layers[layer] for layer in sorted(layers)]
    return tuple(tuple(parts[part] for part in sorted(parts)) for parts in ordered) or None


def fingerprint(model: LanguageModel, train_ids: Ids, held_out_ids: Ids, settings: Any) -> dict[str, Any]:
    """What must be the same for a run to be gone on with.

    Of a cell: its class and whatever numbers and words it keeps, as its options.
    """
    digest = hashlib.sha256()
    for sequence in (*train_ids, [-1], *held_out_ids):
        digest.update(array("q", (len(sequence), *sequence)).tobytes())
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    cells = [_described(cell) for cell in model.cells]
    network = {"shapes": shapes, "cells": cells, "norm": repr(model.norm)}
    return shaping(settings) | {"texts": digest.hexdigest(), "network": network}


def shaping(settings: Any) -> dict[str, Any]:
    """The part of it that the settings are."""
    return {name: getattr(settings, name) for name in SHAPING}


def _described(cell: nn.Module) -> dict[str, Any]:
    kept = {name: value for name, value in vars(cell).items() if isinstance(value, str | int | float)}
    del kept["training"]  # torch's own mark
    return kept | {"class": type(cell).__name__}


def changes(stored: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """What of `ours` a stored run has otherwise, in words: a setting with both values."""
    older = {name for name in SHAPING if name not in stored}  # the program did then what is the default now
    return [
        _change(name, stored.get(name), now)
        for name, now in ours.items()
        if name not in older and stored.get(name) != now
    ]


def _change(name: str, then: Any, now: Any) -> str:
    if max(len(str(then)), len(str(now))) > LONGEST:
        return f"other {name}" if name.endswith("s") else f"another {name}"
    return f"{name} {then} (now {now})"


def compare(stored: dict[str, Any], ours: dict[str, Any], path: Path) -> None:
    """Raise TrainingError, naming what changed, unless the stored run is ours."""
    if changed := changes(stored, ours):
        msg = f"{path}: this run was begun with {', '.join(changed)}; --fresh begins anew"
        raise TrainingError(msg)


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, by the rest of their names."""
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
