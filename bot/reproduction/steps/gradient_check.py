"""A network's gradients against finite differences: some numbers of every tensor, moved a little each way.

In double precision, on the first tokens of a real text, with the weights that a training begins with.
"""

import random
from collections.abc import Callable

import torch
from torch import Tensor

from bot.model.evaluation import cross_entropy
from bot.model.language_model import LanguageModel
from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab
from bot.trainer import opened

TOKENS, EACH = 12, 10  # of the text; numbers of a tensor
MOVED, SMALLEST = 1e-5, 1e-4
NOTE = (
    "Largest relative error |a - n| / (|a| + |n|) over the numbers that were moved, a from back-propagation, "
    "n = (L(w + h) - L(w - h)) / 2h with h = 1e-5; what it is divided by is 1e-4 at least, since differences "
    "of losses near 9 are not exact."
)


def step(lab: Lab, models: tuple[str, ...], title: str = "Gradient check") -> Section:
    """Figures, for each model: MODEL.error, the largest of all; MODEL.checked, how many numbers."""
    figures: dict[str, Figure] = {}
    tables = []
    for name in models:
        with opened(lab.house, name) as trainer:
            ids, size = trainer.train_ids[0][: TOKENS + 1], trainer.vocabulary_size
        model = lab.house.new_model(name, size)
        assert isinstance(model, LanguageModel)
        errors = check(model.double(), torch.tensor([ids]).T)
        figures |= {f"{name}.error": max(errors.values()), f"{name}.checked": float(EACH * len(errors))}
        rows = [(what, f"{error:.1e}") for what, error in errors.items()]
        tables.append(Table(name, ("tensor", "largest relative error"), rows, NOTE))
    return Section(title=title, tables=tables, figures=figures)


def check(model: LanguageModel, ids: Tensor) -> dict[str, float]:
    """The largest relative error for each tensor. ids: (T + 1, 1)."""

    def loss() -> Tensor:
        return cross_entropy(model(ids[:-1])[0], ids[1:])

    model.zero_grad()
    loss().backward()  # type: ignore[no-untyped-call]
    draw = random.Random(1)
    with torch.no_grad():
        return {what: _error(numbers, loss, draw) for what, numbers in model.named_parameters()}


def _error(numbers: Tensor, loss: Callable[[], Tensor], draw: random.Random) -> float:
    """Of those numbers that have a gradient, if any does: most rows of an embedding have none."""
    assert numbers.grad is not None
    flat, gradient = numbers.view(-1), numbers.grad.view(-1)
    places = gradient.nonzero().flatten().tolist() or list(range(len(flat)))
    return max(_one(flat, gradient, loss, at) for at in draw.sample(places, min(EACH, len(places))))


def _one(flat: Tensor, gradient: Tensor, loss: Callable[[], Tensor], at: int) -> float:
    before, analytic = flat[at].item(), gradient[at].item()
    losses = []
    for moved in (MOVED, -MOVED):
        flat[at] = before + moved
        losses.append(loss().item())
    flat[at] = before
    numeric = (losses[0] - losses[1]) / (2 * MOVED)
    return abs(analytic - numeric) / max(abs(analytic) + abs(numeric), SMALLEST)
