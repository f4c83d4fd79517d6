"""GRU with multiplicative integration (Wu et al. 2016, arXiv:1606.06630)."""

import torch
from torch import Tensor, nn

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class MiGru(Cell):
    """Gates r z n read alpha*Wx*Uh + beta1*Uh + beta2*Wx + b where the plain ones read Wx + Uh + b.

    For n the state's part is r*(Uh), as in `gru`, where the paper has U(r*h): one product serves all gates.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        gates = 3 * hidden_size
        self.weight_ih = input_weight(gates, input_size)
        self.weight_hh = recurrent_weight(3, hidden_size)
        self.alpha = nn.Parameter(torch.full((gates,), 1.0))
        self.beta1 = nn.Parameter(torch.full((gates,), 0.5))
        self.beta2 = nn.Parameter(torch.full((gates,), 0.5))
        self.bias = nn.Parameter(torch.zeros(gates))

    def initial_state(self, batch_size: int) -> State:
        return (self.weight_hh.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        """(..., E) -> (..., 6H): what multiplies Uh, and what is added to it."""
        wx = inputs @ self.weight_ih.T
        return torch.cat([self.alpha * wx + self.beta1, self.beta2 * wx + self.bias], dim=-1)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state  # (B, H)
        _, z, n = self._gates(wx, h)
        h = torch.lerp(n, h, z)  # (1 - z) * n + z * h
        return h, (h,)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        r, z, _ = self._gates(wx, state[0])
        return {"reset": r, "update": z}

    def _gates(self, wx: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        two, one = 2 * self.hidden_size, self.hidden_size
        factor_rz, factor_n, summand_rz, summand_n = wx.split([two, one, two, one], dim=-1)
        uh_rz, uh_n = (h @ self.weight_hh.T).split([two, one], dim=-1)
        r, z = torch.addcmul(summand_rz, factor_rz, uh_rz).sigmoid().chunk(2, dim=-1)
        return r, z, torch.addcmul(summand_n, factor_n, r * uh_n).tanh()


@hookimpl
def register_cells() -> dict[str, type]:
    return {"mi_gru": MiGru}
