"""A model trained in all combinations of some settings: which there are, what is told, what is kept."""

import signal
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from bot.cli.app import app
from bot.config import load
from bot.config.grid import choices, grid
from bot.errors import ConfigError
from bot.house import House
from bot.sweep import in_order, sweep
from tests.folders import write_folder

CONFIG = """
models:
  moons:
    corpus: {lines: {path: moons.txt}}
    cell: gru
    embedding_size: 8
    hidden_size: 12
    training: {max_steps: 24, max_minutes: null, batch_size: 16, evaluate_every: 12, rollbacks: 0}
"""


def model(tmp_path):
    return load(write_folder(tmp_path, CONFIG)).models["moons"]


@contextmanager
def unseen(trainer):
    yield lambda progress: None


def test_each_combination_is_a_model_with_a_name_that_says_it(tmp_path):
    """Of numbers, words and plugins with options; all else stays."""
    options = ["training.learning_rate=0.001,0.005", "cell=lstm,{rnn: {nonlinearity: relu}}"]

    found = grid("moons", model(tmp_path), choices(options))

    assert list(found) == [
        "moons.learning_rate-0.001.cell-lstm",
        "moons.learning_rate-0.001.cell-rnn-nonlinearity-relu",
        "moons.learning_rate-0.005.cell-lstm",
        "moons.learning_rate-0.005.cell-rnn-nonlinearity-relu",
    ]
    last = found["moons.learning_rate-0.005.cell-rnn-nonlinearity-relu"]
    assert (last.training.learning_rate, last.cell.options) == (0.005, {"nonlinearity": "relu"})
    assert last.training.max_steps == 24
    assert last.corpus.where().startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("num_layers=1,4", None),
        ("num_layers", "expected a setting of the model with its values"),
        ("num_layers=", "expected a setting of the model with its values"),
        ("num_layer=1", r"num_layer: no setting 'num_layer' \(have .*Did you mean 'num_layers'"),
        ("trainin.seed=1", "no group 'trainin'.*Did you mean 'training'"),
        ("num_layers=1,many", "num_layers: expected a whole number, not 'many'"),
        ("cell={rnn", "is no list of values"),
        (f"training.seed={','.join(map(str, range(600)))}", "more than 500 combinations"),
    ],
)
def test_a_wrong_combination_is_told(tmp_path, option, message):
    """In one line, with what would be right."""
    if message is None:
        assert len(grid("moons", model(tmp_path), choices([option]))) == 2
        return
    with pytest.raises(ConfigError, match=message):
        grid("moons", model(tmp_path), choices([option]))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A house with a sweep of a good rate and of one that cannot be, and what came of it."""
    config = write_folder(tmp_path_factory.mktemp("sweep"), CONFIG)
    house = House(load(config))
    options = ["training.optimizer=sgd", "training.gradient_clip=null", "training.learning_rate=10,0.1"]
    text = config.read_text().replace("rollbacks: 0", "rollbacks: 0, schedule: constant, warmup_steps: 0")
    config.write_text(text.replace("cell: gru", "cell: {rnn: {nonlinearity: relu}}"))
    house = House(load(config))
    models = grid("moons", house.model("moons"), choices(options))
    return house, models, list(sweep(house, models, unseen))


def test_what_fails_is_told_and_the_rest_goes_on(swept):
    """The best stands first, what failed last, with the reason."""
    _, _, points = swept

    best, worst = in_order(points)

    assert (best.failed, worst.failed) == (False, True)
    assert best.note == "all 24 steps done"
    assert worst.note.startswith("given up")
    assert 0 < best.held_out < 5
    assert points[0] == worst  # it was the first to be tried


def test_a_sweep_is_made_once(swept):
    """The same again trains nothing, also what has failed."""
    house, models, points = swept

    @contextmanager
    def never(trainer):
        raise AssertionError(trainer.name)
        yield

    assert list(sweep(house, models, never)) == points


def test_a_sweep_that_is_interrupted_goes_on(tmp_path):
    """Ctrl-C stops it within a training; the same sweep then ends with what it would have had."""
    house = House(load(write_folder(tmp_path, CONFIG)))
    models = grid("moons", house.model("moons"), choices(["hidden_size=8,12"]))

    @contextmanager
    def stopped(trainer):
        yield lambda now: signal.raise_signal(signal.SIGINT) if now.step == 14 else None

    [first] = list(sweep(house, models, stopped))
    points = list(sweep(house, models, unseen))

    assert (first.note, first.failed) == ("", False)
    assert [(point.steps, point.note) for point in points] == [(24, "all 24 steps done")] * 2


def test_the_command_prints_a_table(tmp_path):
    """A line a combination, the best first; data alone on stdout."""
    config = write_folder(tmp_path, CONFIG.replace("max_steps: 24", "max_steps: 2"))

    result = CliRunner().invoke(app, ["sweep", "moons", "--set", "num_layers=1,2", "--config", str(config)])

    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["model", "held", "out", "training", "steps", "time", "how", "it", "ended"]
    assert {line.split()[0] for line in lines[1:]} == {"moons.num_layers-1", "moons.num_layers-2"}
