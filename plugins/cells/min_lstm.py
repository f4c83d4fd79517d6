"""The minimal LSTM (Feng et al. 2024, arXiv:2410.01201): its gates read the input alone and sum to 1."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight


class MinLstm(Cell):
    """h' = f/(f + i)*h + i/(f + i)*n, with i and f = sigmoid(Wx + b) and n = W_n x + b_n.

    One layer only mixes what it reads, and forgets; two upon another do more. The forget bias starts at 1.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(3 * hidden_size, input_size)
        self.bias = nn.Parameter(torch.zeros(3 * hidden_size))
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        return (self.bias.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        """(..., E) -> (..., 2H): f/(f + i) and n are ready, for they know nothing of the state."""
        i, f, n = functional.linear(inputs, self.weight_ih, self.bias).chunk(3, dim=-1)
        share = (
            functional.logsigmoid(f) - functional.logsigmoid(i)
        ).sigmoid()  # no 0/0 where both gates close
        return torch.cat([share, n], dim=-1)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        share, n = wx.chunk(2, dim=-1)  # (B, H) each
        h = torch.lerp(n, state[0], share)
        return h, (h,)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        share, _ = wx.chunk(2, dim=-1)
        return {"forget": share}  # the share of the old; the new has the rest


@hookimpl
def register_cells() -> dict[str, type]:
    return {"min_lstm": MinLstm}
