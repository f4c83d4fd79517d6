"""Compiled passes and products, against torch's own and against whole numbers."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bot.model import CompiledCell
from bot.model.cell import Cell, State
from bot.model.language_model import LanguageModel, build
from bot.model.native import compiler, memory
from bot.model.native.decoder import Decoder
from bot.model.native.products import Product, Product8, draw, library
from tests.models import cell_makers

COMPILED = sorted(name for name, make in cell_makers().items() if issubclass(make, CompiledCell))
SIZES = [(1, 1, 1, 1, 1), (10, 6, 8, 5, 3), (30, 16, 100, 21, 17), (40, 24, 65, 33, 70)]  # V, E, H, T, B

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler: install the package gcc")


def perturbed(cell: Cell) -> Cell:
    """With no parameter left at a value that hides something."""
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return cell


def random_state(cell: Cell, rows: int) -> State:
    return tuple((torch.randn_like(t) * 0.5).requires_grad_() for t in cell.initial_state(rows))


def assert_near(ours: Tensor, theirs: Tensor) -> None:
    """Equal but for rounding, measured by the largest of them."""
    assert (ours - theirs).abs().max() <= 3e-6 * theirs.abs().max().clamp(min=1e-3)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", COMPILED)
def test_every_way_to_walk_gives_the_same(name: str, sizes: tuple[int, ...]) -> None:
    """Kernel by table, kernel by inputs, torch's pass: outputs, states, all gradients of the loop."""
    torch.manual_seed(1)
    vocabulary, inputs, hidden, steps, rows = sizes
    cell = perturbed(cell_makers()[name](inputs, hidden))
    table = torch.randn(vocabulary, inputs, requires_grad=True)
    ids, state = torch.randint(vocabulary, (steps, rows)), random_state(cell, rows)
    weights = torch.randn(steps, rows, hidden)

    def with_gradients(outputs: Tensor, after: State) -> list[Tensor]:
        loss = (outputs * weights).sum() + sum((part.sin() * (k + 1)).sum() for k, part in enumerate(after))
        return [outputs, *after, *torch.autograd.grad(loss, [table, *state, *cell.parameters()])]

    expected = with_gradients(*Cell.look_up(cell, table, ids, state))
    for walked in (
        cell.look_up(table, ids, state),
        cell.unroll(functional.embedding(ids, table), state),
        cell.look_up_in_torch(table, ids, state),
        cell.unroll_in_torch(functional.embedding(ids, table), state),
    ):
        for ours, theirs in zip(with_gradients(*walked), expected, strict=True):
            assert_near(ours, theirs)


@pytest.mark.parametrize("name", COMPILED)
def test_what_is_not_a_number_stays_so(name: str) -> None:
    """A broken weight shows in the output: the watch must see it."""
    cell = cell_makers()[name](4, 8)
    with torch.no_grad():
        cell.weight_hh[3, 2] = torch.nan

    outputs, _ = cell.look_up(torch.randn(5, 4), torch.randint(5, (3, 2)), random_state(cell, 2))

    assert outputs.isnan().any()


def test_without_gradients_the_pass_is_the_same() -> None:
    """Evaluation keeps one step's room only and says the same."""
    cell, table, ids = cell_makers()["lstm"](6, 20), torch.randn(9, 6), torch.randint(9, (12, 5))

    learning, _ = cell.look_up(table, ids)
    with torch.no_grad():
        evaluated, _ = cell.look_up(table, ids)

    assert torch.equal(evaluated, learning)


def test_double_precision_and_options_take_torch_s_way() -> None:
    """A kernel computes floats of the plain equations; everything else is the step's business."""
    doubles = cell_makers()["lstm"](4, 8).double()
    assert doubles.look_up(torch.randn(5, 4).double(), torch.randint(5, (3, 2)))[0].dtype == torch.float64
    assert not cell_makers()["lstm"](4, 8, coupled=True).decodes()


@pytest.mark.parametrize("ids", [[[5]], [[-1]]])
def test_ids_outside_the_table_are_refused(ids: list[list[int]]) -> None:
    """C would read what lies beside it."""
    with pytest.raises(ValueError, match="ids outside the table"):
        cell_makers()["gru"](4, 8).look_up(torch.randn(5, 4), torch.tensor(ids))


