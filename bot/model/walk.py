"""A model taken one token at a time, many texts side by side: a row each.

One promise is kept by every walk: what a row computes depends on nothing but the ids it has read. It does not
know which text stands in which row, nor what forbids an id.

Shapes: n rows of one step, V vocabulary_size, W a width.
"""

import platform
from collections.abc import Iterator
from itertools import chain
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.model import draw
from bot.model.counted import CountedModel, Model
from bot.model.language_model import LanguageModel, States
from bot.model.native import compiler, products
from bot.model.native.decoder import Decoder
from bot.model.packing import packed

Numbers = NDArray[Any]

WIDTH = 32  # rows where their number or their place might matter
WIDTHS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # rows where it does not; fewer are filled up
LANES = 32  # numbers that torch's loops take at once; what is left at the end may round otherwise


class Walk(Protocol):
    """One way to compute a model. `build` names what must be equal, beside the device, for equal bits."""

    build: str
    placed: bool  # whether bits depend on the row: then text k must always stand in row k % room

    def room(self, count: int) -> int:
        """How many rows to take for so many texts; they are numbered from 0."""

    def begin(self, rows: Numbers) -> None:
        """Put these rows before their first token."""

    def step(self, ids: Numbers, rows: Numbers) -> Any:
        """Let some rows (n,) read an id each (n,) -> logits (n, V) as `draw` takes them."""

    def draw(
        self,
        logits: Any,
        inverse_temperatures: Numbers,
        barred: Numbers,
        uniforms: Numbers,
        top_k: int,
        top_p: float,
        min_p: float,
    ) -> tuple[Numbers, Numbers]:
        """As `bot.model.draw.draw`."""


class NativeWalk:
    """Steps compiled from C. A row computes the same whatever rows are computed beside it."""

    placed = False
    draw = staticmethod(products.draw)

    def __init__(self, decoder: Decoder):
        self._decoder = decoder
        self.begin, self.step = decoder.begin, decoder.step
        self.build = f"{_torch()}, native {compiler.digest(products.SOURCE)} {decoder.digest}"

    def room(self, count: int) -> int:
        return min(count, self._decoder.capacity)


class Steps(Protocol):
    """A model as a walk in torch needs it."""

    def initial_state(self, batch_size: int) -> States: ...

    def step(self, ids: Tensor, state: States) -> tuple[Tensor, States]:
        """ids (W,) and the state before them -> logits (W, V) and the state after."""


class NetworkSteps:
    """A network's steps. What layer 1 makes of an id is looked up in a table made once."""

    def __init__(self, model: LanguageModel):
        self._model, self.packed = packed(model)
        self._cells = list(self._model._cells())
        self._table = self._cells[0].project(model.table())  # (V, G), with tags more
        self.initial_state = model.initial_state

    def step(self, ids: Tensor, state: States) -> tuple[Tensor, States]:
        outputs, now = self._cells[0].step(self._table.index_select(0, ids), state[0])
        after = [now]
        for cell, before in zip(self._cells[1:], state[1:], strict=True):
            outputs, now = cell.step(cell.project(outputs), before)
            after.append(now)
        return self._model.read(outputs), tuple(after)


