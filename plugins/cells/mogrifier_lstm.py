"""Mogrifier LSTM (Melis, Kočiský and Blunsom 2019, arXiv:1909.01792)."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class MogrifierLstm(Cell):
    """Before an LSTM reads them, input and state gate each other: x = 2*sigmoid(Qh)*x, h = 2*sigmoid(Rx)*h.

    rounds: how many such gates follow one another, x's first, each with a matrix of its own.
    """

    def __init__(self, input_size: int, hidden_size: int, rounds: Annotated[int, Field(ge=0, le=64)] = 5):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(4 * hidden_size, input_size)
        self.weight_hh = recurrent_weight(4, hidden_size)
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        sizes = [(input_size, hidden_size), (hidden_size, input_size)]  # of Q, of R
        self.rounds = nn.ParameterList(input_weight(*sizes[number % 2]) for number in range(rounds))
        with torch.no_grad():
            self.bias[hidden_size : 2 * hidden_size] = 1.0  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        return inputs  # (..., E): the state gates the input before anything else is done with it

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state  # (B, H) each
        i, f, g, o = self._gates(wx, h)
        c = f * c + i * g
        h = o * c.tanh()
        return h, (h, c)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        i, f, _, o = self._gates(wx, state[0])
        return {"input": i, "forget": f, "output": o}

    def _gates(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # x: (B, E)
        for number, matrix in enumerate(self.rounds):
            if number % 2 == 0:
                x = 2 * (h @ matrix.T).sigmoid() * x
            else:
                h = 2 * (x @ matrix.T).sigmoid() * h
        total = functional.linear(x, self.weight_ih, self.bias)
        i, f, g, o = torch.addmm(total, h, self.weight_hh.T).chunk(4, dim=-1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()


@hookimpl
def register_cells() -> dict[str, type]:
    return {"mogrifier_lstm": MogrifierLstm}
