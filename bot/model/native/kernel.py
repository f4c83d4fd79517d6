"""One cell's compiled functions, called with tensors. It does not know what they compute.

Shapes: T time steps, B rows, H hidden_size, G all gates (gates * H), V rows of a table.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bot.model.native import compiler

POINTER, NUMBER = ctypes.c_void_p, ctypes.c_int64


@dataclass(frozen=True)
class Kernel:
    """A C file made with recurrence.h, and the sizes it is written for, in units of hidden_size."""

    source: Path
    gates: int
    states: int
    keeps: int

    @property
    def usable(self) -> bool:
        """Whether it can be compiled here."""
        return self._library is not None

    @property
    def digest(self) -> str:
        return compiler.digest(self.source)

    def pack(self, weight: Tensor) -> Tensor:
        """A matrix (N, K), at any strides, in the order in which a product reads it."""
        outputs, inputs = weight.shape
        panels = self.room_for(inputs, outputs)
        self.library.pack_weight(at(weight), outputs, inputs, *weight.stride(), at(panels))
        return panels

    def room_for(self, inputs: int, outputs: int) -> Tensor:
        """Room for a packed matrix."""
        panel = self.library.panel_size()
        return torch.empty(-(-outputs // panel) * panel * inputs)

    def window(
        self,
        table: Tensor,
        places: Tensor | None,
        weight: Tensor,
        parameters: Tensor,
        states: Sequence[Tensor],
        kept: Tensor,
        keeps_all: bool,
    ) -> ctypes.Structure:
        """The Window of recurrence.h; every tensor must live as long as it does.

        table (V, G), places (T, B), states (T + 1, B, H) each, kept: room for keeps * H numbers a row, of
        every step or, without `keeps_all`, of one.
        """
        steps, rows, hidden = states[0].shape
        addresses = self.addresses(states)
        return self._window(
            steps - 1,
            rows,
            hidden,
            at(table),
            at(places),
            at(weight),
            at(parameters),
            addresses,
            at(kept),
            keeps_all,
        )

    def gradients(
        self,
        outputs: Tensor,
        states: Sequence[Tensor],
        weight: Tensor,
        table: Tensor,
        parameters: Tensor,
        room: Sequence[Tensor],
        chunk: int,
    ) -> ctypes.Structure:
        """The Gradients of recurrence.h; room: for by_u and packed_outputs."""
        sums = map(at, (weight, table, parameters))
        return self._gradients(at(outputs), self.addresses(states), *sums, chunk, *map(at, room))

    def addresses(self, states: Sequence[Tensor]) -> Any:
        """Where the states lie, as C wants it."""
        return (POINTER * self.states)(*map(at, states))

    def step_rows(
        self,
        hidden: int,
        table: Tensor,
        places: Tensor | None,
        parameters: Tensor,
        rows: Tensor,
        states: Any,
        said: Tensor,
    ) -> None:
        """One step of chosen rows (n,). said (n or more, keeps * H): what the state says, in the first G."""
        where = (at(table), at(places), at(parameters), at(rows), states, at(said))
        self.library.step_rows(len(rows), hidden, *where)

    @property
    def library(self) -> ctypes.CDLL:
        """Only where it is `usable`."""
        assert self._library is not None
        return self._library

    @cached_property
    def _library(self) -> ctypes.CDLL | None:
        library = compiler.load(self.source)
        if library is not None:
            library.pack_weight.argtypes = [POINTER, NUMBER, NUMBER, NUMBER, NUMBER, POINTER]
            library.forward.argtypes = [POINTER]
            library.step_rows.argtypes = [NUMBER, NUMBER, *[POINTER] * 6]
            library.backward.argtypes = [POINTER, POINTER]
        return library

    @cached_property
    def _window(self) -> type[ctypes.Structure]:
        numbers, pointers = ("steps", "rows", "hidden"), ("table", "places", "weight", "parameters")
        return _structure(
            [(name, NUMBER) for name in numbers]
            + [(name, POINTER) for name in pointers]
            + [("states", POINTER * self.states), ("kept", POINTER), ("keeps_all", NUMBER)]
        )

    @cached_property
    def _gradients(self) -> type[ctypes.Structure]:
        return _structure(
            [("by_outputs", POINTER), ("by_states", POINTER * self.states)]
            + [(name, POINTER) for name in ("by_weight", "by_table", "by_parameters")]
            + [("chunk", NUMBER), ("by_u", POINTER), ("packed_outputs", POINTER)]
        )


def at(tensor: Tensor | None) -> int | None:
    """Where its numbers lie. The kernels read memory as it comes: a tensor with other strides is an error."""
    return None if tensor is None else tensor.data_ptr()


def _structure(fields: list[tuple[str, Any]]) -> type[ctypes.Structure]:
    return type("Fields", (ctypes.Structure,), {"_fields_": fields})
