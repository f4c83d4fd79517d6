"""Embedding, stacked cells, head: ids in, logits out. It knows nothing of text or of training's goals.

Shapes: T time steps, B rows, E embedding_size, H hidden_size, V vocabulary_size, S sources.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bot.model.cell import Cell, State
from bot.model.noise import SILENCE, Noise

States = tuple[State, ...]  # one state a cell


class LanguageModel(nn.Module):
    """Predicts the next id from all before it.

    head_norm: whether the head reads the last layer's outputs with their mean taken off and divided by their
    deviation (Ba et al. 2016, arXiv:1607.06450); a gain would be the head's own, so there is none.
    sources: how many tags it can read its ids under, see `bot.model.tags`.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        vocabulary_size: int,
        embedding_size: int,
        head_norm: bool = False,
        sources: int = 0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.tags = nn.Embedding(sources, embedding_size) if sources else None
        self.cells = nn.ModuleList(cells)
        width = cells[-1].hidden_size
        self.norm = nn.LayerNorm(width, elementwise_affine=False) if head_norm else nn.Identity()
        self.head = nn.Linear(width, vocabulary_size)

    def initial_state(self, batch_size: int) -> States:
        return tuple(cell.initial_state(batch_size) for cell in self._cells())

    def forward(
        self, ids: Tensor, state: States | None = None, noise: Noise = SILENCE
    ) -> tuple[Tensor, States]:
        """ids (T, B) and a state, None for the initial one -> logits (T, B, V) and the state after them.

        ids: below V, or with tags below (S + 2) * V.
        noise: what a training step leaves out, see `noise.draw`.
        """
        state = self.initial_state(ids.shape[1]) if state is None else state
        inputs, after = self.table(noise), []  # the first cell looks its rows up
        for layer, (cell, before) in enumerate(zip(self._cells(), state, strict=True)):
            where = () if layer else (ids,)
            outputs, cell_state = functional_call(
                cell, noise.on_weights(layer, cell), (inputs, before, *where)
            )
            inputs = noise.on_outputs(layer, outputs)
            after.append(cell_state)
        return self.read(inputs), tuple(after)

    def table(self, noise: Noise = SILENCE) -> Tensor:
        """What stands for each id: (V, E); with tags ((S + 2) * V, E), under none, each, the mean of all."""
        plain = noise.on_embedding(self.embedding.weight)
        if self.tags is None:
            return plain
        tags = self.tags.weight
        return torch.cat([plain, *(plain + tag for tag in tags), plain + tags.mean(0)])

    def read(self, outputs: Tensor) -> Tensor:
        """The last layer's outputs (..., H) -> logits (..., V)."""
        logits: Tensor = self.head(self.norm(outputs))
        return logits

    def _cells(self) -> Iterator[Cell]:
        return cast(Iterator[Cell], iter(self.cells))


def detach(state: States) -> States:
    """The same state, cut from the graph that made it: back-propagation through time ends here."""
    return tuple(tuple(tensor.detach() for tensor in cell_state) for cell_state in state)


def count_parameters(make: Callable[[], nn.Module]) -> int:
    """Numbers that a model learns; it is laid out and not filled."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in make().parameters())


def build(
    make_cell: Callable[[int, int], Cell],
    *,
    vocabulary_size: int,
    embedding_size: int,
    hidden_size: int,
    num_layers: int,
    head_norm: bool = False,
    sources: int = 0,
    seed: int = 0,
) -> LanguageModel:
    """A new model, the same for the same seed; make_cell(input_size, hidden_size) makes one layer."""
    sizes = [embedding_size] + [hidden_size] * (num_layers - 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        cells = [make_cell(size, hidden_size) for size in sizes]
        return LanguageModel(cells, vocabulary_size, embedding_size, head_norm, sources)


@torch.no_grad()
def begin_evenly(model: LanguageModel, bound: float, seed: int) -> None:
    """Let all weights begin evenly between minus and plus the bound.

    Vectors, which are biases and gains, keep what their cell gave them and get this beside it: a forget bias
    still begins at 1.
    """
    generator = torch.Generator().manual_seed(seed)
    for weights in model.parameters():
        drawn = torch.empty_like(weights).uniform_(-bound, bound, generator=generator)
        weights.copy_(drawn if weights.dim() > 1 else weights + drawn)
