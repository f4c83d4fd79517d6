"""A garbled text is laid over the place that it was read off."""

from bot.reproduction import Lab
from bot.reproduction.steps import make_step
from bot.text.aligned import Place, Reel
from tests.recipes import RECIPE, Silent, small

REEL = Reel(["Now it was night.\n\n", "All the  papers were\nfull of this"])


def test_the_place_with_most_agreement_is_found_across_white_space():
    assert REEL.nearest("trrl tf thes") == Place("full of this", 7 / 12)
    assert REEL.nearest("night. All") == Place("night. All", 1.0)


def test_of_places_that_agree_as_much_the_first_is_taken():
    assert Reel(["ab cb"]).nearest("b") == Place("b", 1.0)
    assert Reel(["xa ya"]).nearest("za") == Place("xa", 0.5)


def test_the_step_tells_what_agrees_and_what_would_by_chance(tmp_path):
    step = "  - aligned: {model: plain, texts: [Btlas, Alio]}\n"
    recipe = small(tmp_path, text=RECIPE.replace("published:\n", f"{step}published:\n"))
    lab = Lab(recipe, tmp_path / "data", tmp_path / "out", Silent())
    section = make_step(recipe.steps[-1], lab).section(lab)
    assert section.figures["agree"] == 1.0
    assert section.figures["chance"] < 1.0
    assert [row[1] for row in section.tables[0].rows] == ["Btlas", "Alio"]
    assert section.figures["best"] == "Btlas"
