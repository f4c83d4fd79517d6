"""The step that holds what is written against what was read."""

import pytest

from bot.reports.bars import draw_bars
from bot.reproduction import Lab
from bot.reproduction.lab import Written
from bot.reproduction.steps import make_step
from tests.recipes import RECIPE, Silent, small

STEP = (
    "  - statistics: {models: [plain], written: [fair, parrot], counts: [atlas, -lio], "
    "classes: {names in A: [atlas, alio]}, count: 6}\n"
)


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    recipe = small(folder, text=RECIPE.replace("published:\n", f"{STEP}published:\n"))
    lab = Lab(recipe, folder / "data", folder / "out", Silent())
    lab.written["fair"] = Written(("Atlas aliO elio", "xyzzy"), 1.0, 1.0)
    lab.written["parrot"] = Written(("Alio",), 0.5, 1.5)
    return make_step(recipe.steps[-1], lab).section(lab)


def test_corpus_held_out_texts_and_every_writer_have_a_column(section):
    assert section.tables[0].columns == ("", "corpus", "held_out", "plain", "fair", "parrot")


def test_what_was_read_is_the_measure(section):
    figures = section.figures
    assert figures["corpus.lengths"] == figures["corpus.letters"] == 0
    assert figures["corpus.known"] == 1
    assert figures["fair.known"] == 0.75  # not xyzzy
    assert figures["fair.longest"] == "atlas"


def test_words_endings_and_classes_are_counted(section):
    figures = section.figures
    assert (figures["fair.atlas"], figures["fair.-lio"], figures["fair.names in A"]) == (2500, 5000, 0.5)
    assert figures["fair.stray"] == 0.5  # of A and O


def test_every_writer_gets_a_verdict(section):
    assert section.figures["fair.verdict"].startswith("under-fitting")
    assert section.figures["parrot.verdict"].startswith("over-fitting")
    assert len(section.prose) == 3


def test_lengths_and_letters_are_drawn(section):
    assert [drawing.name for drawing in section.drawings] == ["word-lengths", "letters"]
    assert "corpus: 1 0.0%" in section.drawings[0].text
    assert section.drawings[1].svg().startswith(b"<?xml")


def test_a_writer_that_no_step_left_is_not_told_of(tmp_path):
    recipe = small(tmp_path, text=RECIPE.replace("published:\n", f"{STEP}published:\n"))
    lab = Lab(recipe, tmp_path / "data", tmp_path / "out", Silent())
    section = make_step(recipe.steps[-1], lab).section(lab)
    assert section.tables[0].columns == ("", "corpus", "held_out", "plain")


def test_more_origins_than_colours_never_look_like_the_corpus():
    origins = {f"origin {number}": [0.5] for number in range(9)}
    drawing = draw_bars("many", "Many", "Of nine origins.", ["a"], origins, xlabel="letter")
    colours = [patch.get_facecolor() for patch in drawing.figure.axes[0].patches]
    assert colours.count(colours[0]) == 1
