"""A cell of the user's own, beside config.yaml: what is said of it when it fails, changes or is gone."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot import pipeline
from bot.config import load
from bot.doctor import examine
from bot.errors import CheckpointError, CorpusError, TrainingError
from bot.house import House
from bot.model import checkpoint
from bot.records import Sampling
from bot.trainer import Trainer
from tests.folders import copy_folder, write_folder
from tests.test_trainer import stop_at

ROOT = Path(__file__).parents[1]
CONFIG = """
models:
  moons:
    corpus: {lines: {path: moons.txt}}
    cell: mine
    embedding_size: 4
    hidden_size: 6
    training: {max_steps: 30, batch_size: 32}
"""
CELL = """
import torch
from torch import Tensor

from bot import hookimpl
from bot.model import Cell, State, input_weight, recurrent_weight


class Mine(Cell):
    def __init__(self, input_size: int, hidden_size: int, scale: float = 1.0):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(hidden_size, input_size)
        self.weight_hh = recurrent_weight(1, hidden_size)

    def initial_state(self, batch_size: int) -> State:
        return (self.weight_hh.new_zeros(batch_size, self.hidden_size),)

    def project(self, inputs: Tensor) -> Tensor:
        return inputs @ self.weight_ih.T

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h = (wx + state[0] @ self.weight_hh.T).tanh()
        return h, (h,)


@hookimpl
def register_cells():
    return {"mine": Mine}
"""
FORMULA = "(wx + state[0] @ self.weight_hh.T).tanh()"
SAMPLING = Sampling(max_length=10)


def write_cell(folder, source):
    path = folder / "plugins" / "cells" / "mine.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """config.yaml of a folder with such a cell, and a model trained with it; not to be written to."""
    config = write_folder(tmp_path_factory.mktemp("own"), CONFIG)
    write_cell(config.parent, CELL)
    pipeline.train(House(load(config)), "moons", lambda progress: None)
    return config


@pytest.fixture
def own(trained, tmp_path):
    """config.yaml of such a folder of one's own."""
    return copy_folder(trained, tmp_path / "own")


def sample(config):
    return House(load(config)).sampler("moons").sample(SAMPLING, 1, range(3))


def test_a_checkpoint_says_which_file_its_cell_was_in(own):
    """A shipped cell needs no such word: the program's version tells it."""
    meta = checkpoint.read_meta(House(load(own)).checkpoint("moons"))

    assert meta.cell_source["file"] == "plugins/cells/mine.py"
    assert House(load(own)).registry.source("cells", House(load(own)).model("moons").cell) == meta.cell_source


def test_another_formula_is_told_when_it_samples(own, caplog):
    """Once; a comment is no other formula."""
    write_cell(own.parent, CELL.replace("        h = (wx", "        # as in the paper\n        h = (wx"))
    sample(own)
    assert caplog.text == ""

    write_cell(own.parent, CELL.replace(FORMULA, f"{FORMULA} * 0.5"))
    house = House(load(own))
    for _ in range(2):
        house.sampler("moons").sample(SAMPLING, 1, range(3))

    [record] = caplog.records
    assert "was trained with another plugins/cells/mine.py" in record.getMessage()


def test_an_unfinished_run_does_not_go_on_with_another_formula(own):
    """It would be neither of the two networks; --fresh begins anew."""
    pipeline.train(House(load(own)), "moons", stop_at(25), fresh=True)
    write_cell(own.parent, CELL.replace(FORMULA, f"{FORMULA} * 0.5"))

    with pytest.raises(TrainingError, match=r"another plugins/cells/mine\.py; .*--fresh"):
        Trainer(House(load(own)), "moons").plan()


def test_a_plugin_that_is_gone_is_named(own):
    """The weights are not to blame."""
    (own.parent / "plugins" / "cells" / "mine.py").unlink()

    with pytest.raises(
        CheckpointError, match=r"no cell is called 'mine' .*with plugins/cells/mine\.py: put that back"
    ):
        sample(own)


def test_what_fails_in_it_is_one_line_that_names_its_line(tmp_path):
    """No traceback through ours, and no unfinished run; once it is mended the same command trains."""
    config = write_folder(tmp_path, CONFIG)
    broken = write_cell(tmp_path, CELL.replace("self.weight_hh.T", "self.weight_hh[:3].T"))
    line = next(n for n, text in enumerate(broken.read_text().splitlines(), 1) if "[:3]" in text)

    done = subprocess.run(
        [sys.executable, "-m", "bot", "train", "moons"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"bot: plugins/cells/mine.py:{line}: Mine.step failed: RuntimeError: The size of" in done.stderr
    write_cell(tmp_path, CELL)
    assert Trainer(House(load(config)), "moons").plan().do == "begin"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (
            "minne",
            r"config\.yaml:5:5: models\.moons\.cell: no cell is called 'minne'.* Did you mean 'mine'\?",
        ),
        ("{mine: {scael: 2.0}}", r"config\.yaml:5:19: models\.moons\.cell\.mine: no option 'scael'"),
        ("{lstm: {coupled: maybe}}", r"config\.yaml:5:19: .*expected true or false"),
    ],
)
def test_the_doctor_tries_every_models_cell(own, cell, said):
    """A misspelt name or option has its line, though the model's checkpoints do without."""
    own.write_text(own.read_text().replace("cell: mine", f"cell: {cell}"))

    [finding] = [finding for finding in examine(own) if finding.what == "model moons"]

    assert not finding.ok
    assert re.search(said, finding.text)


def test_a_missing_corpus_has_its_line(own):
    """As every other setting."""
    (own.parent / "moons.txt").unlink()

    with pytest.raises(
        CorpusError, match=r"config\.yaml:4:14: models\.moons\.corpus\.lines: .*moons\.txt: there is no"
    ):
        House(load(own)).corpus("moons")


def test_the_guides_comparison_of_two_cells_works(tmp_path):
    """docs/cells.md: its settings, and the cell that plugins/README.md prints; here for a few steps only."""
    [settings] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "cells.md").read_text(), re.DOTALL)
    guide = (ROOT / "plugins" / "README.md").read_text()
    [mgu] = re.findall(r"```python\n# plugins/cells/mgu\.py\n(.*?)```", guide, re.DOTALL)
    config = write_folder(tmp_path, settings.replace("max_minutes: 2", "max_steps: 4, batch_size: 32"))
    (tmp_path / "moons.txt").rename(tmp_path / "notes.txt")
    write_cell(tmp_path, mgu)

    house = House(load(config))
    both = [pipeline.train(house, name, lambda progress: None) for name in ("notes_lstm", "notes_mgu")]

    assert [trained.meta.cell.name for trained in both] == ["lstm", "mgu"]
    assert both[0].meta.corpus == both[1].meta.corpus
