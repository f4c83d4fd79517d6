"""The recipe of char-rnn on tunes: checkpoints, chunks, the same seed again, tunes under a constraint."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import shipped
from bot.config.recipe import load_recipe
from bot.errors import ConfigError, CorpusError
from bot.notation import shares as shares_module
from bot.notation.shares import shares
from bot.reproduction import Lab
from bot.reproduction.steps import checkpoints, make_step
from tests.recipes import Silent, small
from tests.tunes import RIGHT, WRONG

FOLK = """\
title: Tunes
document: "A note on tunes, by nobody"
data:
  tunes.abc: {what: tunes, source: a drawer, package: no_such_package_of_tunes}
defaults:
  corpus: {abc_files: {paths: [tunes.abc]}}
  preset:
    char_rnn: {rnn_size: 8, seq_length: 20, batch_size: 5, max_epochs: 4, train_frac: 0.75, val_frac: 0.25}
  training: {shards: 1}
models:
  batch_5: {}
  batch_4:
    preset:
      char_rnn: {rnn_size: 8, seq_length: 20, batch_size: 4, max_epochs: 4, train_frac: 0.5, val_frac: 0.25}
  again: {training: {max_epochs: 2}}
steps:
  - chunks: {model: batch_5, characters: 456000, published: {50: [172, 10], 40: [217, 12]}}
  - checkpoints: {models: [batch_5, batch_4]}
  - repeated: {models: [batch_5, again]}
  - tunes: {models: [batch_5], constraints: [full_bars], sampling: {max_length: 60}, count: 4, shown: 1}
