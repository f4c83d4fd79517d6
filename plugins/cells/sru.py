"""The simple recurrent unit (Lei et al. 2018, arXiv:1709.02755)."""

import torch
from torch import Tensor, nn

from bot import hookimpl
from bot.model import Cell, State, input_weight


class Sru(Cell):
    """c' = f*c + (1 - f)*Wx, h = r*c' + (1 - r)*x; the gates f and r read W x + v*c + b, unit by unit.

    An x of another width than h is brought to it by a matrix of its own.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(3 * hidden_size, input_size)  # f r and what is written
        self.weight_hh = nn.Parameter(torch.zeros(2 * hidden_size))  # v of f and r
        self.bias = nn.Parameter(torch.zeros(2 * hidden_size))
        self.skip = (
            nn.Identity() if input_size == hidden_size else nn.Linear(input_size, hidden_size, bias=False)
        )

    def initial_state(self, batch_size: int) -> State:
        return (self.bias.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        gates, written = (inputs @ self.weight_ih.T).split([2 * self.hidden_size, self.hidden_size], dim=-1)
        return torch.cat([gates + self.bias, written, self.skip(inputs)], dim=-1)  # (..., E) -> (..., 4H)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        (c,) = state  # (B, H)
        f, r, written, x = self._parts(wx, c)
        c = torch.lerp(written, c, f)
        return torch.lerp(x, c, r), (c,)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        f, r, _, _ = self._parts(wx, state[0])
        return {"forget": f, "output": r}  # where r is shut, x is shown instead of the memory

    def _parts(self, wx: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The gates f and r, what is written where f is shut, and x."""
        wx_f, wx_r, written, x = wx.chunk(4, dim=-1)
        v_f, v_r = self.weight_hh.chunk(2)
        f, r = torch.addcmul(wx_f, v_f, c).sigmoid(), torch.addcmul(wx_r, v_r, c).sigmoid()
        return f, r, written, x


@hookimpl
def register_cells() -> dict[str, type]:
    return {"sru": Sru}
