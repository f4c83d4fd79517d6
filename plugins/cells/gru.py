"""Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) in the form that cuDNN made usual."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import CompiledCell, Kernel, State, input_weight, recurrent_weight
from bot.model.devices import cudnn_gru


class Gru(CompiledCell):
    """Gates r z n; the reset gate opens what the state says: n = tanh(Wx + b + r*(Uh + b'))."""

    kernel = Kernel(Path(__file__).with_suffix(".c"), gates=3, states=1, keeps=4)

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        gates = 3 * hidden_size
        self.weight_ih = input_weight(gates, input_size)
        self.weight_hh = recurrent_weight(3, hidden_size)
        self.bias_ih = nn.Parameter(torch.zeros(gates))
        self.bias_hh = nn.Parameter(torch.zeros(gates))

    def initial_state(self, batch_size: int) -> State:
        return (self.weight_hh.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight_ih, self.bias_ih)  # (..., E) -> (..., 3H)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state  # (B, H)
        r_x, z_x, n_x = wx.chunk(3, dim=-1)
        r_h, z_h, n_h = functional.linear(h, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        h = torch.lerp((n_x + r * n_h).tanh(), h, z)  # (1 - z) * n + z * h
        return h, (h,)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        r, z, _ = (wx + functional.linear(state[0], self.weight_hh, self.bias_hh)).chunk(3, dim=-1)
        return {"reset": r.sigmoid(), "update": z.sigmoid()}

    def parameters_of_step(self) -> Tensor:
        return self.bias_hh

    def input_bias(self) -> Tensor:
        return self.bias_ih

    def unroll_in_torch(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        state = self.initial_state(inputs.shape[1]) if state is None else state
        return cudnn_gru(inputs, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def look_up_in_torch(
        self, table: Tensor, ids: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        return self.unroll_in_torch(functional.embedding(ids, table), state)


@hookimpl
def register_cells() -> dict[str, type]:
    return {"gru": Gru}
