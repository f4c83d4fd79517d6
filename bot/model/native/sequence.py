"""A compiled cell's pass over a window as an operation that torch can differentiate.

Shapes: T time steps, B rows, H hidden_size, G all gates, V rows of a table, P parameters beside the weights.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor

from bot.model.native.kernel import Kernel
from bot.model.native.memory import lend, take_back

CHUNK = 16  # steps whose gradients by the weight are summed at once: a fast product of what is still near


class Sequence(torch.autograd.Function):
    """Outputs (T, B, H) and the states after the window, (B, H) each.

    learning: whether gradients will be asked for. table (V, G): projected inputs. places (T, B) int64: the
    row each step reads; None: (T * B, G) rows in order. weight (G, H): multiplies the output.
    parameters (P,).
    """

    @staticmethod
    def forward(
        ctx: Any,
        kernel: Kernel,
        learning: bool,
        table: Tensor,
        places: Tensor | None,
        weight: Tensor,
        parameters: Tensor,
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        rows, hidden = states[0].shape
        _check(kernel, table, places, weight, states)
        steps = len(table) // rows if places is None else len(places)
        table, weight, parameters = table.contiguous(), weight.contiguous(), parameters.contiguous()
        places = None if places is None else places.contiguous()
        walks = [_begun(state, steps) for state in states]
        kept = lend((steps if learning else 1) * rows * kernel.keeps * hidden)
        packed = kernel.pack(weight)
        window = kernel.window(table, places, packed, parameters, walks, kept, learning)
        kernel.library.forward(ctypes.byref(window))
        ctx.kernel, ctx.kept = kernel, kept
        ctx.save_for_backward(table, places, weight, parameters, *walks)
        if not learning:
            take_back(kept)
        return walks[0][1:], *(walk[-1].clone() for walk in walks)

    @staticmethod
    def backward(ctx: Any, *by: Tensor) -> tuple[Tensor | None, ...]:
        by_outputs, *by_states = (gradient.contiguous() for gradient in by)
        table, places, weight, parameters, *walks = ctx.saved_tensors
        kernel: Kernel = ctx.kernel
        if ctx.kept is None:  # others write there by now
            msg = "a window's gradients can be had once"
            raise RuntimeError(msg)
        steps, rows, _ = by_outputs.shape
        by_states = [gradient.clone() for gradient in by_states]
        by_table = torch.empty_like(table) if places is None else torch.zeros_like(table)
        by_weight, by_parameters = torch.zeros_like(weight), torch.zeros_like(parameters)
        chunk = min(CHUNK, steps)
        room = (table.new_empty(chunk * rows * len(weight)), kernel.room_for(chunk * rows, weight.shape[1]))
        packed = kernel.pack(weight.T)
        window = kernel.window(table, places, packed, parameters, walks, ctx.kept, True)
        sums = (by_weight, by_table, by_parameters)
        gradients = kernel.gradients(by_outputs, by_states, *sums, room, chunk)
        kernel.library.backward(ctypes.byref(window), ctypes.byref(gradients))
        take_back(ctx.kept)
        ctx.kept = None
        return None, None, by_table, None, by_weight, by_parameters, *by_states


def _check(
    kernel: Kernel, table: Tensor, places: Tensor | None, weight: Tensor, states: tuple[Tensor, ...]
) -> None:
    """The kernels read memory as they are told: what does not fit together must not reach them."""
    rows, hidden = states[0].shape
    fits = (
        {tensor.dtype for tensor in (table, weight, *states)} == {torch.float32}
        and all(state.shape == (rows, hidden) for state in states)
        and weight.shape == (kernel.gates * hidden, hidden)
        and table.shape[1] == len(weight)
        and len(states) == kernel.states
    )
    if places is None:
        fits = fits and len(table) % rows == 0
    else:
        fits = fits and places.dtype == torch.int64 and places.shape[1:] == (rows,)
        fits = fits and int(places.min()) >= 0 and int(places.max()) < len(table)
    if not fits:
        shapes = [tuple(tensor.shape) for tensor in (table, weight, *states)]
        msg = f"tensors {shapes} or ids outside the table do not fit {kernel.source.name}"
        raise ValueError(msg)


def _begun(state: Tensor, steps: int) -> Tensor:
    """Room for a state at every step, (T + 1, B, H), the first filled in."""
    walk = state.new_empty(steps + 1, *state.shape)
    walk[0] = state
    return walk
