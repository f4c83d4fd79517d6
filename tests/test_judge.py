"""The step that asks filters about models' texts; real items are the control."""

import pytest

from bot.records import Verdict
from bot.reproduction import Lab, reproduce
from bot.reproduction.steps import make_step
from bot.reproduction.steps.judge import Judgement, _reasons
from tests.recipes import RECIPE, Silent, small

STEP = "  - judge: {models: [plain], filters: [{length: {min: 3, max: 12}}, not_in_training], count: 8}\n"
JUDGED = RECIPE.replace("published:\n", f"{STEP}published:\n")


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judged")
    recipe = small(folder, text=JUDGED)
    lab = Lab(recipe, folder / "data", folder / "out", Silent())
    return make_step(recipe.steps[-1], lab).section(lab)


def test_every_model_and_the_real_items_get_a_share_of_every_filter(section):
    assert {"plain.length", "plain.not_in_training", "plain.all", "plain.judged"} <= section.figures.keys()
    assert section.figures["plain.judged"] == 8
    assert section.figures["held_out.length"] == 1.0


def test_real_items_are_found_in_the_training_set(section):
    """The control shows that the filter can say no."""
    assert section.figures["held_out.not_in_training"] == 0.0
    assert section.figures["held_out.all"] == 0.0


def test_the_reasons_are_counted(section):
    reasons = section.tables[1].rows
    assert ("held_out", "not_in_training") in {row[:2] for row in reasons}


def test_a_reason_that_quotes_a_whole_text_is_cut():
    verdict = Verdict("copied", "reject", "is " + "long " * 100)
    [[*_, told]] = _reasons({"plain": Judgement(["a"], [(verdict,)])}, ["copied"]).rows
    assert len(told) == 201
    assert told.endswith("…")


def test_a_share_counts_only_what_a_filter_accepts_as_it_is():
    verdicts = [
        (Verdict("long", "accept"), Verdict("odd", "accept")),
        (Verdict("long", "ask", "trim"), Verdict("odd", "accept")),
        (Verdict("long", "accept"), Verdict("odd", "reject", "odd")),
    ]
    judged = Judgement(["a", "b", "c"], verdicts)
    assert [judged.share(name).count for name in ("long", "odd", "all")] == [2, 2, 1]
    assert judged.reasons("odd") == [("odd", 1)]


def test_a_recipe_quotes_a_share(tmp_path):
    row = "  - {id: M.3, what: length, published: all, ours: judge.held_out.length, value: 1}"
    text = f"{JUDGED}{row}\n"
    reproduce(small(tmp_path, text=text), tmp_path / "data", tmp_path / "out", Silent())
    assert "| M.3 | length | all | 1 | the same |" in (tmp_path / "out" / "report.md").read_text()
