"""A recipe is run from beginning to end, and once more without training anything twice."""

from dataclasses import replace

import pytest

from bot.config import SamplingSettings
from bot.config.recipe import recipes
from bot.errors import ConfigError, CorpusError
from bot.model.watch import Measurement
from bot.reproduction import Interrupted, Lab, reproduce
from bot.reproduction.beside import compared
from bot.reproduction.estimate import fraction, told
from bot.reproduction.lab import even
from bot.reproduction.run import report
from bot.reproduction.sampling import draw
from bot.reproduction.steps import make_step, names
from bot.reproduction.steps.train import beside
from tests.recipes import RECIPE, Silent, small


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder in which a small recipe has been run."""
    folder = tmp_path_factory.mktemp("recipe")
    reproduce(small(folder), folder / "data", folder / "out", Silent())
    return folder


def test_the_report_holds_published_and_ours_side_by_side(done):
    text = (done / "out" / "report.md").read_text()
    assert "| M.1 | moons | 40 | 40 | the same |" in text
    assert "smoke scale: says nothing about the document's" in text.partition("M.2")[2].partition("\n")[0]


def test_the_report_lists_what_was_assumed_and_whom_to_thank(done):
    text = (done / "out" / "report.md").read_text()
    assert "- The moons are sorted by nobody." in text
    assert "names of moons. From an almanac. Thanks to who looked up." in text


def test_the_report_shows_all_curves_in_one_figure(done):
    page = (done / "out" / "report.html").read_text()
    first = page.partition("<figure>")[2].partition("</figure>")[0]
    assert "plain: from" in first
    assert "gated: from" in first


def test_run_again_it_trains_nothing(done):
    screen = Silent()
    reproduce(small(done), done / "data", done / "out", screen)
    assert screen.trained == []


def test_what_was_interrupted_goes_on_and_the_report_says_how_far_it_went(tmp_path):
    recipe, folder = small(tmp_path), tmp_path / "out"
    with pytest.raises(Interrupted, match="while plain was trained"):
        reproduce(recipe, tmp_path / "data", folder, Silent(stop_at=5))
    assert "**PARTIAL.** interrupted while plain was trained" in (folder / "report.md").read_text()
    screen = Silent()
    reproduce(recipe, tmp_path / "data", folder, screen)
    assert screen.trained == ["plain", "gated"]
    assert "PARTIAL" not in (folder / "report.md").read_text()


def test_other_settings_are_trained_anew(done):
    screen = Silent()
    changed = small(done, text=RECIPE.replace("learning_rate: 0.004", "learning_rate: 0.005"))
    reproduce(changed, done / "data", done / "out", screen)
    assert screen.trained == ["gated"]
    reproduce(small(done), done / "data", done / "out", Silent())


def test_missing_data_is_one_line_with_file_and_source(tmp_path):
    recipe = small(tmp_path)
    with pytest.raises(CorpusError) as raised:
        Lab(recipe, tmp_path / "nowhere", tmp_path / "out", Silent())
    assert str(raised.value).count("\n") == 0
    assert "moons.txt" in str(raised.value)
    assert "names of moons, from an almanac" in str(raised.value)


def test_data_that_is_there_twice_is_not_guessed(tmp_path):
    recipe = small(tmp_path)
    (tmp_path / "data" / "other").mkdir()
    (tmp_path / "data" / "other" / "moons.txt").write_text("Io")
    with pytest.raises(CorpusError, match=r"moons\.txt is in .* and "):
        Lab(recipe, tmp_path / "data", tmp_path / "out", Silent())


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("count: 5}", "count: 5}\n  - sing", "there is no step 'sing'"),
        ("model: plain", "modell: plain", "modell"),
    ],
)
def test_a_step_or_option_that_there_is_not_is_told_with_its_place(tmp_path, right, wrong, complaint):
    recipe = small(tmp_path, text=RECIPE.replace(right, wrong, 1))
    lab = Lab(recipe, tmp_path / "data", tmp_path / "out", Silent())
    with pytest.raises(ConfigError, match=rf"moons\.yaml:\d+:\d+.*{complaint}"):
        _ = [make_step(choice, lab) for choice in recipe.steps]


def test_a_training_loss_over_few_steps_is_joined_to_the_one_before():
    """A stop cuts a stretch short; the others stay as they are, and so do the held-out losses."""
    history = [
        measured(50, 3.0),
        measured(100, 2.0),
        measured(101, 9.0),
        measured(150, 1.9),
        measured(152, 0.5),
    ]

    losses = [row.train_loss for row in even(history)]

    assert losses == pytest.approx([3.0, 2.0, (50 * 2.0 + 9.0) / 51, 1.9, (49 * 1.9 + 2 * 0.5) / 51])
    assert [row.held_out_loss for row in even(history)] == [row.held_out_loss for row in history]
    assert even([]) == ()


def measured(step: int, loss: float) -> Measurement:
    return Measurement(step, 0.0, 0.1, 1.0, 0.5, loss, 2.5)


def test_a_prefix_that_a_corpus_knows_nothing_of_is_passed_over(tmp_path):
    """A recipe's capitals may not all occur in other data."""
    recipe = small(tmp_path)
    lab = Lab(recipe, tmp_path / "data", tmp_path / "out", Silent())
    known = lab.corpus("plain").documents[0].text[0]

    begun = {
        one.text[0]
        for one in draw(lab, "plain", SamplingSettings(max_length=8), 6, 1, ("\N{SNOWMAN}", known))
    }

    assert begun == {known}


