"""Embedding, stacked cells, head: ids in, logits out. It knows nothing of text or of training's goals.

Shapes: T time steps, B rows, E embedding_size, H hidden_size, V vocabulary_size.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from bot.model.cell import Cell, State

States = tuple[State, ...]  # one state a cell


class LanguageModel(nn.Module):
    """Predicts the next id from all before it.

    dropout: on every cell's output; embedding_dropout: on the embedding; weight_dropout: on the recurrent
    weights, one mask a window (Merity et al. 2017, arXiv:1708.02182). All act in training mode only.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        vocabulary_size: int,
        embedding_size: int,
        dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        weight_dropout: float = 0.0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.cells = nn.ModuleList(cells)
        self.head = nn.Linear(cells[-1].hidden_size, vocabulary_size)
        self.dropout, self.embedding_dropout = dropout, embedding_dropout
        self.weight_dropout = weight_dropout

    def initial_state(self, batch_size: int) -> States:
        return tuple(cell.initial_state(batch_size) for cell in self._cells())

    def forward(self, ids: Tensor, state: States | None = None) -> tuple[Tensor, States]:
        """ids (T, B) and a state, None for the initial one -> logits (T, B, V) and the state after them."""
        state = self.initial_state(ids.shape[1]) if state is None else state
        outputs = functional.dropout(self.embedding(ids), self.embedding_dropout, self.training)
        after = []
        for cell, before in zip(self._cells(), state, strict=True):
            outputs, cell_state = functional_call(cell, self._thinned(cell), (outputs, before))
            outputs = functional.dropout(outputs, self.dropout, self.training)
            after.append(cell_state)
        return self.head(outputs), tuple(after)

    def _cells(self) -> Iterator[Cell]:
        return cast(Iterator[Cell], iter(self.cells))

    def _thinned(self, cell: Cell) -> dict[str, Tensor]:
        """The cell's recurrent weights with some set to zero, by name; empty outside training."""
        if not (self.training and self.weight_dropout):
            return {}
        recurrent = {name: p for name, p in cell.named_parameters() if name.startswith("weight_hh")}
        return {name: functional.dropout(p, self.weight_dropout) for name, p in recurrent.items()}


def detach(state: States) -> States:
    """The same state, cut from the graph that made it: back-propagation through time ends here."""
    return tuple(tuple(tensor.detach() for tensor in cell_state) for cell_state in state)


def build(
    make_cell: Callable[[int, int], Cell],
    *,
    vocabulary_size: int,
    embedding_size: int,
    hidden_size: int,
    num_layers: int,
    dropout: float = 0.0,
    embedding_dropout: float = 0.0,
    weight_dropout: float = 0.0,
    seed: int = 0,
) -> LanguageModel:
    """A new model, the same for the same seed; make_cell(input_size, hidden_size) makes one layer."""
    sizes = [embedding_size] + [hidden_size] * (num_layers - 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        cells = [make_cell(size, hidden_size) for size in sizes]
        return LanguageModel(
            cells, vocabulary_size, embedding_size, dropout, embedding_dropout, weight_dropout
        )
