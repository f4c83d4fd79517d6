"""LSTM with multiplicative integration (arXiv:1606.06630) of normalised layers (arXiv:1607.06450)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class LayerNormMiLstm(Cell):
    """Gates i f g o read alpha*LN(Wx)*LN(Uh) + beta1*LN(Uh) + beta2*LN(Wx) + b; h = o*tanh(LN(c)).

    LN(Wx) and LN(Uh) run over all four gates and have no gains: alpha, beta1 and beta2 are theirs.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        gates = 4 * hidden_size
        self.weight_ih = input_weight(gates, input_size)
        self.weight_hh = recurrent_weight(4, hidden_size)
        self.alpha = nn.Parameter(torch.full((gates,), 1.0))
        self.beta1 = nn.Parameter(torch.full((gates,), 0.5))
        self.beta2 = nn.Parameter(torch.full((gates,), 0.5))
        self.bias = nn.Parameter(torch.zeros(gates))
        self.norm_c = nn.LayerNorm(hidden_size)
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        """(..., E) -> (..., 8H): what multiplies LN(Uh), and what is added to it."""
        wx = functional.layer_norm(inputs @ self.weight_ih.T, self.bias.shape)
        return torch.cat([self.alpha * wx + self.beta1, self.beta2 * wx + self.bias], dim=-1)

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
        uh = functional.layer_norm(h @ self.weight_hh.T, self.bias.shape)
        factor, summand = wx.chunk(2, dim=-1)
        i, f, g, o = torch.addcmul(summand, factor, uh).chunk(4, dim=-1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


@hookimpl
def register_cells() -> dict[str, type]:
    return {"layer_norm_mi_lstm": LayerNormMiLstm}