def test_a_training_that_was_cut_is_partial_in_the_report(tmp_path):
    lab = Lab(small(tmp_path, "document"), tmp_path / "data", tmp_path / "out", Silent())
    lab._done["plain"] = replace(lab.trained("plain"), share=0.5)
    assert report(lab, {}).partial == "plain went to 50.0% of the document's 20 steps."


def test_trainings_that_take_longer_than_they_may_all_go_to_the_same_fraction():
    assert fraction([1800, 5400], hours=1) == pytest.approx(0.5)
    assert fraction([60, 60], hours=1) == 1.0


def test_the_estimate_is_told_in_hours_minutes_or_seconds():
    assert [told(seconds) for seconds in (40, 720, 7500)] == ["40 s", "12 min", "2 h 05 min"]


def test_two_trainings_are_compared_as_far_as_both_went(tmp_path):
    """What was trained longer is no better for that."""
    lab = Lab(small(tmp_path), tmp_path / "data", tmp_path / "out", Silent())
    long = replace(lab.trained("plain"), history=(measured(50, 3.0), measured(100, 2.0), measured(150, 1.0)))
    short = replace(lab.trained("gated"), history=(measured(50, 3.0), measured(90, 1.98)))

    assert beside([long, short], similar=0.05) == {
        "gated.against": "Similar: 0.020 nats below plain (step 90, plain at 100).",
        "gated.held_out_against": "Similar: 0.000 nats below plain (step 90, plain at 100).",
    }
    assert beside([long, short], similar=0.01)["gated.against"].startswith("Different: 0.020 nats below")
    assert beside([long], similar=0.05) == {}


def test_a_published_text_is_the_same_or_different():
    assert compared("a|b", "a|b", 0.0) == "the same"
    assert compared("ab", "a|b", 0.0) == "different"


def test_two_figures_are_compared_in_plain_words():
    assert compared(1.5, 1.5, 0.0) == "the same"
    assert compared(1.52, 1.5, 0.05).startswith("similar: 0.02 above the published 1.5")
    assert compared(1.2, 1.5, 0.05) == "different: 0.3 below the published 1.5"


def test_no_step_names_what_only_a_recipe_may_name():
    """Steps are mechanism: corpora, cells and filters are in recipes and plugins."""
    from bot.config import shipped
    from tests.test_import_law import PLUGINS

    words = {path.stem for path in PLUGINS if path.parent.name in ("corpora", "cells", "filters", "targets")}
    words -= {"length", "lines", "complete"}  # English, too
    for name in names():
        source = (shipped() / "bot" / "reproduction" / "steps" / f"{name}.py").read_text()
        assert not [word for word in words if f'"{word}"' in source]


def test_there_is_a_recipe_for_every_document():
    assert {path.stem for path in recipes()} <= {"S0", "S1", "S2", "S3", "S4a", "S4b"}
