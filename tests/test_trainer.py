"""A model of the configuration is trained: what its checkpoint holds, and what is said where it cannot be."""

import shutil
from unittest.mock import Mock

import pytest
import torch

from bot import pipeline
from bot.config import load
from bot.errors import BotError, CorpusError, DeviceError, StoreError, TrainingError
from bot.house import House
from bot.model import checkpoint
from bot.model.training import Result
from bot.trainer import Trainer, alone
from tests.folders import moons, write_folder


def test_training_leaves_a_checkpoint_that_says_what_it_is(house):
    """The folder holds weights, vocabulary, index, profile, history and a card; meta.json has the losses."""
    folder = house.checkpoint("moons")
    meta = checkpoint.read_meta(folder)

    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "corpus.profile",
        "history.csv",
        "meta.json",
        "novelty.index",
        "vocabulary.json",
        "weights.safetensors",
    }
    assert meta.corpus["kept"] == len(moons())
    assert meta.ngram_loss is not None
    assert len(meta.calibration) == 5


def test_the_losses_lie_beside_the_checkpoints_as_a_picture(house):
    """It is drawn anew at every evaluation."""
    assert (house.config.checkpoints_folder / "moons" / "losses.png").read_bytes().startswith(b"\x89PNG")


def test_the_card_counts_copies_before_and_after_the_filter(house):
    """The card names the share of exact copies, and that none is left after the index has vetoed."""
    card = (house.checkpoint("moons") / "README.md").read_text(encoding="utf-8")

    assert "are exact copies" in card
    assert "left after it: 0." in card


def test_a_text_without_a_space_to_cut_it_at_can_be_learned_by_words(tmp_path):
    """One text of one giant word, held out in part: the vocabulary knows both parts."""
    tmp_path.joinpath("giant.txt").write_text("abcdefghij" * 2_000)
    tmp_path.joinpath("config.yaml").write_text(
        "models: {giant: {corpus: {lines: {path: giant.txt}}, tokenizer: words}}"
    )

    trainer = Trainer(House(load(tmp_path / "config.yaml")), "giant")

    assert len(trainer.held_out) == 1


def test_a_training_that_ends_before_its_first_checkpoint_says_so(house, monkeypatch):
    """A shipped checkpoint of the same name is not touched."""
    shutil.rmtree(house.config.checkpoints_folder)
    hopeless = Result((), False, "given up: the losses left all bounds again after 3 lower learning rates")
    monkeypatch.setattr("bot.trainer.train", lambda *_, state_file, **__: state_file.touch() or hopeless)

    with pytest.raises(TrainingError, match="moons: no checkpoint was made"):
        pipeline.train(house, "moons", lambda progress: None)


def test_a_model_without_a_corpus_cannot_be_trained(tmp_path):
    """The error names the setting."""
    house = House(load(write_folder(tmp_path, "models: {bare: {}}")))

    with pytest.raises(CorpusError, match=r"models\.bare"):
        pipeline.train(house, "bare", lambda progress: None)


def test_where_a_devices_memory_runs_out_the_run_goes_on_on_the_cpu(house, monkeypatch, caplog):
    """From where it was stored, and it is said; on the CPU there is nowhere left to go."""
    trainer, began = Trainer(house, "moons"), []
    at_home = trainer._new_model()
    monkeypatch.setattr("bot.trainer.put", lambda model, setting: model.to("meta"))
    monkeypatch.setattr("bot.trainer.moved", lambda model, device: at_home)
    monkeypatch.setattr(Trainer, "_finish", lambda self, result: result)

    def train(model, *_, state_file, resume, **__):
        began.append((model.embedding.weight.device.type, resume))
        state_file.touch()
        if model.embedding.weight.is_meta or len(began) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return Result((), False, "all done")

    monkeypatch.setattr("bot.trainer.train", train)

    assert trainer.run(lambda progress: None).note == "all done"
    assert began == [("meta", False), ("cpu", True)]
    assert "training moons goes on on the CPU: CUDA out of memory" in caplog.text
    monkeypatch.setattr("bot.trainer.put", lambda model, setting: model)
    with pytest.raises(DeviceError, match="not enough memory to train moons"):
        trainer.run(lambda progress: None)


def test_a_run_that_is_stopped_while_its_card_is_written_is_finished_by_the_same_command(house, monkeypatch):
    """Nothing is trained again: calibration and card are made of what was trained."""
    shutil.rmtree(house.config.checkpoints_folder)
    with monkeypatch.context() as patch:
        patch.setattr("bot.trainer.calibrate", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(house, "moons", lambda progress: None)
    steps = []

    trained = pipeline.train(house, "moons", steps.append)

    assert steps == []
    assert len(trained.meta.calibration) == 5
    assert (trained.folder / "README.md").exists()
    assert not (trained.folder.parent / "run.safetensors").exists()


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [("lstn", "no cell is called 'lstn'"), ("{rnn: {nonlinearty: relu}}", "no option 'nonlinearty'")],
)
def test_a_wrong_cell_is_told_with_its_line_before_the_corpus_is_read(tmp_path, cell, complaint):
    """Here the corpus is not even there."""
    text = f"models:\n  bare:\n    corpus: {{lines: {{path: nowhere.txt}}}}\n    cell: {cell}\n"
    house = House(load(write_folder(tmp_path, text)))

    with pytest.raises(BotError, match=rf"config\.yaml:4:\d+.*{complaint}"):
        Trainer(house, "bare")


def test_only_one_process_trains_a_model(house):
    """Two would write over each other's run; a lock whose process has died holds nobody up."""
    shelf = house.checkpoint("moons").parent

    with alone(shelf), pytest.raises(TrainingError, match="moons is being trained by another process"):
        pipeline.train(house, "moons", lambda progress: None)
    with alone(shelf):
        pass


def test_a_checkpoint_that_a_bot_is_set_to_is_kept(bot_folder):
    """`checkpoint: NAME` in config.yaml holds a folder that the run has outgrown; others of the run go."""
    house = House(load(bot_folder))
    shutil.rmtree(house.config.checkpoints_folder)
    trainer, kept = Trainer(house, "moons"), []

    def name_the_first(progress):
        if progress.validation_loss is not None and not kept:
            kept.extend(checkpoint.names(trainer.root, "moons"))
            bot = house.bot("night").model_copy(update={"checkpoint": kept[0]})
            trainer._house = House(house.config.model_copy(update={"bots": {"night": bot}}))

    trainer.run(name_the_first)

    assert len(kept) == 1
    assert kept[0] in checkpoint.names(trainer.root, "moons")
    assert len(checkpoint.names(trainer.root, "moons")) == 2


def test_a_training_goes_on_where_the_queue_cannot_be_asked(house, monkeypatch, caplog):
    """Then no checkpoint is removed, for a draft may refer to it."""
    shutil.rmtree(house.config.checkpoints_folder)
    monkeypatch.setattr(type(house.drafts), "checkpoints_in_use", Mock(side_effect=StoreError("locked")))

    pipeline.train(house, "moons", lambda progress: None)

    assert len(checkpoint.names(house.config.checkpoints_folder, "moons")) == 2
    assert "no checkpoint is removed: locked" in caplog.text
