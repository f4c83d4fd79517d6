"""The contract of every registered cell. What each says against its paper stands in test_cell_papers.py."""

import math
import re
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from bot.config import Choice
from bot.errors import ConfigError
from bot.model import Cell, State
from bot.model.evaluation import cross_entropy
from bot.model.language_model import LanguageModel, build
from bot.registry import Registry
from tests.models import cell_makers

INPUT, HIDDEN, TIME, BATCH, ROWS = 5, 6, 7, 3, 4

SHIPPED = {"rnn", "gru", "lstm", "mi_rnn", "mi_gru", "mi_lstm", "layer_norm_lstm", "layer_norm_mi_lstm"}
SHIPPED |= {"krause_mlstm", "mogrifier_lstm", "min_gru", "min_lstm", "sru"}
MAKERS = cell_makers() | {
    "rnn-relu": partial(cell_makers()["rnn"], nonlinearity="relu"),
    "lstm-hard": partial(cell_makers()["lstm"], gates="hard_sigmoid"),
    "lstm-coupled": partial(cell_makers()["lstm"], coupled=True),
    "mogrifier_lstm-2": partial(cell_makers()["mogrifier_lstm"], rounds=2),
}
WALKS = ["unroll", "look_up", "step by step"]


@pytest.fixture(params=sorted(MAKERS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def cell(name: str) -> Cell:
    """One registered cell with every parameter stirred, so that none hides behind a zero."""
    return stirred(name)


def stirred(name: str, input_size: int = INPUT, hidden_size: int = HIDDEN) -> Cell:
    torch.manual_seed(7)
    cell = MAKERS[name](input_size, hidden_size).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return cell


def inputs_for(cell: Cell, time: int = TIME) -> Tensor:
    return torch.randn(time, BATCH, cell.input_size, dtype=torch.float64)


def state_for(cell: Cell) -> State:
    return tuple(torch.randn_like(part) for part in cell.initial_state(BATCH))


class Walk(nn.Module):
    """One way of walking a window whose inputs are rows of a table: (V, E), (T, B), a state -> (T, B, H)."""

    def __init__(self, cell: Cell, way: str):
        super().__init__()
        self.cell, self.way = cell, way

    def forward(self, table: Tensor, ids: Tensor, state: State) -> tuple[Tensor, State]:
        if self.way == "look_up":
            return self.cell.look_up(table, ids, state)
        if self.way == "unroll":
            return self.cell.unroll(table[ids], state)
        outputs = []
        for x in table[ids]:
            output, state = self.cell.step(self.cell.project(x), state)
            outputs.append(output)
        return torch.stack(outputs), state


def step_by_step(cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    rows = torch.arange(inputs.shape[0] * inputs.shape[1]).view(inputs.shape[:2])
    return Walk(cell, "step by step")(inputs.flatten(0, 1), rows, state)


def test_the_shipped_cells_are_registered() -> None:
    """All of them come with the program."""
    assert MAKERS.keys() >= SHIPPED


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_cell_is_documented_with_the_number_of_its_parameters(name: str) -> None:
    """docs/cells.md has a row for it, whose formula is true."""
    documented = (Path(__file__).parents[1] / "docs" / "cells.md").read_text()

    [formula] = re.findall(rf"^\| `{name}` \|.*?\| `(.*?)` \|", documented, re.MULTILINE)
    count = sum(parameter.numel() for parameter in MAKERS[name](INPUT, HIDDEN).parameters())
    assert count == eval(formula, {"E": INPUT, "H": HIDDEN})


def test_unrolling_equals_walking_step_by_step(cell: Cell) -> None:
    """A window gives the outputs and the state that its steps give, from the zero state and from another."""
    inputs, state = inputs_for(cell), state_for(cell)

    from_nothing = step_by_step(cell, inputs, cell.initial_state(BATCH))
    carried = step_by_step(cell, inputs, state)

    torch.testing.assert_close(cell.unroll(inputs), from_nothing, atol=1e-12, rtol=0)
    torch.testing.assert_close(cell.unroll(inputs, state), carried, atol=1e-12, rtol=0)


def test_looking_rows_up_equals_unrolling_them(cell: Cell) -> None:
    """A table's rows and the ids that pick them give what the picked rows give."""
    table, ids = torch.randn(ROWS, INPUT).double(), torch.randint(ROWS, (TIME, BATCH))
    state = state_for(cell)

    torch.testing.assert_close(cell.look_up(table, ids), cell.unroll(table[ids]), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        cell.look_up(table, ids, state), cell.unroll(table[ids], state), atol=1e-12, rtol=0
    )


def test_a_carried_state_continues_the_walk(cell: Cell) -> None:
    """Two windows with the state carried between them give what one long window gives."""
    inputs = inputs_for(cell)
    whole, last = cell.unroll(inputs)

    first, state = cell.unroll(inputs[:3])
    second, end = cell.unroll(inputs[3:], state)

    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(end, last, atol=1e-12, rtol=0)


@pytest.mark.parametrize("way", WALKS)
def test_gradients_agree_with_finite_differences(name: str, way: str) -> None:
    """Every way of walking gives true gradients, in the inputs, the state and every parameter."""
    cell = stirred(name, input_size=2, hidden_size=3)
    walk, ids = Walk(cell, way), torch.randint(ROWS, (3, BATCH))
    names = [name for name, _ in walk.named_parameters()]
    state = state_for(cell)

    def walked(table: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        before, parameters = values[: len(state)], dict(zip(names, values[len(state) :], strict=True))
        outputs, after = functional_call(walk, parameters, (table, ids, before))
        return outputs, *after

    values = [torch.randn(ROWS, 2).double(), *state, *cell.parameters()]
    assert torch.autograd.gradcheck(walked, [value.detach().requires_grad_() for value in values])


def test_in_single_precision_all_walks_agree(cell: Cell) -> None:
    """Outputs, last state and gradients, where a cell may have a faster pass of its own."""
    cell = cell.float()
    table, ids = torch.randn(ROWS, INPUT, requires_grad=True), torch.randint(ROWS, (TIME, BATCH))
    state = tuple(torch.randn_like(part).requires_grad_() for part in cell.initial_state(BATCH))

    def found(way: str) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        outputs, after = Walk(cell, way)(table, ids, state)
        loss = sum((part * part.detach().cos()).sum() for part in (outputs, *after))
        return (outputs, *after), torch.autograd.grad(loss, [table, *state, *cell.parameters()])

    for way in ("unroll", "look_up"):
        torch.testing.assert_close(found(way), found("step by step"), atol=1e-4, rtol=1e-4)


def test_the_state_and_the_input_reach_the_output(cell: Cell) -> None:
    """Another past, or another input after the same past, gives another output: no cell drops either."""
    x, y, a, b = inputs_for(cell, time=4).split(1)

    outputs = [cell.unroll(torch.cat(window))[0][-1] for window in ((a, x), (b, x), (a, y))]

    assert not torch.allclose(outputs[0], outputs[1])
    assert not torch.allclose(outputs[0], outputs[2])


def test_shapes_of_output_and_state(cell: Cell) -> None:
    """The batch is the first dimension of every state, before and after; outputs are (T, B, H)."""
    outputs, state = cell.unroll(inputs_for(cell))

    assert outputs.shape == (TIME, BATCH, HIDDEN)
    assert [part.shape for part in state] == [part.shape for part in cell.initial_state(BATCH)]
    assert all(part.shape[0] == BATCH for part in state)


def test_rows_do_not_see_each_other(cell: Cell) -> None:
    """A row alone gives what it gives among others, with the state it carries."""
    inputs, state = inputs_for(cell), state_for(cell)

    together, last = cell.unroll(inputs, state)
    alone, last_alone = cell.unroll(inputs[:, 1:2], tuple(part[1:2] for part in state))

    torch.testing.assert_close(alone, together[:, 1:2], atol=1e-12, rtol=0)
    torch.testing.assert_close(last_alone, tuple(part[1:2] for part in last), atol=1e-12, rtol=0)


def test_the_same_again_gives_the_same_bits(name: str) -> None:
    """Two cells of one seed are equal, and so is what they give, whether they train or not."""
    outputs = [
        stirred(name).train(training).unroll(torch.ones(TIME, BATCH, INPUT).double())[0]
        for training in (True, False)
    ]

    assert torch.equal(*outputs)


def test_inputs_as_wide_as_the_layer_are_taken(name: str) -> None:
    """As the second layer of a model gets them."""
    cell = stirred(name, input_size=HIDDEN)

    outputs, _ = cell.unroll(inputs_for(cell))

    assert outputs.shape == (TIME, BATCH, HIDDEN)


def test_a_cell_can_be_laid_out_without_memory(name: str) -> None:
    """On the meta device a cell tells its shapes: checkpoints are checked against them before loading."""
    with torch.device("meta"):
        skeleton = MAKERS[name](INPUT, HIDDEN).state_dict()

    weights = stirred(name).state_dict()
    assert {key: tensor.shape for key, tensor in skeleton.items()} == {
        key: tensor.shape for key, tensor in weights.items()
    }
    assert all(tensor.is_meta for tensor in skeleton.values())


def model_of(name: str, vocabulary_size: int) -> LanguageModel:
    return build(
        MAKERS[name], vocabulary_size=vocabulary_size, embedding_size=16, hidden_size=24, num_layers=1
    )


def test_a_new_model_knows_nothing(name: str) -> None:
    """Its first loss is near ln V: no cell begins with an opinion."""
    ids = torch.randint(50, (65, 16), generator=torch.Generator().manual_seed(1))

    loss = cross_entropy(model_of(name, 50)(ids[:-1])[0], ids[1:])

    assert abs(loss.item() - math.log(50)) < 0.2


def test_it_learns_one_line_by_heart(name: str) -> None:
    """Sixty steps bring the loss of one line near nothing."""
    line = torch.tensor([[*b"the rats in the walls"]]).T - ord(" ")  # (T + 1, 1)
    model = model_of(name, 96)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    for _ in range(60):
        loss = cross_entropy(model(line[:-1])[0], line[1:])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    assert loss.item() < 0.1


@pytest.mark.parametrize(
    ("cell_name", "options", "complaint"),
    [
        ("rnn", {"nonlinearity": "sigmoid"}, "rnn.nonlinearity: there is no 'sigmoid' .have relu, tanh"),
        ("lstm", {"gates": "hard"}, "lstm.gates: there is no 'hard' .have hard_sigmoid, sigmoid"),
        ("lstm", {"coupled": "yes"}, "lstm.coupled: expected true or false"),
        ("mogrifier_lstm", {"rounds": -1}, "mogrifier_lstm.rounds: "),
        ("mogrifier_lstm", {"rounds": 10**9}, "mogrifier_lstm.rounds: "),
        ("sru", {"rounds": 2}, "sru: no option 'rounds'"),
    ],
)
def test_a_wrong_option_is_an_error_in_the_settings(cell_name: str, options: dict, complaint: str) -> None:
    """It names the option and says what would be right."""
    registry = Registry(None, Path())

    with pytest.raises(ConfigError, match=complaint):
        registry.build("cells", Choice(cell_name, options), input_size=INPUT, hidden_size=HIDDEN)
