"""LSTM with multiplicative integration (Wu et al. 2016, arXiv:1606.06630)."""

from pathlib import Path

import torch
from torch import Tensor, nn

from bot import hookimpl
from bot.model import CompiledCell, Kernel, State, input_weight, recurrent_weight
from bot.model.by_hand import Walk


class MiLstm(CompiledCell):
    """An LSTM whose gates read alpha*Wx*Uh + beta1*Uh + beta2*Wx + b where the plain one reads Wx + Uh + b.

    The product lets the input open and close what the state says, unit by unit.
    """

    kernel = Kernel(Path(__file__).with_suffix(".c"), gates=4, states=2, keeps=9)

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        gates = 4 * hidden_size
        self.weight_ih = input_weight(gates, input_size)
        self.weight_hh = recurrent_weight(4, hidden_size)
        self.alpha = nn.Parameter(torch.full((gates,), 1.0))
        self.beta1 = nn.Parameter(torch.full((gates,), 0.5))
        self.beta2 = nn.Parameter(torch.full((gates,), 0.5))
        self.bias = nn.Parameter(torch.zeros(gates))
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        """(..., E) -> (..., 8H): what multiplies Uh, and what is added to it."""
        wx = self.kernel_input(inputs)
        factors, summands = self.alpha * wx + self.beta1, self.beta2 * wx + self.bias
        return torch.cat([factors, summands], dim=-1)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state  # (B, H) each
        factors, summands = wx.chunk(2, dim=-1)
        i, f, g, o = torch.addcmul(summands, factors, h @ self.weight_hh.T).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, (h, c)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        factors, summands = wx.chunk(2, dim=-1)
        i, f, _, o = torch.addcmul(summands, factors, state[0] @ self.weight_hh.T).chunk(4, dim=-1)
        return {"input": i.sigmoid(), "forget": f.sigmoid(), "output": o.sigmoid()}

    def look_up_in_torch(
        self, table: Tensor, ids: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        state = self.initial_state(ids.shape[1]) if state is None else state
        outputs, *after = Walk.apply(self, self.project(table), ids, self.weight_hh, *state)
        return outputs, tuple(after)

    def between(self, x: Tensor, u: Tensor, before: State) -> tuple[State, State]:
        """The step after the product, told what the backward pass wants to know: gates and tanh(c)."""
        factors, summands = x.chunk(2, dim=-1)
        gates = torch.addcmul(summands, factors, u)
        i, f, g, o = gates.chunk(4, dim=-1)
        for gate in (i, f, o):
            gate.sigmoid_()
        c = torch.addcmul(f * before[1], i, g.tanh_())
        bounded = c.tanh()
        return (gates, bounded), (o * bounded, c)

    def back(
        self, x: Tensor, u: Tensor, kept: State, before: State, by_after: State
    ) -> tuple[Tensor, Tensor, State]:
        gates, bounded = kept
        (i, f, g, o), (by_h, by_c) = gates.chunk(4, dim=-1), by_after
        by_c = by_c + torch.ops.aten.tanh_backward(by_h * o, bounded)
        by_gates = torch.cat([by_c * g, by_c * before[1], by_c * i, by_h * bounded], dim=-1)
        by_i, by_f, by_g, by_o = by_gates.chunk(4, dim=-1)
        for by, gate in ((by_i, i), (by_f, f), (by_o, o)):
            by.mul_(gate - gate * gate)
        by_g.copy_(torch.ops.aten.tanh_backward(by_g, g))
        factors, _ = x.chunk(2, dim=-1)
        by_x = torch.cat([by_gates * u, by_gates], dim=-1)
        return by_gates * factors, by_x, (torch.zeros_like(by_h), by_c * f)

    def kernel_input(self, inputs: Tensor) -> Tensor:
        return inputs @ self.weight_ih.T  # (..., E) -> (..., 4H)

    def parameters_of_step(self) -> Tensor:
        return torch.cat([self.alpha, self.beta1, self.beta2, self.bias])


@hookimpl
def register_cells() -> dict[str, type]:
    return {"mi_lstm": MiLstm}
