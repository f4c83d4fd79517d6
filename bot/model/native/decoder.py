"""A model made ready to write many texts at once, a token at a time, without torch's help.

Shapes: n rows of those that are kept, V vocabulary_size, H hidden_size, G all gates.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bot.model.language_model import LanguageModel
from bot.model.native import products
from bot.model.native.cell import CompiledCell
from bot.model.native.products import Product, Product8

Weights = Literal["float32", "int8"]
Numbers = NDArray[Any]


class Decoder:
    """Up to `capacity` texts, each in a row of its own; any of them can go on in any step."""

    @classmethod
    def open(
        cls, model: LanguageModel, weights: Weights = "float32", capacity: int = 256
    ) -> "Decoder | None":
        """None where a cell has no kernel, the model is not on a CPU or there is no compiler."""
        cells = [cell for cell in model.cells if isinstance(cell, CompiledCell) and cell.decodes()]
        on_cpu = model.embedding.weight.device.type == "cpu"
        if len(cells) < len(model.cells) or not on_cpu or products.library() is None:
            return None
        return cls(model, cells, weights, capacity)

    def __init__(self, model: LanguageModel, cells: Sequence[CompiledCell], weights: Weights, capacity: int):
        self.capacity = capacity
        self.digest = f"{cells[0].kernel.digest} {weights}"
        product = Product8 if weights == "int8" else Product
        with torch.no_grad():
            self._table = cells[0].kernel_input(model.table()).contiguous()
            self._layers = [_Layer(cell, number, product, capacity) for number, cell in enumerate(cells)]
            self._head = _head(model, product)
        self._logits = torch.empty(capacity, model.embedding.num_embeddings)

    def begin(self, rows: Numbers) -> None:
        """Put these rows (n,) back to the initial state."""
        for layer in self._layers:
            layer.begin(torch.from_numpy(rows))

    def step(self, ids: Numbers, rows: Numbers) -> Numbers:
        """These rows (n,) read one id each, (n,) int64 -> logits (n, V); they stand until the next step."""
        chosen, places = torch.from_numpy(rows), torch.from_numpy(ids)
        outputs = self._layers[0].read(self._table, places, chosen)
        for layer in self._layers[1:]:
            outputs = layer.follow(outputs, chosen)
        logits = self._logits[: len(rows)]
        self._head(outputs, chosen, logits)
        return logits.numpy()


class _Layer:
    """One cell's states and packed weights."""

    def __init__(self, cell: CompiledCell, number: int, product: type[Product], capacity: int):
        self._kernel, self._hidden = cell.kernel, cell.hidden_size
        self._recurrent = product(cell.weight_hh)
        self._input = product(cell.weight_ih, cell.input_bias()) if number else None
        self._parameters = cell.parameters_of_step().detach().contiguous()
        self._first = cell.initial_state(capacity)
        self._states = [tensor.clone() for tensor in self._first]
        self._said = torch.empty(capacity, cell.kernel.keeps * self._hidden)
        self._projected = torch.empty(capacity, cell.kernel.gates * self._hidden)
        self._addresses = self._kernel.addresses(self._states)

    def begin(self, rows: Tensor) -> None:
        for state, first in zip(self._states, self._first, strict=True):
            state[rows] = first[rows]

    def read(self, table: Tensor, places: Tensor | None, rows: Tensor) -> Tensor:
        """One step on rows of a table (V, G) -> the outputs of all rows (capacity, H)."""
        outputs = self._states[0]
        self._recurrent(outputs, rows, self._said)
        self._kernel.step_rows(
            self._hidden, table, places, self._parameters, rows, self._addresses, self._said
        )
        return outputs

    def follow(self, below: Tensor, rows: Tensor) -> Tensor:
        """One step on the outputs of the layer below, (capacity, H)."""
        assert self._input is not None
        self._input(below, rows, self._projected)
        return self.read(self._projected, None, rows)


def _head(model: LanguageModel, product: type[Product]) -> Callable[[Tensor, Tensor, Tensor], None]:
    """What makes logits (n, V) of the outputs (capacity, H) of rows (n,)."""
    last = product(model.head.weight, model.head.bias)
    if isinstance(model.norm, nn.Identity):
        return last

    def normed(outputs: Tensor, rows: Tensor, logits: Tensor) -> None:
        with torch.no_grad():
            last(model.norm(outputs[rows]), torch.arange(len(rows)), logits)

    return normed
