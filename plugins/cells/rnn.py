"""The plain recurrent network (Elman 1990), with tanh or with relu (Le et al. 2015, arXiv:1504.00941)."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight
from bot.model.devices import cudnn_rnn


class Rnn(Cell):
    """h = f(Wx + Uh + b). U starts orthogonal for tanh.

    For relu, which wants clipping, it starts as the identity and W near nothing: else h grows step by step.
    """

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: Literal["tanh", "relu"] = "tanh"):
        super().__init__(input_size, hidden_size)
        self.nonlinearity = nonlinearity
        self.weight_ih = input_weight(hidden_size, input_size)
        self.weight_hh = recurrent_weight(1, hidden_size)
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        if nonlinearity == "relu":
            nn.init.normal_(self.weight_ih, std=0.001)
            nn.init.eye_(self.weight_hh)

    def initial_state(self, batch_size: int) -> State:
        return (self.weight_hh.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight_ih, self.bias)  # (..., E) -> (..., H)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        total = wx + state[0] @ self.weight_hh.T  # (B, H)
        h = total.relu() if self.nonlinearity == "relu" else total.tanh()
        return h, (h,)

    def unroll(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """torch's own pass."""
        state = self.initial_state(inputs.shape[1]) if state is None else state
        weights = (self.weight_ih, self.weight_hh, self.bias)
        return cudnn_rnn(inputs, state, *weights, nonlinearity=self.nonlinearity)

    def look_up(self, table: Tensor, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        return self.unroll(functional.embedding(ids, table), state)


@hookimpl
def register_cells() -> dict[str, type]:
    return {"rnn": Rnn}
