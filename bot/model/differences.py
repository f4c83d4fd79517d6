"""A network's gradients against finite differences: some numbers of every tensor, moved a little each way."""

import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from bot.model.evaluation import cross_entropy
from bot.model.language_model import LanguageModel

EACH = 10  # numbers of a tensor
MOVED, SMALLEST = 1e-5, 1e-4  # by so much; what an error is divided by at least


def check(model: LanguageModel, sequence: Sequence[int]) -> dict[str, float]:
    """The largest relative error for each tensor, in double precision, which the model has from then on."""
    model.double()
    ids = torch.tensor([sequence]).T  # (T + 1, 1)

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
