"""The step that trains block models: its stages, what it tells of them, and that nothing is trained twice."""

import pytest

from bot.errors import ConfigError, TrainingError
from bot.reproduction import Interrupted, Lab, reproduce
from bot.reproduction.blocks import Task, trained
from bot.reproduction.run import report
from bot.reproduction.steps import make_step
from tests.recipes import Silent, small

BLOCKS = """\
title: Moons in blocks
document: "A note on moons, by nobody"
data:
  moons.txt: {what: names of moons, source: an almanac}
defaults:
  corpus: {lines: {path: moons.txt}}
  hidden_size: 8
  embedding_size: 4
  training:
    sequence_length: 4
    max_epochs: 3
    max_minutes: null
    batch_size: 8
    schedule: constant
    warmup_steps: 0
    shards: 1
    evaluate_every: 4
models:
  block: {cell: lstm, num_layers: 2}
  staged: {cell: gru}
steps:
  - blocks: {runs: [block, staged], stages: {staged: [1, 3]}}
"""


def lab_in(folder, text=BLOCKS, screen=None, scale="smoke"):
    return Lab(small(folder, scale, text), folder / "data", folder / "out", screen or Silent())


def section_of(lab):
    return make_step(lab.recipe.steps[-1], lab).section(lab)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the step has been done."""
    folder = tmp_path_factory.mktemp("blocks")
    section_of(lab_in(folder))
    return folder


@pytest.fixture(scope="module")
def section(folder):
    return section_of(lab_in(folder))


def test_every_stage_of_every_run_has_a_row(section):
    rows = section.tables[0].rows
    assert [(row[0], row[4]) for row in rows] == [("block", "3.0"), ("staged", "1.0"), ("staged", "3.0")]
    assert rows[0][1] == "2 x lstm of 8"


def test_figures_are_told_of_the_end_and_of_each_stage(section):
    figures = section.figures
    assert figures["staged.train"] == figures["staged.2.train"] < figures["staged.1.train"]
    assert figures["staged.mean"] == pytest.approx(figures["staged.train"] / figures_of_vocabulary(section))
    assert 0 <= figures["block.known"] <= 1
    assert figures["block.note"] == "all 3 epochs done"
    assert 0.05 < figures["memory"] < 64


def figures_of_vocabulary(section):
    losses = section.tables[1].rows[-1]
    return round(float(losses[2]) / float(losses[4]))


def test_what_it_writes_is_shown_and_left_for_other_steps(folder):
    lab = lab_in(folder)
    section = section_of(lab)
    assert len(section.samples[1].texts) == 4  # two stages, by chance, from its own
    assert section.samples[0].texts[0].startswith("3 epochs, likeliest: ")
    assert lab.written["block_drawn"].texts[0].strip().startswith(section.figures["block.drawn"])
    assert lab.written["block"].train_loss == section.figures["block.train"]


def test_a_block_that_begins_one_character_later_is_the_next_character_at_each_place(tmp_path):
    sooner = BLOCKS.replace("stages: {staged: [1, 3]}", "ahead: 1")
    section = section_of(lab_in(tmp_path, sooner))
    assert "begins one character later" in section.prose[0]
    assert len(section.samples[0].texts) == 2  # it cannot go on with what it wrote itself
    assert section.figures["staged.train"] != section_of(lab_in(tmp_path)).figures["staged.train"]


def test_losses_and_places_are_drawn(section):
    assert [drawing.name for drawing in section.drawings] == ["block-losses", "block-places"]
    assert "at 100.0" in section.drawings[1].text


def test_done_again_it_trains_nothing(folder):
    screen = Silent()
    section_of(lab_in(folder, screen=screen))
    assert not [line for line in screen.lines if line.startswith("Training")]


def test_stages_give_what_a_run_without_stages_gives(folder, tmp_path):
    [*_, staged] = trained(lab_in(folder), "staged", [1, 3], Task())
    [whole] = trained(lab_in(tmp_path), "staged", [3], Task())
    assert staged.history[-1].held_out_loss == whole.history[-1].held_out_loss
    assert staged.text == whole.text


def test_what_was_interrupted_goes_on_and_gives_the_same(folder, tmp_path):
    screen = Silent()
    screen.tell = interrupts_at("epoch 1.")
    with pytest.raises(Interrupted, match="while staged was trained"):
        trained(lab_in(tmp_path, screen=screen), "staged", [3], Task())
    [gone_on], [*_, straight] = (
        trained(lab_in(place), "staged", epochs, Task())
        for place, epochs in ((tmp_path, [3]), (folder, [1, 3]))
    )
    assert gone_on.text == straight.text


def interrupts_at(word):
    """What a screen does with a line that presses Ctrl-C once it is told of this."""
    import signal

    def tell(line):
        if word in line:
            signal.raise_signal(signal.SIGINT)

    return tell


def test_other_settings_are_trained_anew(folder, tmp_path):
    before = trained(lab_in(tmp_path), "staged", [1], Task())
    after = trained(
        lab_in(tmp_path, BLOCKS.replace("sequence_length: 4", "sequence_length: 5")), "staged", [1], Task()
    )
    assert len(before[0].right) == 4
    assert len(after[0].right) == 5


def test_fewer_or_other_epochs_are_trained_as_they_would_be_alone(tmp_path):
    def losses(folder, epochs):
        return [one.history[-1].held_out_loss for one in trained(lab_in(folder), "staged", epochs, Task())]

    one, two, three = losses(tmp_path / "all", [1, 2, 3])
    assert losses(tmp_path / "some", [1, 3]) == [one, three]
    assert losses(tmp_path / "some", [1, 2]) == [one, two]
    assert losses(tmp_path / "some", [3]) == [three]
    assert losses(tmp_path / "some", [1]) == [one]


def test_what_time_cut_short_is_told_and_gone_on_with(tmp_path):
    lab = lab_in(tmp_path, scale="document")
    lab.allow({"staged": 1e-9})
    [stage] = trained(lab, "staged", [3, 5], Task())
    assert stage.cut
    share, _ = lab.short["staged"]
    assert share < 1
    assert report(lab, {}).partial == f"staged went to {share:.1%} of the document's 5 epochs."
    again = lab_in(tmp_path, scale="document")
    assert [one.cut for one in trained(again, "staged", [3, 5], Task())] == [False, False]
    assert not again.short


def test_the_documents_scale_is_estimated_and_stays_within_its_hours(tmp_path):
    screen = Silent()
    recipe = small(tmp_path, "document", BLOCKS)
    reproduce(recipe, tmp_path / "data", tmp_path / "out", screen, hours=1e-6)
    assert [line for line in screen.lines if line.startswith("Estimated: ") and "2 trainings" in line]
    assert "block went to" in (tmp_path / "out" / "report.md").read_text()


def test_a_run_without_epochs_and_one_that_is_counted_are_told(tmp_path):
    with pytest.raises(ConfigError, match=r"models\.block\.training\.max_epochs"):
        section_of(lab_in(tmp_path, BLOCKS.replace("max_epochs: 3", "max_epochs: null")))
    with pytest.raises(TrainingError, match="block: what is counted"):
        section_of(lab_in(tmp_path, BLOCKS.replace("cell: lstm, num_layers: 2", "cell: ngram")))


def test_who_is_right_place_by_place_is_counted_on_what_is_predicted(folder):
    [*_, stage] = trained(lab_in(folder), "staged", [1, 3], Task())
    assert len(stage.right) == len(stage.right_held_out) == 4
    assert all(0 <= share <= 1 for share in stage.right)
    assert max(stage.right) > 0
