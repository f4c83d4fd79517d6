"""The contract of every registered cell, and each cell against its reference."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from bot.model import Cell, State
from tests.models import cell_makers

INPUT, HIDDEN, TIME, BATCH = 5, 6, 7, 3


MAKERS = cell_makers() | {
    "rnn-relu": partial(cell_makers()["rnn"], nonlinearity="relu"),
    "lstm-hard": partial(cell_makers()["lstm"], gates="hard_sigmoid"),
    "lstm-coupled": partial(cell_makers()["lstm"], coupled=True),
}


@pytest.fixture(params=sorted(MAKERS))
def cell(request: pytest.FixtureRequest) -> Cell:
    """One registered cell with every parameter stirred, so that none hides behind a zero."""
    return stirred(request.param)


def stirred(name: str) -> Cell:
    torch.manual_seed(7)
    cell = MAKERS[name](INPUT, HIDDEN).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return cell


def inputs_for(cell: Cell, time: int = TIME) -> Tensor:
    return torch.randn(time, BATCH, cell.input_size, dtype=torch.float64)


def step_by_step(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    outputs = []
    for x in inputs:
        output, state = cell.step(cell.project(x), state)
        outputs.append(output)
    return torch.stack(outputs), state


def test_the_shipped_cells_are_registered() -> None:
    """rnn, gru, lstm and mi_lstm come with the program."""
    assert {"rnn", "gru", "lstm", "mi_lstm"} <= MAKERS.keys()


def test_unrolling_equals_walking_step_by_step(cell: Cell) -> None:
    """A window gives the outputs and the state that its steps give, from the zero state."""
    inputs = inputs_for(cell)

    expected = step_by_step(cell, inputs, cell.initial_state(BATCH))

    torch.testing.assert_close(cell.unroll(inputs), expected, atol=1e-12, rtol=0)


def test_a_carried_state_continues_the_walk(cell: Cell) -> None:
    """Two windows with the state carried between them give what one long window gives."""
    inputs = inputs_for(cell)
    whole, last = cell.unroll(inputs)

    first, state = cell.unroll(inputs[:3])
    second, end = cell.unroll(inputs[3:], state)

    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(end, last, atol=1e-12, rtol=0)


@pytest.mark.parametrize("walk", ["unroll", "step by step"])
def test_gradients_agree_with_finite_differences(cell: Cell, walk: str) -> None:
    """Both ways of walking give true gradients, in the inputs, the state and every parameter."""
    names = [name for name, _ in cell.named_parameters()]
    state = tuple(torch.randn_like(part).requires_grad_() for part in cell.initial_state(BATCH))
    inputs = inputs_for(cell, time=3).requires_grad_()

    def outputs(*values: Tensor) -> Tensor:
        for name, value in zip(names, values[1 + len(state) :], strict=True):
            delattr(cell, name) if name in cell._parameters else None
            setattr(cell, name, value)
        start = values[1 : 1 + len(state)]
        walked = cell.unroll(values[0], start) if walk == "unroll" else step_by_step(cell, values[0], start)
        return walked[0]

    parameters = [p.detach().clone().requires_grad_() for p in cell.parameters()]
    assert torch.autograd.gradcheck(outputs, (inputs, *state, *parameters))


def test_the_state_reaches_the_output(cell: Cell) -> None:
    """The same input after another past gives another output: a cell that drops its state fails here."""
    x, a, b = inputs_for(cell, time=3).split(1)

    after_a, _ = cell.unroll(torch.cat([a, x]))
    after_b, _ = cell.unroll(torch.cat([b, x]))

    assert not torch.allclose(after_a[-1], after_b[-1])


def test_shapes_of_output_and_state(cell: Cell) -> None:
    """The batch is the first dimension of every state, before and after; outputs are (T, B, H)."""
    outputs, state = cell.unroll(inputs_for(cell))

    assert outputs.shape == (TIME, BATCH, HIDDEN)
    assert [part.shape for part in state] == [part.shape for part in cell.initial_state(BATCH)]
    assert all(part.shape[0] == BATCH for part in state)


def test_rows_do_not_see_each_other(cell: Cell) -> None:
    """A row alone gives what it gives among others."""
    inputs = inputs_for(cell)

    together, _ = cell.unroll(inputs)
    alone, _ = cell.unroll(inputs[:, 1:2])

    torch.testing.assert_close(alone, together[:, 1:2], atol=1e-12, rtol=0)


def test_a_cell_can_be_laid_out_without_memory(cell: Cell) -> None:
    """On the meta device a cell tells its shapes: checkpoints are checked against them before loading."""
    with torch.device("meta"):
        skeleton = type(cell)(INPUT, HIDDEN)

    assert skeleton.state_dict().keys() == cell.state_dict().keys()
    assert all(tensor.is_meta for tensor in skeleton.state_dict().values())


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("lstm", nn.LSTM),
        ("gru", nn.GRU),
        ("rnn", nn.RNN),
        ("rnn-relu", partial(nn.RNN, nonlinearity="relu")),
    ],
)
def test_it_equals_torchs_own_with_copied_weights(name: str, reference: Callable[..., nn.Module]) -> None:
    """In single precision, outputs and last state agree with torch's module to 1e-6, both ways of walking."""
    cell, theirs = MAKERS[name](INPUT, HIDDEN), reference(INPUT, HIDDEN)
    copy_weights(cell, theirs)
    inputs = torch.randn(TIME, BATCH, INPUT)

    expected, last = theirs(inputs)
    last = tuple(part[0] for part in (last if isinstance(last, tuple) else (last,)))

    for outputs, state in (cell.unroll(inputs), step_by_step(cell, inputs, cell.initial_state(BATCH))):
        torch.testing.assert_close(outputs, expected, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(state, last, atol=1e-6, rtol=1e-6)


@torch.no_grad()
def copy_weights(cell: Cell, theirs: nn.Module) -> None:
    """Give one of torch's modules the weights of our cell, split in the two biases that torch keeps."""
    theirs.weight_ih_l0.copy_(cell.weight_ih)
    theirs.weight_hh_l0.copy_(cell.weight_hh)
    if hasattr(cell, "bias_ih"):
        nn.init.normal_(cell.bias_ih), nn.init.normal_(cell.bias_hh)
        theirs.bias_ih_l0.copy_(cell.bias_ih)
        theirs.bias_hh_l0.copy_(cell.bias_hh)
    else:
        nn.init.normal_(theirs.bias_ih_l0), nn.init.normal_(theirs.bias_hh_l0)
        cell.bias.copy_(theirs.bias_ih_l0 + theirs.bias_hh_l0)


def test_without_the_product_mi_lstm_is_an_lstm() -> None:
    """With alpha 0 and both betas 1 the gates read Wx + Uh + b, as a plain LSTM's do."""
    mi, plain = MAKERS["mi_lstm"](INPUT, HIDDEN), MAKERS["lstm"](INPUT, HIDDEN)
    nn.init.zeros_(mi.alpha), nn.init.ones_(mi.beta1), nn.init.ones_(mi.beta2)
    plain.load_state_dict({name: mi.state_dict()[name] for name in plain.state_dict()})
    inputs = torch.randn(TIME, BATCH, INPUT)

    torch.testing.assert_close(mi.unroll(inputs), plain.unroll(inputs), atol=1e-6, rtol=0)


def test_mi_lstm_reads_as_its_paper() -> None:
    """One step by the printed formula, gate by gate, gives the same output."""
    cell = stirred("mi_lstm")
    x, h, c = torch.randn(INPUT).double(), torch.randn(HIDDEN).double(), torch.randn(HIDDEN).double()
    wx, uh = cell.weight_ih @ x, cell.weight_hh @ h

    i, f, g, o = (cell.alpha * wx * uh + cell.beta1 * uh + cell.beta2 * wx + cell.bias).chunk(4)
    expected = torch.sigmoid(o) * torch.tanh(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g))

    actual, _ = cell.step(cell.project(x[None]), (h[None], c[None]))
    torch.testing.assert_close(actual[0], expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["lstm", "mi_lstm"])
def test_a_new_lstm_remembers(name: str) -> None:
    """The forget gate's bias starts at 1, all other biases at 0."""
    bias = MAKERS[name](INPUT, HIDDEN).bias

    i, f, g, o = bias.chunk(4)
    assert torch.equal(f, torch.ones(HIDDEN))
    assert not torch.cat([i, g, o]).any()


def test_recurrent_weights_start_orthogonal_or_as_identity() -> None:
    """Each gate's recurrent matrix keeps lengths at first; relu's is the identity."""
    for name in ("rnn", "gru", "lstm", "mi_lstm"):
        cell = MAKERS[name](INPUT, HIDDEN)
        for gate in cell.weight_hh.split(HIDDEN):
            torch.testing.assert_close(gate @ gate.T, torch.eye(HIDDEN), atol=1e-5, rtol=0)
    assert torch.equal(MAKERS["rnn-relu"](INPUT, HIDDEN).weight_hh, torch.eye(HIDDEN))
