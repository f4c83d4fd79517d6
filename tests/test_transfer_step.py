"""The step that tells what is forgotten of one source while a model goes on with another."""

from dataclasses import replace

import pytest

from bot.errors import ConfigError
from bot.reproduction import Lab
from bot.reproduction.estimate import estimate
from bot.reproduction.steps import make_step
from tests.recipes import Silent, small

TEXT = """\
title: Moons and tides
document: "A note on both, by nobody"
data:
  moons.txt: {what: names of moons, source: an almanac}
  tides.txt: {what: names of tides, source: the same}
defaults:
  corpus: {mix: {sources: {moon: {lines: {path: moons.txt}}, tide: {lines: {path: tides.txt}}}}}
  hidden_size: 16
  embedding_size: 4
  cell: gru
  training:
    max_steps: 40
    max_minutes: null
    batch_size: 8
    evaluate_every: 20
    warmup_steps: 0
    shards: 1
    learning_rate: 0.02
    validation_share: 0.2
models:
  moons: {training: {learn_from: {moon: 1.0}}}
  then_tides: {training: {init_from: moons, learn_from: {tide: 1.0}}}
  then_both: {training: {init_from: moons, learn_from: {tide: 1.0, moon: 1.0}}}
steps:
  - transfer: {chains: {moon: [moons, then_tides, then_both]}}
"""


def lab_in(folder, text=TEXT, screen=None):
    recipe = small(folder, text=text)
    tides = [f"{first}-{last}" for first in "PQRSTUVW" for last in ("57", "68", "79", "80", "91")]
    (folder / "data" / "tides.txt").write_text("\n".join(tides))
    return Lab(recipe, folder / "data", folder / "out", screen or Silent())


def step_of(lab):
    return make_step(lab.recipe.steps[0], lab)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the step has been done."""
    folder = tmp_path_factory.mktemp("transfer")
    lab = lab_in(folder)
    step_of(lab).section(lab)
    return folder


@pytest.fixture(scope="module")
def section(folder):
    lab = lab_in(folder)
    return step_of(lab).section(lab)


def test_every_stage_has_a_row_with_its_loss_on_each_source(section):
    [table] = section.tables
    assert table.columns == ("first learned", "model", "moon", "tide", "forgotten")
    assert [row[:2] for row in table.rows] == [
        ("moon", "moons"),
        ("moon", "then_tides"),
        ("moon", "then_both"),
    ]
    assert [float(table.rows[1][at]) for at in (2, 3)] == pytest.approx(
        [section.figures["moon.then_tides.moon"], section.figures["moon.then_tides.tide"]], abs=1e-4
    )


def test_what_is_forgotten_is_the_rise_of_the_loss_on_what_came_first(section):
    figures = section.figures
    assert figures["moon.moons.forgotten"] == 0
    for model in ("then_tides", "then_both"):
        rise = figures[f"moon.{model}.moon"] - figures["moon.moons.moon"]
        assert figures[f"moon.{model}.forgotten"] == pytest.approx(rise)
    assert figures["moon.then_tides.forgotten"] > max(0, figures["moon.then_both.forgotten"])
    assert figures["moon.then_tides.tide"] < figures["moon.moons.tide"]
    assert f"then_tides {figures['moon.then_tides.forgotten']:+.3f}" in section.prose[0]


def test_done_again_it_trains_nothing(folder):
    screen = Silent()
    lab = lab_in(folder, screen=screen)
    step_of(lab).section(lab)
    assert screen.trained == []


def test_the_time_of_all_that_it_trains_is_estimated_beforehand(tmp_path):
    """Although what they begin with is not trained yet."""
    lab = lab_in(tmp_path)
    trained = list(step_of(lab).trains(lab))

    seconds = estimate(lab, trained)

    assert list(seconds) == ["moons", "then_tides", "then_both"]
    assert all(seconds.values())
    assert lab.outcomes == []


def test_what_began_with_another_checkpoint_is_trained_anew(tmp_path):
    lab = lab_in(tmp_path)
    before = step_of(lab).section(lab).figures
    screen = Silent()
    slower = TEXT.replace("{learn_from: {moon: 1.0}}}", "{learning_rate: 0.01, learn_from: {moon: 1.0}}}")
    lab = lab_in(tmp_path, slower, screen)

    after = step_of(lab).section(lab).figures

    assert screen.trained == ["moons", "then_tides", "then_both"]
    assert after["moon.then_tides.moon"] != before["moon.then_tides.moon"]


def test_a_stage_that_failed_has_no_row_and_is_told(folder):
    lab = lab_in(folder)
    lab._done["then_both"] = replace(lab.trained("then_both"), failed=True)
    section = step_of(lab).section(lab)
    assert [row[1] for row in section.tables[0].rows] == ["moons", "then_tides"]
    assert section.prose[0].endswith("then_both FAILED.")


def test_where_the_first_stage_failed_nothing_went_on(folder):
    lab = lab_in(folder)
    lab._done["moons"] = replace(lab.trained("moons"), failed=True)
    section = step_of(lab).section(lab)
    assert list(section.tables[0].rows) == []
    assert section.prose == ["First moon: moons FAILED, and nothing went on from there."]


@pytest.mark.parametrize(
    ("chains", "complaint"),
    [
        ("{mond: [moons, then_tides]}", r"chains\.mond: moons has no source 'mond'"),
        ("{moon: [moons]}", r"chains\.moon: name the model that learns it alone, then"),
        ("{moon: [moons, then_tide]}", r"there is no model 'then_tide'.*then_tides"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused_before_anything_is_trained(tmp_path, chains, complaint):
    screen = Silent()
    lab = lab_in(tmp_path, TEXT.replace("{moon: [moons, then_tides, then_both]}", chains), screen)
    with pytest.raises(ConfigError, match=complaint):
        _ = step_of(lab).models(lab), step_of(lab).section(lab)
    assert screen.trained == []
