"""What a training step leaves out at random, drawn in one place before the step.

So the parts of a batch can be computed side by side, and a step is the same every time it is made.
Shapes: T time steps, B rows, H hidden_size, V vocabulary_size, E embedding_size.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from bot.model.cell import Cell


@dataclass(frozen=True, slots=True)
class Noise:
    """Factors: 0 for what is left out, 1 / (1 - share) for what stays, the same at every step of a window.

    Outputs as in Gal and Ghahramani 2016 (arXiv:1512.05287), recurrent weights as in Merity et al. 2017
    (arXiv:1708.02182); an embedding loses single numbers, wherever its id stands in the window.
    """

    embedding: Tensor | None = None  # (V, E)
    outputs: tuple[Tensor, ...] = ()  # of each layer, (B, H)
    weights: tuple[dict[str, Tensor], ...] = ()  # of each layer, by the recurrent weight's name

    def on_embedding(self, embedding: Tensor) -> Tensor:
        return embedding if self.embedding is None else embedding * self.embedding

    def on_outputs(self, layer: int, outputs: Tensor) -> Tensor:
        return outputs * self.outputs[layer] if self.outputs else outputs

    def on_weights(self, layer: int, cell: Cell) -> dict[str, Tensor]:
        """The cell's recurrent weights with some set to zero, by name; empty where nothing is left out."""
        factors = self.weights[layer] if self.weights else {}
        return {name: cell.get_parameter(name) * factor for name, factor in factors.items()}

    def rows(self, part: slice) -> "Noise":
        """The same for some rows of the batch."""
        return Noise(self.embedding, tuple(factors[part] for factors in self.outputs), self.weights)


SILENCE = Noise()


def draw(model: nn.Module, batch_size: int, settings: Any, generator: torch.Generator) -> Noise:
    """The noise of one step. settings: has dropout, embedding_dropout and weight_dropout, shares of 1."""
    embedding, cells = model.get_parameter("embedding.weight"), list(cast(Iterable[Cell], model.cells))

    def factors(share: float, shape: torch.Size | tuple[int, int]) -> Tensor:
        kept = torch.empty(shape).bernoulli_(1 - share, generator=generator)
        return kept.div_(1 - share).to(embedding)

    def recurrent(cell: Cell) -> dict[str, Tensor]:
        names = [name for name, _ in cell.named_parameters() if name.startswith("weight_hh")]
        return {name: factors(settings.weight_dropout, cell.get_parameter(name).shape) for name in names}

    def outputs(cell: Cell) -> Tensor:
        return factors(settings.dropout, (batch_size, cell.hidden_size))

    return Noise(
        factors(settings.embedding_dropout, embedding.shape) if settings.embedding_dropout else None,
        tuple(map(outputs, cells)) if settings.dropout else (),
        tuple(map(recurrent, cells)) if settings.weight_dropout else (),
    )
