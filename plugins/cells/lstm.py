"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State


class Lstm(Cell):
    """Gates i f g o read Wx + Uh + b; c = f*c + i*g, h = o*tanh(c). The forget bias starts at 1."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        gates = 4 * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(gates, input_size))
        self.weight_hh = nn.Parameter(torch.empty(gates, hidden_size))
        self.bias = nn.Parameter(torch.zeros(gates))
        nn.init.xavier_uniform_(self.weight_ih)
        with torch.no_grad():
            for gate in self.weight_hh.chunk(4):
                nn.init.orthogonal_(gate)
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight_ih, self.bias)  # (..., E) -> (..., 4H)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state  # (B, H) each
        i, f, g, o = (wx + h @ self.weight_hh.T).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, (h, c)

    def unroll(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """torch's fused pass; it wants two biases and a leading dimension for layers."""
        h, c = self.initial_state(inputs.shape[1]) if state is None else state
        weights = [self.weight_ih, self.weight_hh, self.bias, torch.zeros_like(self.bias)]
        outputs, h, c = torch.lstm(
            inputs, (h[None], c[None]), weights, True, 1, 0.0, self.training, False, False
        )  # has_biases, num_layers, dropout, train, bidirectional, batch_first
        return outputs, (h[0], c[0])


@hookimpl
def register_cells() -> dict[str, type]:
    return {"lstm": Lstm}
