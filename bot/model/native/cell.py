"""A cell whose walk over a window is compiled, and torch's own where that is not possible.

Shapes as in `bot.model.cell`: T, B, E, H, G, V.
"""

import torch
from torch import Tensor

from bot.model.cell import Cell, State
from bot.model.native.kernel import Kernel
from bot.model.native.sequence import Sequence


class CompiledCell(Cell):
    """The first state is the output; `weight_hh` is what it is multiplied by, `weight_ih` projects inputs.

    A subclass names its `kernel`; `step` stays what is true, the kernel is tested against it.
    """

    kernel: Kernel
    weight_ih: Tensor
    weight_hh: Tensor

    def compiles(self) -> bool:
        """Whether the kernel computes what this cell does; False where an option changes the equations."""
        return True

    def kernel_input(self, inputs: Tensor) -> Tensor:
        """What the kernel reads of its inputs: (..., E) -> (..., G), weight_ih times it and `input_bias`."""
        return self.project(inputs)

    def parameters_of_step(self) -> Tensor:
        """What the kernel needs beside the weights, in a row: (P,)."""
        return self.weight_hh.new_empty(0)

    def input_bias(self) -> Tensor | None:
        """What is added to weight_ih times the input: (G,)."""
        return None

    def decodes(self) -> bool:
        """Whether sampling can do without `step`."""
        return self.compiles() and self.kernel.usable

    def unroll(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        if not self._on_kernel(inputs):
            return self.unroll_in_torch(inputs, state)
        return self._pass(self.kernel_input(inputs).flatten(0, 1), None, state, inputs.shape[1])

    def look_up(self, table: Tensor, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        if not self._on_kernel(table):
            return self.look_up_in_torch(table, ids, state)
        return self._pass(self.kernel_input(table), ids, state, ids.shape[1])

    def unroll_in_torch(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """`unroll` where the kernel cannot be used."""
        return super().unroll(inputs, state)

    def look_up_in_torch(
        self, table: Tensor, ids: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """`look_up` where the kernel cannot be used."""
        return super().look_up(table, ids, state)

    def _on_kernel(self, inputs: Tensor) -> bool:
        plain = inputs.device.type == "cpu" and inputs.dtype == torch.float32
        return plain and self.compiles() and self.kernel.usable

    def _pass(
        self, table: Tensor, places: Tensor | None, state: State | None, rows: int
    ) -> tuple[Tensor, State]:
        state = self.initial_state(rows) if state is None else state
        learning, parameters = torch.is_grad_enabled(), self.parameters_of_step()
        outputs, *after = Sequence.apply(
            self.kernel, learning, table, places, self.weight_hh, parameters, *state
        )  # type: ignore[no-untyped-call]
        return outputs, tuple(after)
