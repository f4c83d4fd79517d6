"""The step that shows what models wrote as they learned: every checkpoint at every temperature."""

import pytest

from bot.reproduction import Lab
from bot.reproduction.run import reproduce
from bot.reproduction.steps import make_step
from bot.reproduction.steps.by_epoch import _thinned
from tests.recipes import RECIPE, Silent, small

STEP = "  - by_epoch: {models: [plain, gated], temperatures: [0.3, 1.0], max_length: 12, count: 2}\n"
TEXT = RECIPE.replace("published:\n", f"{STEP}published:\n").replace("max_steps: 10", "max_steps: 30")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the recipe has been run."""
    folder = tmp_path_factory.mktemp("epochs")
    reproduce(small(folder, text=TEXT), folder / "data", folder / "out", Silent())
    return folder


def section_of(folder, screen=None):
    lab = Lab(small(folder, text=TEXT), folder / "data", folder / "out", screen or Silent())
    step = make_step(lab.recipe.steps[-1], lab)
    lab.add(step.models(lab))
    return step.section(lab)


def test_every_checkpoint_has_a_row_and_every_temperature_a_column(folder):
    """Although the recipe does not say that they are kept."""
    plain, gated = section_of(folder).tables

    assert (plain.title, gated.title) == ("plain", "gated")
    assert plain.columns == ("epoch", "step", "held-out loss", "at 0.3", "at 1")
    assert [row[1] for row in plain.rows] == [10, 20, 30]
    assert all(row[3].count(" · ") == 1 for row in plain.rows)


def test_one_row_is_that_of_the_checkpoint_that_others_sample(folder):
    section = section_of(folder)
    [best] = [row for row in section.tables[0].rows if row[0].endswith("*")]

    assert best[2] == min(row[2] for row in section.tables[0].rows)
    assert section.figures["plain.kept"] == 3
    assert f"{section.figures['plain.best']:.2f}*" == best[0]


def test_the_same_seed_gives_the_same_texts_and_nothing_is_trained_twice(folder):
    screen = Silent()

    assert section_of(folder, screen) == section_of(folder)
    assert screen.trained == []


def test_it_stands_in_the_report(folder):
    text = (folder / "out" / "report.md").read_text()

    assert "## Epoch by epoch" in text
    assert "| epoch | step | held-out loss | at 0.3 | at 1 |" in text


@pytest.mark.parametrize(("most", "left"), [(1, [8]), (2, [0, 8]), (3, [0, 4, 8]), (9, list(range(9)))])
def test_of_many_checkpoints_some_are_told(most, left):
    assert list(_thinned(range(9), most)) == left
