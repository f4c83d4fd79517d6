"""What is seen inside a trained model: its gradient on the way back, its gates while it reads."""

import pytest
import torch
from torch import Tensor, nn

from bot.model import Cell, State
from bot.model.evaluation import cross_entropy
from bot.model.inspection import activations, gradient_flow
from bot.model.language_model import LanguageModel
from tests.models import cell_makers, small_model
from tests.test_cells import HIDDEN, MAKERS, inputs_for, state_for, stirred

IDS = torch.randint(3, 20, (9, 4), generator=torch.Generator().manual_seed(1))  # (T + 1, B)
WINDOWS = IDS.T.tolist()

LSTM, GRU = ["input", "forget", "output"], ["reset", "update"]
GATES = {
    "rnn": [],
    "mi_rnn": [],
    "gru": GRU,
    "mi_gru": GRU,
    "lstm": LSTM,
    "mi_lstm": LSTM,
    "layer_norm_lstm": LSTM,
    "layer_norm_mi_lstm": LSTM,
    "krause_mlstm": LSTM,
    "mogrifier_lstm": LSTM,
    "min_gru": ["input"],
    "min_lstm": ["forget"],
    "sru": ["forget", "output"],
}


def norms_by_hand(model: LanguageModel, back: int) -> Tensor:
    """The same for one layer: walk to the state so many steps back, cut there, walk on, differentiate."""
    cut = len(IDS) - 1 - back
    _, (state,) = model(IDS[:cut])
    state = tuple(part.detach().requires_grad_() for part in state)
    logits, _ = model(IDS[cut:-1], (state,))
    cross_entropy(logits[-1:], IDS[-1:], reduction="sum").backward()
    return torch.stack([part.grad for part in state]).square().sum((0, 2)).sqrt()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "mi_lstm", "sru"])
@pytest.mark.parametrize("back", [1, 4, 7])
def test_the_flow_is_the_gradient_in_the_state_so_far_back(cell: str, back: int) -> None:
    """Cutting the walk at that step and differentiating gives the same lengths, row by row."""
    model = small_model(cell)

    flow = gradient_flow(model, WINDOWS)

    assert flow.shape == (1, 8, 4)
    torch.testing.assert_close(torch.from_numpy(flow[0, back]).float(), norms_by_hand(model, back))


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_what_is_multiplied_at_every_step_vanishes_or_explodes(factor: float) -> None:
    """A relu layer that never cuts, with half (or one and a half) the identity for its recurrent weights."""
    cell = cell_makers()["rnn"](6, 8, nonlinearity="relu")
    model = LanguageModel([cell], vocabulary_size=20, embedding_size=6)
    nn.init.constant_(cell.bias, 100.0)
    with torch.no_grad():
        cell.weight_hh.copy_(factor * torch.eye(8))

    flow = torch.from_numpy(gradient_flow(model, WINDOWS)[0].copy()).float()

    torch.testing.assert_close(flow[1:], factor * flow[:-1])


def test_looking_leaves_the_model_as_it_was() -> None:
    """Weights want their gradients as before and have got none."""
    model = small_model(layers=2)

    gradient_flow(model, WINDOWS)

    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_every_cell_shows_what_it_does_while_it_reads(cell: str) -> None:
    """Its gates, each between 0 and 1, or its state; layer by layer a value for every unit at every token."""
    for layer in activations(small_model(cell, layers=2), [3, 4, 5]):
        assert layer.values
        for name, values in layer.values.items():
            assert values.shape == (3, 8), name
            assert not layer.are_gates or (values.min() >= 0 and values.max() <= 1), name


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_gates_are_known_by_name(cell: str) -> None:
    """Every cell with gates shows them; one without gates shows its state instead."""
    [layer] = activations(small_model(cell), [3, 4, 5])

    assert layer.are_gates is bool(GATES[cell])
    assert list(layer.values) == (GATES[cell] or ["h"])


def one_step(name: str) -> tuple[Cell, Tensor, State]:
    """A cell, what it reads and the state it reads it in."""
    cell = stirred(name)
    return cell, cell.project(inputs_for(cell)[0]), state_for(cell)


@pytest.mark.parametrize("name", [name for name in MAKERS if GATES.get(name.partition("-")[0]) == LSTM])
def test_the_gates_of_an_lstm_are_those_it_steps_with(name: str) -> None:
    """c = f*c + i*g, h = o*tanh(c): what is kept of c, and shown, is what the gates say."""
    cell, wx, (h, c) = one_step(name)

    gates = cell.gate_values(wx, (h, c))

    _, (_, without) = cell.step(wx, (h, torch.zeros_like(c)))
    shown, (_, kept) = cell.step(wx, (h, c))
    norm = getattr(cell, "norm_c", nn.Identity())
    torch.testing.assert_close(kept - without, gates["forget"] * c)
    torch.testing.assert_close(shown, gates["output"] * norm(kept).tanh())
    assert (without.abs() <= gates["input"]).all()


@pytest.mark.parametrize("name", ["gru", "mi_gru"])
def test_the_gates_of_a_gru_are_those_it_steps_with(name: str) -> None:
    """h = (1 - z)*n + z*h: where the state plays no part in the candidate, z of it is kept."""
    cell, wx, (h,) = one_step(name)
    with torch.no_grad():
        for parameter in (parameter for key, parameter in cell.named_parameters() if "hh" in key):
            parameter[-HIDDEN:] = 0  # n's
    nothing = torch.zeros_like(h)

    z = cell.gate_values(wx, (h,))["update"]

    n = cell.step(wx, (nothing,))[0] / (1 - cell.gate_values(wx, (nothing,))["update"])
    torch.testing.assert_close(cell.step(wx, (h,))[0], (1 - z) * n + z * h)


@pytest.mark.parametrize(("name", "gate"), [("min_gru", "input"), ("min_lstm", "forget")])
def test_the_gate_of_a_minimal_cell_is_the_one_it_steps_with(name: str, gate: str) -> None:
    """It parts h between the old and the new: an input gate says what is new, a forget gate what is old."""
    cell, wx, (h,) = one_step(name)
    _, n = wx.chunk(2, dim=-1)

    value = cell.gate_values(wx, (h,))[gate]

    old = value if gate == "forget" else 1 - value
    torch.testing.assert_close(cell.step(wx, (h,))[0], old * h + (1 - old) * n)


def test_the_gates_of_an_sru_are_those_it_steps_with() -> None:
    """c' = f*c + (1 - f)*Wx, h = r*c' + (1 - r)*x: what is kept, and shown, is what the gates say."""
    cell, wx, (c,) = one_step("sru")
    _, _, written, x = wx.chunk(4, dim=-1)

    gates = cell.gate_values(wx, (c,))

    shown, (kept,) = cell.step(wx, (c,))
    f, r = gates["forget"], gates["output"]
    torch.testing.assert_close(kept, f * c + (1 - f) * written)
    torch.testing.assert_close(shown, r * kept + (1 - r) * x)
