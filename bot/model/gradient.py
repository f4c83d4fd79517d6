"""The gradient of one batch, its rows shared out over threads.

Each part is computed with one-threaded products and the parts' gradients are added in their order: beside
a busy neighbour this loses nothing, where products split by OpenMP wait for their slowest thread, and the
outcome does not depend on the number of cores. Where memory is short the parts become smaller.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from bot.model.batches import IGNORED, Batch
from bot.model.devices import give_back, is_out_of_memory
from bot.model.evaluation import cross_entropy
from bot.model.language_model import LanguageModel, States, detach
from bot.model.noise import Noise

FEWEST = 8  # rows a part is worth

Part = tuple[Tensor, Sequence[Tensor], States]  # loss, gradients, state after the window


class BackPropagation:
    """Sets the `grad` of a model's parameters. shards: into how many parts a batch is cut, a thread each."""

    def __init__(self, model: LanguageModel, shards: int, loss: Callable[..., Tensor] = cross_entropy):
        self._loss = loss
        self._parameters = list(model.parameters())
        self._replicas = [model, *(_replica(model) for _ in range(shards - 1))]
        self._pool = ThreadPoolExecutor(shards, initializer=torch.set_num_threads, initargs=(1,))
        self._rounds = 1  # in which all replicas work side by side

    def __call__(self, batch: Batch, before: States | None, noise: Noise) -> tuple[float, States]:
        """Mean loss of a batch in nats per token, and the state after it, cut from its graph."""
        rows = batch.inputs.shape[1]
        while True:
            try:
                return self._in_parts(batch, before, noise)
            except RuntimeError as error:
                if not is_out_of_memory(error) or self._rounds >= rows:
                    raise
            self._rounds *= 2
            give_back(self._parameters[0].device)

    def _in_parts(self, batch: Batch, before: States | None, noise: Noise) -> tuple[float, States]:
        rows, tokens = batch.inputs.shape[1], int((batch.targets != IGNORED).sum())
        at_once = max(1, min(len(self._replicas), rows // FEWEST))
        parts = list(_parts(rows, min(rows, at_once * self._rounds)))

        def compute(number: int) -> list[Part]:
            mine = parts[number::at_once]
            return [
                self._compute(self._replicas[number], batch, before, noise, part, tokens) for part in mine
            ]

        computed = [compute(0)] if at_once == 1 else list(self._pool.map(compute, range(at_once)))
        in_order = [computed[number % at_once][number // at_once] for number in range(len(parts))]
        losses, gradients, states = zip(*in_order, strict=True)
        for parameter, *shares in zip(self._parameters, *gradients, strict=True):
            parameter.grad = sum(shares[1:], shares[0])
        return sum(loss.item() for loss in losses), _joined(states)

    def _compute(
        self,
        model: LanguageModel,
        batch: Batch,
        before: States | None,
        noise: Noise,
        part: slice,
        tokens: int,
    ) -> Part:
        device = self._parameters[0].device
        state = None if before is None else tuple(tuple(t[part] for t in layer) for layer in before)
        logits, after = model(batch.inputs[:, part].to(device), state, noise.rows(part))
        loss = self._loss(logits, batch.targets[:, part].to(device), reduction="sum") / tokens
        return loss.detach(), torch.autograd.grad(loss, self._parameters), detach(after)


def _replica(model: LanguageModel) -> LanguageModel:
    """The same parameters in another module: one whose weights are being replaced serves one thread only."""
    return copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})


def _parts(rows: int, shards: int) -> Iterator[slice]:
    bounds = [rows * number // shards for number in range(shards + 1)]
    return map(slice, bounds, bounds[1:])


def _joined(states: Sequence[States]) -> States:
    """The states of all rows again, layer by layer."""
    return tuple(
        tuple(torch.cat(tensors) for tensors in zip(*layer, strict=True))
        for layer in zip(*states, strict=True)
    )
