"""Every cell against its paper: one row, one step, in numpy, written from the printed equations alone."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from bot.model import Cell
from tests.test_cells import BATCH, HIDDEN, INPUT, MAKERS, TIME, step_by_step, stirred

Array = NDArray[np.float64]
Weights = dict[str, Array]
Step = Callable[[Weights, Array, Array, Array], tuple[Array, Array]]  # weights, x, h, c -> h', c'


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def quarters(x: Array) -> list[Array]:
    return np.split(x, 4)


def normed(x: Array) -> Array:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5)


def gated(total: Array, c: Array) -> tuple[Array, Array]:
    """What an LSTM does with what its gates read."""
    i, f, g, o = quarters(total)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def integrated(w: Weights, wx: Array, uh: Array) -> Array:
    """Wu et al. 2016, equation 4."""
    return w["alpha"] * wx * uh + w["beta1"] * uh + w["beta2"] * wx + w["bias"]


def lstm_hard(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Gates of a straight line, as Theano's hard_sigmoid is documented."""
    line = partial(np.interp, xp=[-2.5, 2.5], fp=[0, 1])
    i, f, g, o = quarters(w["weight_ih"] @ x + w["weight_hh"] @ h + w["bias"])
    c = line(f) * c + line(i) * np.tanh(g)
    return line(o) * np.tanh(c), c


