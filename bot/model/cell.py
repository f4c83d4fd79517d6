"""What every recurrent cell can do. It knows nothing of tokens, layers or training.

Shapes: T time steps, B rows of a batch, E input_size, H hidden_size, G whatever a cell projects to,
V rows of a table.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

State = tuple[Tensor, ...]  # each (B, ...): rows can be picked, dropped and replaced


def input_weight(outputs: int, input_size: int) -> nn.Parameter:
    """A weight (outputs, input_size) that keeps the size of what it reads (Glorot and Bengio 2010)."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(outputs, input_size)))


def recurrent_weight(gates: int, hidden_size: int) -> nn.Parameter:
    """A weight (gates * H, H), an orthogonal square for each gate (Saxe et al. 2013, arXiv:1312.6120)."""
    weight = nn.Parameter(torch.empty(gates * hidden_size, hidden_size))
    with torch.no_grad():
        for square in weight.chunk(gates):
            nn.init.orthogonal_(square)
    return weight


class Cell(nn.Module):
    """One recurrent layer: a projection of its inputs, made for a whole window at once, and a step in time.

    A subclass takes `input_size` and `hidden_size` and, as further keyword arguments, its own options.
    Recurrent weights are named `weight_hh...`: weight dropout finds them by that name.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size

    def initial_state(self, batch_size: int) -> State:
        """The state before the first input, on the device and in the type of the weights."""
        raise NotImplementedError

    def project(self, inputs: Tensor) -> Tensor:
        """What a step needs of its input: (..., E) -> (..., G), one product for all of them."""
        raise NotImplementedError

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        """One step in time: (B, G) and a state -> output (B, H) and the next state."""
        raise NotImplementedError

    def gate_values(self, wx: Tensor, state: State) -> dict[str, Tensor]:
        """What the gates of such a step let through, 0 to 1, by name: (B, H) each. For figures alone.

        A cell that leaves this out has its state shown instead.
        """
        return {}

    def unroll(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Walk a window: (T, B, E) -> outputs (T, B, H) and the state after it.

        state: None for the initial one. A subclass may override this with a fused pass that gives the same.
        """
        return self._walk(self.project(inputs), state)

    def look_up(self, table: Tensor, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The same for a window whose inputs are rows of a table: (V, E), (T, B) -> (T, B, H), state.

        Each row is projected once, however often it is read. A subclass may override this too.
        """
        return self._walk(functional.embedding(ids, self.project(table)), state)

    def forward(
        self, inputs: Tensor, state: State | None = None, ids: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """`unroll`, or with ids `look_up`."""
        return self.unroll(inputs, state) if ids is None else self.look_up(inputs, ids, state)

    def _walk(self, projected: Tensor, state: State | None) -> tuple[Tensor, State]:
        state = self.initial_state(projected.shape[1]) if state is None else state
        outputs = []
        for wx in projected.unbind(0):  # indexing projected[t] would make the backward pass quadratic
            output, state = self.step(wx, state)
            outputs.append(output)
        return torch.stack(outputs), state
