"""Looks into a trained model while it reads: how far back its gradient reaches, what its gates let through.

It neither trains nor draws. Shapes: T time steps, B rows, H hidden_size, K steps back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bot.model.cell import Cell, State
from bot.model.evaluation import cross_entropy
from bot.model.language_model import LanguageModel, States

Floats = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Activations:
    """One layer's gates while it read a text, each (T, H), by name; of a cell without gates its state."""

    are_gates: bool
    values: dict[str, Floats]


def gradient_flow(model: LanguageModel, windows: Sequence[Sequence[int]]) -> Floats:
    """Norms of d loss_T / d state_{T-k}: B windows of T + 1 ids -> (layers, T, B), k = 0 to T - 1.

    The loss is that of the last id alone. A state is all that a layer hands from step to step, for an
    LSTM both h and c; it counts wherever it goes, also to the layers above (Hochreiter 1991; Bengio et al.
    1994; Pascanu et al. 2013, arXiv:1211.5063).
    """
    ids = torch.tensor(windows, device=model.embedding.weight.device).T  # (T + 1, B)
    with _frozen(model), torch.enable_grad():
        states, loss = _walk(model, ids)
        parts = [part for layers in states for state in layers for part in state]
        gradients = iter(torch.autograd.grad(loss, parts, allow_unused=True, materialize_grads=True))
    norms = [[_norm([next(gradients) for _ in state]) for state in layers] for layers in states]
    return np.array(norms)[::-1].swapaxes(0, 1)


@torch.no_grad()
def activations(model: LanguageModel, ids: Sequence[int]) -> list[Activations]:
    """What every layer's gates let through at each of the ids, read from the initial state."""
    inputs = model.embedding(torch.tensor(ids, device=model.embedding.weight.device)[:, None])  # (T, 1, E)
    found = []
    for cell in _cells(model):
        seen, inputs = _watch(cell, inputs)
        found.append(seen)
    return found


def _walk(model: LanguageModel, ids: Tensor) -> tuple[list[States], Tensor]:
    """The states after each id but the last, and the loss of the last, summed over rows."""
    now = tuple(tuple(part.requires_grad_() for part in state) for state in _initial(model, ids.shape[1]))
    states = []
    for inputs in model.embedding(ids[:-1]):
        outputs, after = inputs, []
        for cell, before in zip(_cells(model), now, strict=True):
            outputs, state = _apart(*cell.step(cell.project(outputs), before))
            after.append(state)
        now = tuple(after)
        states.append(now)
    return states, cross_entropy(model.read(outputs)[None], ids[-1:], reduction="sum")


def _initial(model: LanguageModel, rows: int) -> States:
    """Each part a tensor of its own: a cell may give the same zeros twice."""
    return tuple(tuple(part.clone() for part in state) for state in model.initial_state(rows))


def _apart(outputs: Tensor, state: State) -> tuple[Tensor, State]:
    """The state as tensors of its own: what a part adds to another of the same step does not count for it."""
    parts = tuple(part.clone() for part in state)
    same = [new for part, new in zip(state, parts, strict=True) if part is outputs]
    return same[0] if same else outputs, parts


def _watch(cell: Cell, inputs: Tensor) -> tuple[Activations, Tensor]:
    """One layer's activations and its outputs (T, 1, H)."""
    state, seen, outputs = cell.initial_state(1), [], []
    for wx in cell.project(inputs):
        gates = cell.gate_values(wx, state)
        output, state = cell.step(wx, state)
        outputs.append(output)
        seen.append(gates or _by_name(state))
    values = {name: torch.cat([now[name] for now in seen]).cpu().numpy() for name in seen[0]}
    return Activations(bool(gates), values), torch.stack(outputs)


def _by_name(state: State) -> dict[str, Tensor]:
    """The parts of a state as the papers call them."""
    return (
        dict(zip(("h", "c"), state, strict=False))
        if len(state) <= 2
        else {f"state {number}": part for number, part in enumerate(state, 1)}
    )


def _norm(gradients: Sequence[Tensor]) -> Floats:
    """Over all parts of a state, row by row: (B,)."""
    squares = sum(gradient.double().flatten(1).square().sum(1) for gradient in gradients)
    return torch.as_tensor(squares).sqrt().cpu().numpy()


def _cells(model: LanguageModel) -> Iterator[Cell]:
    return cast(Iterator[Cell], iter(model.cells))


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Nobody asks for the gradient of a weight in here."""
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_()