def test_a_state_of_another_size_is_refused() -> None:
    cell = cell_makers()["lstm"](4, 8)
    with pytest.raises(ValueError, match=r"do not fit lstm\.c"):
        cell.look_up(torch.randn(5, 4), torch.zeros(3, 2, dtype=torch.int64), cell.initial_state(3)[:1] * 2)


def test_a_second_backward_pass_is_refused() -> None:
    """The room for it has been given to others."""
    outputs, _ = cell_makers()["lstm"](4, 8).look_up(torch.randn(5, 4), torch.randint(5, (3, 2)))
    outputs.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError):
        outputs.sum().backward()


def test_threads_do_not_disturb_each_other() -> None:
    """Many passes at once give the bits of one alone."""
    cell, table = cell_makers()["mi_lstm"](8, 32), torch.randn(11, 8)
    ids = torch.randint(11, (20, 9))

    def gradient() -> Tensor:
        return torch.autograd.grad(cell.look_up(table, ids)[0].square().sum(), cell.weight_hh)[0]

    expected, found = gradient(), []
    threads = [threading.Thread(target=lambda: found.append(gradient())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert all(torch.equal(one, expected) for one in found)


def test_room_is_used_again() -> None:
    """A hundred windows of other lengths keep no more than one window's room."""
    memory._free.clear()
    cell = cell_makers()["lstm"](4, 16)
    for steps in range(1, 101):
        cell.look_up(torch.randn(5, 4), torch.zeros(steps, 3, dtype=torch.int64))[0].sum().backward()

    assert len(memory._free) == 1
    assert len(memory._free[0]) <= 100 * 3 * cell.kernel.keeps * 16


@pytest.mark.parametrize("shape", [(1, 1), (100, 512), (97, 33), (2048, 1030), (31, 700)], ids=str)
def test_a_row_s_product_does_not_depend_on_its_neighbours(shape: tuple[int, int]) -> None:
    """Near torch's product, and the same bits alone, in any place and among any number of rows."""
    torch.manual_seed(1)
    weight, bias, x = torch.randn(shape), torch.randn(shape[0]), torch.randn(150, shape[1]) / shape[1] ** 0.5
    product, whole = Product(weight, bias), torch.full((150, shape[0] + 3), 7.0)

    product(x, torch.arange(150), whole)

    assert_near(whole[:, :-3], functional.linear(x, weight, bias))
    assert (whole[:, -3:] == 7).all()
    for rows in ([3], [149, 3], [*range(40, 3, -1), 3], [3] * 14):
        some = torch.empty(len(rows), shape[0])
        product(x, torch.tensor(rows), some)
        assert torch.equal(some, whole[rows, :-3])


def eight_bits(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers from -127 to 127, and each row's scale."""
    scale = rows.abs().amax(1, keepdim=True) / 127
    return (rows * (1 / scale)).round().double(), scale.double()


@pytest.mark.parametrize("shape", [(1, 1), (100, 512), (97, 33), (40, 6)], ids=str)
def test_products_of_eight_bits_are_those_of_whole_numbers(shape: tuple[int, int]) -> None:
    """Rounded and multiplied as whole numbers; near the product of floats; the same beside any rows."""
    torch.manual_seed(1)
    weight, bias, x = torch.randn(shape), torch.randn(shape[0]), torch.randn(60, shape[1])
    found, alone = torch.empty(60, shape[0]), torch.empty(1, shape[0])
    product = Product8(weight, bias)

    product(x, torch.arange(60), found)
    product(x, torch.tensor([17]), alone)

    (inputs, ours), (weights, theirs) = eight_bits(x), eight_bits(weight)
    exact = inputs @ weights.T * ours * theirs.T + bias
    torch.testing.assert_close(found.double(), exact, atol=2e-5, rtol=1e-5)
    assert (found - functional.linear(x, weight, bias)).abs().max() < 0.06 * shape[1] ** 0.5
    assert torch.equal(alone[0], found[17])


def models(**options: int) -> list[LanguageModel]:
    sizes = {"vocabulary_size": 50, "embedding_size": 12, "hidden_size": 40}
    return [build(cell_makers()[name], **sizes, **options) for name in COMPILED]


@pytest.mark.parametrize("head_norm", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@torch.no_grad()
def test_decoding_is_the_model_step_by_step(layers: int, head_norm: bool) -> None:
    """Logits as the model's in float32, near them with 8 bits; rows may stop and change company."""
    torch.manual_seed(1)
    ids = torch.randint(50, (9, 6))
    for model in models(num_layers=layers, head_norm=head_norm):
        expected, _ = model(ids)
        for weights, tolerance in (("float32", 3e-6), ("int8", 0.1)):
            decoder = Decoder.open(model, weights, capacity=8)
            rows = np.array([7, 2, 0, 5, 1, 3])
            decoder.begin(rows)
            found = np.stack([decoder.step(step.numpy(), rows).copy() for step in ids])
            assert np.abs(found - expected.numpy()).max() < tolerance * expected.abs().max().item()

            decoder.begin(np.array([2, 5]))
            for number, step in enumerate(ids):
                alone = decoder.step(step[[3]].numpy(), np.array([5]))
                assert np.array_equal(alone[0], found[number, 3])


def test_models_that_a_kernel_does_not_know_are_not_decoded() -> None:
    makers = {"vocabulary_size": 9, "embedding_size": 4, "hidden_size": 8, "num_layers": 1}
    assert Decoder.open(build(cell_makers()["rnn"], **makers)) is None


def test_draws_follow_the_probabilities() -> None:
    """Each id where the running sum passes the uniform; barred ids never; the loss is unscaled."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(400, 30)).astype(np.float32) * 3
    temperatures, uniforms = rng.uniform(0.3, 2, 400), rng.random(400)
    barred = np.zeros(30, np.float32)
    barred[[0, 7]] = -np.inf

    ids, losses = draw(logits, (1 / temperatures).astype(np.float32), barred, uniforms)

    wide = logits.astype(float)
    scaled = (wide + barred) / temperatures[:, None]
    weights = np.exp(scaled - scaled.max(1, keepdims=True))
    running = weights.cumsum(1) / weights.sum(1, keepdims=True)
    expected = (running <= uniforms[:, None]).sum(1)
    clear = np.abs(running - uniforms[:, None]).min(1) > 1e-5
    assert clear.sum() > 390
    assert (ids == expected)[clear].all()
    normal = np.log(np.exp(wide).sum(1)) - wide[np.arange(400), ids]
    np.testing.assert_allclose(losses, normal, atol=1e-5)


WITHOUT = """
import torch
from bot.model.native import products
from tests.models import cell_makers
cell = cell_makers()["lstm"](4, 8)
outputs, _ = cell.look_up(torch.randn(5, 4), torch.randint(5, (3, 2)))
print(cell.kernel.usable, products.library(), outputs.shape)
"""


@pytest.mark.parametrize(
    "change",
    [{"BOT_NATIVE": "off"}, {"CC": "no-such-compiler"}, {"CC": "false"}, {"XDG_CACHE_HOME": "/dev/null"}],
)
def test_without_a_compiler_torch_computes(change: dict[str, str], tmp_path: Path) -> None:
    """Forbidden, missing or broken: the cell works all the same."""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)} | change
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False None torch.Size([3, 2, 8])\n"


def test_without_a_home_folder_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user may have none."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", raising(RuntimeError("Could not determine home directory.")))

    assert compiler.load(Path("another.c")) is None


def raising(error: Exception) -> Callable[[], Path]:
    def fail() -> Path:
        raise error

    return fail


def test_a_folder_that_others_may_write_to_is_not_run_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code lies there."""
    folder = tmp_path / "wormhorn" / "native"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = tmp_path / "one.c"
    source.write_text("int one(void) { return 1; }\n")

    assert compiler.load(source) is None
    folder.chmod(0o700)
    compiler.load.cache_clear()
    loaded = compiler.load(source)
    assert isinstance(loaded, ctypes.CDLL)
    assert loaded.one() == 1
    assert [path.suffix for path in folder.iterdir()] == [".so"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"BOT_NATIVE": "off"}, "no C compiler"),
        ({"CC": "false"}, "does not compile them"),
        ({}, "compiled by "),
    ],
)
def test_a_person_is_told_what_computes(change: dict[str, str], said: str, tmp_path: Path) -> None:
    """With what is compiled, or why nothing is; without loading torch."""
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)} | change
    line = (
        "import sys; from bot.model.native import compiler as c; print(c.described(), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", line], env=environment, capture_output=True, text=True, check=True
    )
    assert said in done.stdout
    assert done.stdout.endswith("False\n")