def lstm_coupled(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Greff et al. 2015, the variant CIFG."""
    f, g, o = np.split(w["weight_ih"] @ x + w["weight_hh"] @ h + w["bias"], 3)
    c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def mi_rnn(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    h = np.tanh(integrated(w, w["weight_ih"] @ x, w["weight_hh"] @ h))
    return h, c


def mi_gru(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """With the reset gate behind the product with U, as cuDNN has it."""
    wx, uh = w["weight_ih"] @ x, w["weight_hh"] @ h
    r, z, _ = np.split(sigmoid(integrated(w, wx, uh)), 3)
    n = np.tanh(np.split(integrated(w, wx, np.tile(r, 3) * uh), 3)[2])
    return (1 - z) * n + z * h, c


def mi_lstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    return gated(integrated(w, w["weight_ih"] @ x, w["weight_hh"] @ h), c)


def layer_norm_lstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Ba et al. 2016, equations 20 to 22."""
    uh, wx = w["gain_hh"] * normed(w["weight_hh"] @ h), w["gain_ih"] * normed(w["weight_ih"] @ x)
    _, _, _, o = quarters(uh + wx + w["bias"])
    _, c = gated(uh + wx + w["bias"], c)
    return sigmoid(o) * np.tanh(w["norm_c.weight"] * normed(c) + w["norm_c.bias"]), c


def layer_norm_mi_lstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    total = integrated(w, normed(w["weight_ih"] @ x), normed(w["weight_hh"] @ h))
    _, c = gated(total, c)
    return sigmoid(quarters(total)[3]) * np.tanh(w["norm_c.weight"] * normed(c) + w["norm_c.bias"]), c


def krause_mlstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Krause et al. 2016, section 2.3; biases as every LSTM has them."""
    m = (w["weight_ih"][:HIDDEN] @ x) * (w["weight_hh_m"] @ h)
    return gated(w["weight_ih"][HIDDEN:] @ x + w["weight_hh"] @ m + w["bias"], c)


def mogrifier_lstm(w: Weights, x: Array, h: Array, c: Array, rounds: int = 5) -> tuple[Array, Array]:
    """Melis et al. 2019, equations 1 and 2: x^-1 = x and h^0 = h, odd rounds gate x, even ones h."""
    xs, hs = {-1: x}, {0: h}
    for i in range(1, rounds + 1):
        matrix = w[f"rounds.{i - 1}"]
        if i % 2 == 1:
            xs[i] = 2 * sigmoid(matrix @ hs[i - 1]) * xs[i - 2]
        else:
            hs[i] = 2 * sigmoid(matrix @ xs[i - 1]) * hs[i - 2]
    x, h = xs[max(xs)], hs[max(hs)]
    return gated(w["weight_ih"] @ x + w["weight_hh"] @ h + w["bias"], c)


def min_gru(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Feng et al. 2024, section 3.1."""
    z, n = np.split(w["weight_ih"] @ x + w["bias"], 2)
    return (1 - sigmoid(z)) * h + sigmoid(z) * n, c


def min_lstm(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Feng et al. 2024, section 3.2, made independent of the length."""
    i, f, n = np.split(w["weight_ih"] @ x + w["bias"], 3)
    i, f = sigmoid(i), sigmoid(f)
    return f / (f + i) * h + i / (f + i) * n, c


def sru(w: Weights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Lei et al. 2018, equations 1 to 4. Its one state is c."""
    w_f, w_r, w_c = np.split(w["weight_ih"], 3)
    v_f, v_r = np.split(w["weight_hh"], 2)
    b_f, b_r = np.split(w["bias"], 2)
    f, r = sigmoid(w_f @ x + v_f * c + b_f), sigmoid(w_r @ x + v_r * c + b_r)
    c = f * c + (1 - f) * (w_c @ x)
    return r * c + (1 - r) * (w["skip.weight"] @ x), c


PAPERS: dict[str, Step] = {
    "lstm-hard": lstm_hard,
    "lstm-coupled": lstm_coupled,
    "mogrifier_lstm-2": partial(mogrifier_lstm, rounds=2),
    "mi_rnn": mi_rnn,
    "mi_gru": mi_gru,
    "mi_lstm": mi_lstm,
    "layer_norm_lstm": layer_norm_lstm,
    "layer_norm_mi_lstm": layer_norm_mi_lstm,
    "krause_mlstm": krause_mlstm,
    "mogrifier_lstm": mogrifier_lstm,
    "min_gru": min_gru,
    "min_lstm": min_lstm,
    "sru": sru,
}


@pytest.mark.parametrize("name", PAPERS)
def test_it_reads_as_its_paper(name: str) -> None:
    """A walk by the printed formulas gives the same outputs."""
    cell = stirred(name)
    weights = {key: tensor.numpy() for key, tensor in cell.state_dict().items()}
    inputs = torch.randn(TIME, 1, INPUT).double()

    expected, h, c = [], np.zeros(HIDDEN), np.zeros(HIDDEN)
    for x in inputs[:, 0].numpy():
        h, c = PAPERS[name](weights, x, h, c)
        expected.append(h)

    np.testing.assert_allclose(cell.unroll(inputs)[0][:, 0].detach(), expected, atol=1e-12)


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
    """In single precision, outputs and last state agree with torch's module to 1e-6, all ways of walking."""
    cell, theirs = MAKERS[name](INPUT, HIDDEN), reference(INPUT, HIDDEN)
    copy_weights(cell, theirs)
    table, ids = torch.randn(20, INPUT), torch.randint(20, (TIME, BATCH))
    inputs = table[ids]

    expected, last = theirs(inputs)
    last = tuple(part[0] for part in (last if isinstance(last, tuple) else (last,)))

    steps = step_by_step(cell, inputs, cell.initial_state(BATCH))
    for outputs, state in (cell.unroll(inputs), cell.look_up(table, ids), steps):
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


@pytest.mark.parametrize("plain", ["rnn", "gru", "lstm", "layer_norm_lstm"])
def test_without_the_product_an_mi_cell_is_the_plain_one(plain: str) -> None:
    """With alpha 0 and both betas 1 every gate reads Wx + Uh + b, normalised where the plain cell's are."""
    mi = stirred("layer_norm_mi_lstm" if plain == "layer_norm_lstm" else f"mi_{plain}")
    nn.init.zeros_(mi.alpha), nn.init.ones_(mi.beta1), nn.init.ones_(mi.beta2)
    weights = mi.state_dict()
    renamed = {"bias_ih": weights["bias"], "bias_hh": torch.zeros_like(weights["bias"])} | {
        "gain_ih": weights["beta2"],
        "gain_hh": weights["beta1"],
    }
    cell = MAKERS[plain](INPUT, HIDDEN).double()
    cell.load_state_dict({name: (weights | renamed)[name] for name in cell.state_dict()})
    inputs = torch.randn(TIME, BATCH, INPUT).double()

    torch.testing.assert_close(mi.unroll(inputs), cell.unroll(inputs), atol=1e-12, rtol=0)


def test_without_rounds_a_mogrifier_is_an_lstm() -> None:
    """Nothing gates what the gates read."""
    mogrifier, plain = MAKERS["mogrifier_lstm"](INPUT, HIDDEN, rounds=0), MAKERS["lstm"](INPUT, HIDDEN)
    plain.load_state_dict(mogrifier.state_dict())
    inputs = torch.randn(TIME, BATCH, INPUT)

    torch.testing.assert_close(mogrifier.unroll(inputs), plain.unroll(inputs), atol=1e-6, rtol=0)


# ---- initial values -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MAKERS if "lstm" in name])
def test_a_new_lstm_remembers(name: str) -> None:
    """The forget gate's bias starts at 1, all other biases at 0."""
    parts = list(MAKERS[name](INPUT, HIDDEN).bias.split(HIDDEN))

    forget = parts.pop(0 if name == "lstm-coupled" else 1)
    assert torch.equal(forget, torch.ones(HIDDEN))
    assert not torch.cat(parts).any()


@pytest.mark.parametrize(
    ("name", "alpha"), [("mi_rnn", 2), ("mi_gru", 1), ("mi_lstm", 1), ("layer_norm_mi_lstm", 1)]
)
def test_multiplicative_integration_starts_as_its_paper_has_it(name: str, alpha: float) -> None:
    """{2, .5, .5} for the plain network, {1, .5, .5} where there are gates."""
    cell = MAKERS[name](INPUT, HIDDEN)

    for vector, value in ((cell.alpha, alpha), (cell.beta1, 0.5), (cell.beta2, 0.5)):
        assert torch.equal(vector, torch.full_like(vector, value))


def test_recurrent_weights_start_orthogonal_or_as_identity() -> None:
    """Each gate's recurrent matrix keeps lengths at first; relu's is the identity."""
    for name in MAKERS.keys() - {"rnn-relu"}:
        for key, weight in MAKERS[name](INPUT, HIDDEN).named_parameters():
            for gate in weight.split(HIDDEN) if key.startswith("weight_hh") and weight.dim() == 2 else ():
                torch.testing.assert_close(gate @ gate.T, torch.eye(HIDDEN), atol=1e-5, rtol=0)
    assert torch.equal(MAKERS["rnn-relu"](INPUT, HIDDEN).weight_hh, torch.eye(HIDDEN))
