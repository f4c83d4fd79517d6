"""A walk over a window whose backward pass is written by hand, in torch's own operations.

Torch's record of every small operation costs more than the operation; here one stands for the whole walk.
The cell says what happens between two matrix products, forward and backward; this room does the rest.

Shapes: T time steps, B rows, H hidden_size, G all gates, V rows of a table, X what a step reads of its input.
"""

from typing import Any, Protocol

import torch
from torch import Tensor

from bot.model.cell import State
from bot.model.packing import times

CHUNK = 16  # steps whose gradients by the weight are summed in one product


class ByHand(Protocol):
    """What a cell adds to be walked by hand. Its first state is its output, which `weight_hh` multiplies."""

    weight_hh: Tensor

    def between(self, x: Tensor, u: Tensor, before: State) -> tuple[State, State]:
        """x (B, X) and u = h @ weight_hh.T (B, G) -> what `back` will want to know, and the state after."""

    def back(
        self, x: Tensor, u: Tensor, kept: State, before: State, by_after: State
    ) -> tuple[Tensor, Tensor, State]:
        """Gradients by the state after -> by u, by x, by the state before (but not through u)."""


class Walk(torch.autograd.Function):
    """Outputs (T, B, H) and the state after, of a cell that reads rows of a table (V, X) at ids (T, B)."""

    @staticmethod
    def forward(
        ctx: Any, cell: ByHand, table: Tensor, ids: Tensor, weight: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        said, kept, states, product = [], [], [state], times(weight)
        for places in ids.unbind(0):
            said.append(product(states[-1][0]))
            known, after = cell.between(table.index_select(0, places), said[-1], states[-1])
            kept.append(known)
            states.append(after)
        ctx.cell, ctx.walk = cell, (said, kept, states)
        ctx.save_for_backward(table, ids, weight)
        return torch.stack([after[0] for after in states[1:]]), *states[-1]

    @staticmethod
    def backward(ctx: Any, *by: Tensor) -> tuple[Tensor | None, ...]:
        table, ids, weight = ctx.saved_tensors
        said, kept, states = ctx.walk
        by_outputs, *by_after = by
        by_table, by_weight = torch.zeros_like(table), torch.zeros_like(weight)
        by_said: list[Tensor] = []
        product = times(weight.T)
        for t in reversed(range(len(ids))):
            by_after[0] = by_after[0] + by_outputs[t]
            x = table.index_select(0, ids[t])
            by_u, by_x, by_before = ctx.cell.back(x, said[t], kept[t], states[t], tuple(by_after))
            by_table.index_add_(0, ids[t], by_x)
            by_after = [by_before[0].add_(product(by_u)), *by_before[1:]]
            by_said.append(by_u)
            if len(by_said) == CHUNK or t == 0:
                outputs = [state[0] for state in states[t : t + len(by_said)]]
                by_weight.addmm_(torch.cat(by_said[::-1]).T, torch.cat(outputs))
                by_said = []
        return None, by_table, None, by_weight, *by_after