class TorchWalk:
    """Steps in torch, in as many rows as are asked for where a trial shows that a row's bits do not depend on
    how many there are or where it stands; else always WIDTH rows, each text in a place of its own.
    """

    def __init__(self, steps: Steps, sizes: set[int], device: torch.device, kind: str):
        """sizes: of the dimensions that a state or what leads to it may have."""
        self._steps, self._device = steps, device
        self._widths = [width for width in WIDTHS if all(width * size % LANES == 0 for size in sizes)]
        self._tried: dict[int, bool] = {}
        self._trial = _Trial(steps, device)
        self._first = steps.initial_state(1)
        self._state = _copied(steps.initial_state(self._widths[-1]))
        self.placed = not self._passes(WIDTH)
        self.build = f"{_torch()}, {kind}"

    def room(self, count: int) -> int:
        return WIDTH if self.placed else min(count, self._width(count))

    def begin(self, rows: Numbers) -> None:
        places = self._tensor(rows)
        for now, first in _pairs(self._state, self._first):
            now[places] = first

    def step(self, ids: Numbers, rows: Numbers) -> Tensor:
        order = np.arange(WIDTH) if self.placed else np.resize(rows, self._width(len(rows)))
        read = np.zeros(self._widths[-1], np.int64)
        read[rows] = ids
        places = self._tensor(order)
        logits, after = self._steps.step(self._tensor(read[order]), _chosen(self._state, places))
        for now, new in _pairs(self._state, after):
            now[places] = new
        return logits[self._tensor(rows)] if self.placed else logits[: len(rows)]

    draw = staticmethod(draw.draw)

    def _width(self, count: int) -> int:
        """The least width for so many rows, else the greatest there is."""
        fitting = (width for width in self._widths if width >= count and self._passes(width))
        most = (width for width in reversed(self._widths) if self._passes(width))
        return next(fitting, 0) or next(most)

    def _passes(self, width: int) -> bool:
        if width not in self._tried:
            self._tried[width] = self._trial.passed(width)
        return self._tried[width]

    def _tensor(self, numbers: Numbers) -> Tensor:
        return torch.from_numpy(numbers).to(self._device)


class _Trial:
    """One step of WIDTH rows, made again in other numbers and another order: the bits tell."""

    def __init__(self, steps: Steps, device: torch.device):
        self._steps, self._before = steps, steps.initial_state(WIDTH)
        self._ids = torch.zeros(WIDTH, dtype=torch.int64, device=device)
        for _ in range(2):  # START, then another id for every row
            logits, self._before = steps.step(self._ids, self._before)
            self._ids = torch.arange(WIDTH, device=device) % logits.shape[1]
        self._expected = steps.step(self._ids, self._before)

    def passed(self, width: int) -> bool:
        parts = -(-WIDTH // width)
        order = torch.arange(parts * width, device=self._ids.device).flip(0) % WIDTH
        return all(map(self._agrees, order.view(parts, width)))

    def _agrees(self, places: Tensor) -> bool:
        logits, after = self._steps.step(self._ids[places], _chosen(self._before, places))
        expected, expected_after = self._expected
        pairs = _pairs(after, _chosen(expected_after, places))
        return torch.equal(logits, expected[places]) and all(torch.equal(a, b) for a, b in pairs)


def _chosen(state: States, places: Tensor) -> States:
    """Some rows of a state, as tensors of their own."""
    return tuple(tuple(part.index_select(0, places) for part in layer) for layer in state)


def _copied(state: States) -> States:
    return tuple(tuple(part.clone() for part in layer) for layer in state)


def _pairs(one: States, other: States) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(chain(*one), chain(*other), strict=True)


def _torch() -> str:
    kernels = torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__}, {platform.machine()} {kernels}"


def open_walk(model: Model, weights: str) -> Walk:
    """The fastest there is for this model on its device; weights: float32 or int8, where that is possible."""
    if isinstance(model, CountedModel):
        return torch_walk(model)
    decoder = Decoder.open(model, "int8" if weights == "int8" else "float32")
    return torch_walk(model) if decoder is None else NativeWalk(decoder)


def torch_walk(model: Model, weights: str = "float32") -> Walk:
    """The way that works everywhere; it knows no other weights."""
    if isinstance(model, CountedModel):
        return TorchWalk(model, set(), torch.device("cpu"), f"numpy {np.__version__}")
    steps = NetworkSteps(model)
    sizes = {size for cell in model._cells() for weight in cell.parameters() for size in weight.shape}
    kind = "packed weights" if steps.packed else "plain weights"
    return TorchWalk(steps, sizes, model.embedding.weight.device, kind)
