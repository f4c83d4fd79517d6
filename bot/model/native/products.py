"""Products of chosen rows by a weight that was packed once, and the draw of a token: what decoding.c offers.

Each row's numbers are the same to the last bit whatever rows are computed beside it.
Shapes: n rows of N that are kept, K inputs, V ids.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.model.native import compiler
from bot.model.native.kernel import NUMBER, POINTER, at

SOURCE = Path(__file__).with_name("decoding.c")
FLOAT = ctypes.c_float


@cache
def library() -> ctypes.CDLL | None:
    """The compiled file, None where there is no compiler."""
    loaded = compiler.load(SOURCE)
    if loaded is not None:
        loaded.pack_weight.argtypes = [POINTER] + [NUMBER] * 4 + [POINTER]
        loaded.pack_weight8.argtypes = [POINTER, NUMBER, NUMBER, POINTER, POINTER, POINTER]
        rows: list[Any] = [POINTER, POINTER, NUMBER]
        result: list[Any] = [NUMBER, NUMBER, POINTER, POINTER, NUMBER]
        loaded.multiply.argtypes = [*rows, POINTER, POINTER, *result]
        loaded.multiply8.argtypes = [*rows, POINTER, POINTER, POINTER, POINTER, *result]
        inputs: list[Any] = [POINTER, NUMBER, NUMBER, POINTER, POINTER, NUMBER, POINTER]
        loaded.draw.argtypes = [*inputs, NUMBER, FLOAT, FLOAT, *[POINTER] * 3]
    return loaded


def _loaded() -> ctypes.CDLL:
    found = library()
    assert found is not None
    return found


class Product:
    """y = bias + x W^T in float32; weight (N, K), bias (N,) or None."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None):
        weight = weight.detach().float().contiguous()
        self.outputs, self.inputs = weight.shape
        self._bias = None if bias is None else bias.detach().float().contiguous()
        panel = _loaded().panel_size()
        self._panels = torch.empty(-(-self.outputs // panel) * panel * self.inputs)
        _loaded().pack_weight(at(weight), *weight.shape, *weight.stride(), at(self._panels))

    def __call__(self, x: Tensor, rows: Tensor, y: Tensor) -> None:
        """The rows (n,) int64 of x (capacity, K) -> the first N columns of y (n or more, any width)."""
        room = torch.empty(len(rows), self.inputs)
        sizes = (self.outputs, self.inputs)
        where = (at(room), at(y), y.stride(0))
        _loaded().multiply(at(x), at(rows), len(rows), at(self._panels), at(self._bias), *sizes, *where)


class Product8(Product):
    """The same with weights of 8 bits, and inputs of 8 bits, a scale for each output and each row."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None):
        weight = weight.detach().float().contiguous()
        self.outputs, self.inputs = weight.shape
        self._bias = None if bias is None else bias.detach().float().contiguous()
        panel = _loaded().panel8_size()
        outputs, inputs = -(-self.outputs // panel) * panel, -(-self.inputs // 4) * 4
        self._panels = torch.empty(outputs * inputs, dtype=torch.int8)
        self._scales, self._offsets = torch.empty(outputs), torch.empty(outputs, dtype=torch.int32)
        packed = (at(self._panels), at(self._scales), at(self._offsets))
        _loaded().pack_weight8(at(weight), self.outputs, self.inputs, *packed)

    def __call__(self, x: Tensor, rows: Tensor, y: Tensor) -> None:
        room = torch.empty(len(rows), self.inputs + 7, dtype=torch.uint8)
        packed = (at(self._panels), at(self._scales), at(self._offsets), at(self._bias))
        sizes = (self.outputs, self.inputs)
        where = (at(room), at(y), y.stride(0))
        _loaded().multiply8(at(x), at(rows), len(rows), *packed, *sizes, *where)


def draw(
    logits: NDArray[np.float32],
    inverse_temperatures: NDArray[np.float32],
    barred: NDArray[np.float32],
    uniforms: NDArray[np.float64],
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """One id a row of logits (n, V) by inverse transform, and its loss at temperature 1, nothing left out.

    inverse_temperatures, uniforms: (n,); barred: (V,) or (n, V), -inf where an id must not be drawn, else 0.
    Temperature first, then top_k (0: off), top_p (1: off), min_p (0: off), each on what the one before left.
    """
    count, size = logits.shape
    ids, losses, room = np.empty(count, np.int64), np.empty(count), np.empty(size, np.float32)
    scores, warmth, bars = (
        np.ascontiguousarray(array, np.float32) for array in (logits, inverse_temperatures, barred)
    )
    chances = np.ascontiguousarray(uniforms, np.float64)
    first = (scores.ctypes.data, count, size, warmth.ctypes.data, bars.ctypes.data, size * (bars.ndim - 1))
    results = (room.ctypes.data, ids.ctypes.data, losses.ctypes.data)
    _loaded().draw(*first, chances.ctypes.data, top_k, top_p, min_p, *results)
    return ids, losses