"""


def tunes() -> str:
    """A file of forty."""
    bars = ["G2 B2", "d4", "c2 A2", "B4", "A2 F2", "G4", "e2 d2"]
    return "\n".join(
        f"X:{n}\nT:Tune {n}\nM:2/4\nL:1/8\nK:G\n{bars[n % 7]} | {bars[n // 7]} | {bars[n % 5]} | G4 |]\n"
        for n in range(1, 41)
    )


def folk(folder: Path, text: str = FOLK):
    recipe = small(folder, text=text)
    (folder / "data" / "tunes.abc").write_text(tunes())
    return recipe


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folk")
    return Lab(folk(folder), folder / "data", folder / "out", Silent())


@pytest.fixture(scope="module")
def sections(lab):
    """What each step found, by its name."""
    steps = [make_step(choice, lab) for choice in lab.recipe.steps]
    return {step.name: step.section(lab) for step in steps}


def test_the_chunks_are_those_of_the_document(sections):
    """182 = 172 + 10 at batch 50, 228 = 216 + 12 at batch 40, and 8,600 iterations in 50 epochs."""
    figures = sections["chunks"].figures
    assert [figures[f"document.{batch}.parts"] for batch in (50, 40)] == ["182 = 172 + 10", "228 = 216 + 12"]
    assert [figures[f"document.{batch}.iterations"] for batch in (50, 40)] == [8600, 10800]


def test_published_chunks_stand_beside_ours(sections):
    """The recipe here says of batch 40 what is wrong; of the corpus at hand nothing was published."""
    section = sections["chunks"]
    published = [row[6] for row in section.tables[0].rows]
    assert [section.figures[f"document.{batch}.verdict"] for batch in (50, 40)] == ["the same", "different"]
    assert published == ["182 = 172 + 10", "229 = 217 + 12", None, None]


def test_a_small_text_is_warned_of(sections):
    """Less than a megabyte; the corpus at hand has too few chunks as well."""
    figures = sections["chunks"].figures
    assert figures["document.warning"] == (
        "A small corpus for a stream: 456,000 bytes are less than 1,000,000."
    )
    assert "0 chunks are fewer than 100" in figures["corpus.warning"]
    assert figures["corpus.characters"] < figures["document.characters"]


def test_every_checkpoint_has_a_row_and_the_lowest_is_marked(sections):
    table = sections["checkpoints"].tables[1]
    losses = [float(row[3]) for row in table.rows]
    marked = [row for row in table.rows if row[5]]
    assert len(losses) > 3
    assert len(marked) == 1
    assert float(marked[0][3]) == min(losses)
    assert all(row[4].startswith(f"lm_lstm_epoch{row[1]}_{row[3]}_") for row in table.rows)
    assert sections["checkpoints"].figures["batch_5.kept"] == len(losses)


@pytest.mark.parametrize(
    ("at", "said", "worse"), [(0, "not the last one but that of", 0.25), (-1, "the last one", 0)]
)
def test_it_is_said_whether_the_lowest_was_the_last(lab, monkeypatch, at, said, worse):
    """And how much worse the last one is, where it was not."""
    outcome = lab.trained("batch_5")
    losses = [1.0 if row == outcome.history[at] else 1.25 for row in outcome.history]
    rows = zip(outcome.history, losses, strict=True)
    changed = replace(outcome, history=tuple(replace(row, held_out_loss=loss) for row, loss in rows))
    monkeypatch.setitem(lab._done, "batch_5", changed)

    figures = checkpoints.step(lab, ("batch_5",)).figures

    assert f"is {said}" in figures["batch_5.verdict"]
    assert figures["batch_5.worse"] == worse


def test_batches_are_compared_by_their_lowest_loss(sections):
    figures = sections["checkpoints"].figures
    off = figures["batch_4.lowest"] - figures["batch_5.lowest"]
    way = "lower than" if off < 0 else "higher than"
    assert figures["batch_4.against"] == (
        f"batch_4: its lowest held-out loss is {abs(off):.4f} nats {way} that of batch_5."
    )
    assert figures["batch_4.test"] > 0
    assert "batch_5.test" not in figures
    assert figures["batch_5.rate"] > 0
    assert figures["batch_5.cpu_rate"] > 0


def test_both_losses_are_drawn(sections):
    drawings = sections["checkpoints"].drawings
    assert [one.name for one in drawings] == ["checkpoints-batch_5", "checkpoints-batch_4"]
    assert "training: from" in drawings[0].text
    assert "held out: from" in drawings[0].text


def test_the_same_seed_gives_the_same_losses(sections):
    """A run of half as many epochs is compared as far as it goes."""
    figures = sections["repeated"].figures
    assert figures["again.same"] == figures["again.steps"] > 0
    assert figures["answer"].endswith("losses are the same to the last digit.")


def test_what_is_set_otherwise_is_not_compared(tmp_path):
    text = FOLK.replace("models: [batch_5, again]", "models: [batch_5, batch_4]")
    lab = Lab(folk(tmp_path, text), tmp_path / "data", tmp_path / "out", Silent())
    with pytest.raises(ConfigError, match=r"models\.batch_4: it is set otherwise than batch_5"):
        make_step(lab.recipe.steps[2], lab).section(lab)


def test_tunes_stand_beside_those_of_the_corpus(sections):
    section = sections["tunes"]
    assert [row[0] for row in section.tables[0].rows] == ["corpus", "batch_5.free", "batch_5.constrained"]
    assert section.figures["corpus.valid"] == section.figures["corpus.full"] == 1.0
    assert section.figures["corpus.in_key"] == 1.0
    assert section.figures["batch_5.constrained.tunes"] == 4
    assert "with the constraint" in section.figures["batch_5.verdict"]


def test_the_share_of_right_tunes_is_counted():
    """Of all that are right and all that are wrong."""
    found = shares([*RIGHT.values(), *(text for text, _ in WRONG.values())])
    assert (found.tunes, found.valid) == (len(RIGHT) + len(WRONG), len(RIGHT))
    assert shares(["M:2/4\nL:1/8\nK:C\nc4 | d4 | e2 |]"]).bars_right == pytest.approx(2 / 3)
    assert shares(["no tune"]).pentatonic is None


@pytest.mark.parametrize("foreign", [0, 1])
def test_notes_that_are_foreign_to_the_key_are_counted(foreign):
    found = shares([f"M:2/4\nL:1/8\nK:C\n{'^c' if foreign else 'c'}2 e2 | d2 e2 |]"])
    assert found.foreign == foreign / 4


def test_the_other_checker_is_told_absent_where_it_is(monkeypatch):
    monkeypatch.setattr(shares_module, "OTHER", "no-such-program")
    assert shares([RIGHT["plain"]]).clean is None


def test_a_file_that_is_not_there_is_one_line_with_its_package(tmp_path):
    """What a package brings is taken from there, what lies among the data comes first."""
    recipe = folk(tmp_path)
    (tmp_path / "data" / "tunes.abc").unlink()
    with pytest.raises(CorpusError) as raised:
        Lab(recipe, tmp_path / "data", tmp_path / "out", Silent())
    assert str(raised.value).count("\n") == 0
    assert "tunes, from a drawer. Install that package (pip install no_such_package_of_tunes)" in str(
        raised.value
    )


def test_a_file_comes_from_its_package_unless_it_lies_among_the_data(tmp_path, monkeypatch):
    package = tmp_path / "site" / "no_such_package_of_tunes"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it is not to be imported')")
    (package / "tunes.abc").write_text(tunes())
    recipe = folk(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "site")
    there, empty = tmp_path / "data", tmp_path / "empty"
    empty.mkdir()
    found = [Lab(recipe, place, tmp_path / "out", Silent()).found["tunes.abc"] for place in (there, empty)]
    assert found == [there / "tunes.abc", package / "tunes.abc"]


@pytest.mark.parametrize("scale", ["smoke", "document"])
def test_the_shipped_recipe_asks_for_what_its_steps_measure(scale):
    """char-rnn's settings at the document's scale; the same run is repeated with the same settings."""
    recipe = load_recipe(shipped() / "recipes" / "S4a.yaml", scale)
    first, again = (recipe.models[name] for name in ("batch_50", "again"))
    assert first.training.keep_checkpoints
    assert first.model_dump(exclude={"training"}) == again.model_dump(exclude={"training"})
    sizes = {"smoke": 32, "document": 128}
    training = first.training
    assert (first.hidden_size, first.num_layers, first.cell.name) == (sizes[scale], 2, "lstm")
    assert (training.sequence_length, training.batch_size, training.learning_rate) == (50, 50, 0.002)
    assert recipe.models["batch_40"].training.batch_size == 40
