"""LSTM with layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class LayerNormLstm(Cell):
    """Gates i f g o read LN(Uh) + LN(Wx) + b; c = f*c + i*g, h = o*tanh(LN(c)). The forget bias starts at 1.

    LN(Uh) and LN(Wx) run over all four gates, as printed, and have a gain each; their biases would only
    add to b. LN(c) has gain and bias. Gains start at 1.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        gates = 4 * hidden_size
        self.weight_ih = input_weight(gates, input_size)
        self.weight_hh = recurrent_weight(4, hidden_size)
        self.bias = nn.Parameter(torch.zeros(gates))
        self.gain_ih = nn.Parameter(torch.ones(gates))
        self.gain_hh = nn.Parameter(torch.ones(gates))
        self.norm_c = nn.LayerNorm(hidden_size)
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        wx = inputs @ self.weight_ih.T  # (..., E) -> (..., 4H)
        return functional.layer_norm(wx, self.bias.shape, self.gain_ih, self.bias)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state  # (B, H) each
        i, f, g, o = self._gates(wx, h)
        c = f * c + i * g
        h = o * self.norm_c(c).tanh()
        return h, (h, c)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        i, f, _, o = self._gates(wx, state[0])
        return {"input": i, "forget": f, "output": o}

    def _gates(self, wx: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        uh = functional.layer_norm(h @ self.weight_hh.T, self.bias.shape, self.gain_hh)
        i, f, g, o = (wx + uh).chunk(4, dim=-1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


@hookimpl
def register_cells() -> dict[str, type]:
    return {"layer_norm_lstm": LayerNormLstm}
