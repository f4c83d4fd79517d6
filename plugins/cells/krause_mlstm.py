"""Multiplicative LSTM (Krause et al. 2016, arXiv:1609.07959)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class KrauseMlstm(Cell):
    """m = (W_m x)*(U_m h); gates i f g o read Wx + Um + b; c = f*c + i*g, h = o*tanh(c).

    Every input has, in effect, a transition of the state of its own. The forget bias starts at 1.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(5 * hidden_size, input_size)  # m and the gates
        self.weight_hh_m = recurrent_weight(1, hidden_size)
        self.weight_hh = recurrent_weight(4, hidden_size)
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.bias.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        bias = functional.pad(self.bias, (self.hidden_size, 0))  # m has none
        return functional.linear(inputs, self.weight_ih, bias)  # (..., E) -> (..., 5H)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state  # (B, H) each
        i, f, g, o = self._gates(wx, h)
        c = f * c + i * g
        h = o * c.tanh()
        return h, (h, c)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        i, f, _, o = self._gates(wx, state[0])
        return {"input": i, "forget": f, "output": o}

    def _gates(self, wx: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        wx_m, wx_gates = wx.split([self.hidden_size, 4 * self.hidden_size], dim=-1)
        m = wx_m * (h @ self.weight_hh_m.T)
        i, f, g, o = torch.addmm(wx_gates, m, self.weight_hh.T).chunk(4, dim=-1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


@hookimpl
def register_cells() -> dict[str, type]:
    return {"krause_mlstm": KrauseMlstm}
