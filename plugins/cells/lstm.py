"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000)."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bot import hookimpl
from bot.model import CompiledCell, Kernel, State, input_weight, recurrent_weight
from bot.model.devices import cudnn_lstm


class Lstm(CompiledCell):
    """Gates i f g o read Wx + Uh + b; c = f*c + i*g, h = o*tanh(c). The forget bias starts at 1.

    gates: hard_sigmoid is the straight line 0.2x + 0.5, cut at 0 and 1. coupled: what is forgotten is
    written, i = 1 - f (Greff et al. 2015, arXiv:1503.04069); a quarter of the weights falls away.
    """

    kernel = Kernel(Path(__file__).with_suffix(".c"), gates=4, states=2, keeps=5)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        gates: Literal["sigmoid", "hard_sigmoid"] = "sigmoid",
        coupled: bool = False,
    ):
        super().__init__(input_size, hidden_size)
        self.gates, self.coupled = gates, coupled
        count = 3 if coupled else 4  # f g o, or i f g o
        self.weight_ih = input_weight(count * hidden_size, input_size)
        self.weight_hh = recurrent_weight(count, hidden_size)
        self.bias = nn.Parameter(torch.zeros(count * hidden_size))
        with torch.no_grad():
            self.bias.chunk(count)[-3].fill_(1.0)  # forget little at first

    def initial_state(self, batch_size: int) -> State:
        zeros = self.weight_hh.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.weight_ih, self.bias)  # (..., E) -> (..., 4H or 3H)

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state  # (B, H) each
        *i, f, g, o = torch.addmm(wx, h, self.weight_hh.T).split(self.hidden_size, dim=-1)
        f, g, o = self._gate(f), g.tanh(), self._gate(o)
        c = torch.lerp(g, c, f) if self.coupled else f * c + self._gate(i[0]) * g
        h = o * c.tanh()
        return h, (h, c)

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        *i, f, _, o = torch.addmm(wx, state[0], self.weight_hh.T).split(self.hidden_size, dim=-1)
        forget = self._gate(f)
        return {"input": self._gate(i[0]) if i else 1 - forget, "forget": forget, "output": self._gate(o)}

    def _gate(self, total: Tensor) -> Tensor:
        return total.sigmoid() if self.gates == "sigmoid" else (0.2 * total + 0.5).clamp(0, 1)

    def compiles(self) -> bool:
        return not self.coupled and self.gates == "sigmoid"

    def input_bias(self) -> Tensor:
        return self.bias

    def unroll_in_torch(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """torch's own pass, which knows no options."""
        if not self.compiles():
            return super().unroll_in_torch(inputs, state)
        state = self.initial_state(inputs.shape[1]) if state is None else state
        return cudnn_lstm(inputs, state, self.weight_ih, self.weight_hh, self.bias)

    def look_up_in_torch(
        self, table: Tensor, ids: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        if not self.compiles():
            return super().look_up_in_torch(table, ids, state)
        return self.unroll_in_torch(functional.embedding(ids, table), state)


@hookimpl
def register_cells() -> dict[str, type]:
    return {"lstm": Lstm}
