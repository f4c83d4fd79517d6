"""The plain recurrent network with multiplicative integration (Wu et al. 2016, arXiv:1606.06630)."""

import torch
from torch import Tensor, nn

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class MiRnn(Cell):
    """h = tanh(alpha*Wx*Uh + beta1*Uh + beta2*Wx + b) where the plain one has tanh(Wx + Uh + b)."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(hidden_size, input_size)
        self.weight_hh = recurrent_weight(1, hidden_size)
        self.alpha = nn.Parameter(torch.full((hidden_size,), 2.0))
        self.beta1 = nn.Parameter(torch.full((hidden_size,), 0.5))
        self.beta2 = nn.Parameter(torch.full((hidden_size,), 0.5))
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def initial_state(self, batch_size: int) -> State:
        return (self.weight_hh.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        """(..., E) -> (..., 2H): what multiplies Uh, and what is added to it."""
        wx = inputs @ self.weight_ih.T
        return torch.cat([self.alpha * wx + self.beta1, self.beta2 * wx + self.bias], dim=-1)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        factor, summand = wx.chunk(2, dim=-1)  # (B, H) each
        h = torch.addcmul(summand, factor, state[0] @ self.weight_hh.T).tanh()
        return h, (h,)


@hookimpl
def register_cells() -> dict[str, type]:
    return {"mi_rnn": MiRnn}
