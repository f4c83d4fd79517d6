"""The minimal GRU (Feng et al. 2024, arXiv:2410.01201): its gate reads the input alone."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight


class MinGru(Cell):
    """h' = (1 - z)*h + z*n, with z = sigmoid(W_z x + b_z) and n = W_n x + b_n.

    One layer only mixes what it reads, and forgets; two upon another do more.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(2 * hidden_size, input_size)
        self.bias = nn.Parameter(torch.zeros(2 * hidden_size))

    def initial_state(self, batch_size: int) -> State:
        return (self.bias.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        """(..., E) -> (..., 2H): z and n are ready, for they know nothing of the state."""
        z, n = functional.linear(inputs, self.weight_ih, self.bias).chunk(2, dim=-1)
        return torch.cat([z.sigmoid(), n], dim=-1)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        z, n = wx.chunk(2, dim=-1)  # (B, H) each
        h = torch.lerp(state[0], n, z)
        return h, (h,)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        z, _ = wx.chunk(2, dim=-1)
        return {"input": z}  # open, it lets the new in; the update gate of `gru` keeps the old


@hookimpl
def register_cells() -> dict[str, type]:
    return {"min_gru": MinGru}
