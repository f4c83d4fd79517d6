"""A model of the configuration is trained: what its checkpoint holds, and what is said where it cannot be."""

import shutil

import pytest
import torch

from bot import pipeline
from bot.config import load
from bot.errors import CorpusError, TrainingError
from bot.house import House
from bot.model import checkpoint
from bot.model.training import Result
from bot.trainer import Trainer
from tests.folders import moons, write_folder


def test_training_leaves_a_checkpoint_that_says_what_it_is(house):
    """The folder holds weights, vocabulary, index, history and a card; meta.json has the losses."""
    folder = house.checkpoint("moons")
    meta = checkpoint.read_meta(folder)

    assert {path.name for path in folder.iterdir()} == {
        "README.md",
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
    with pytest.raises(torch.OutOfMemoryError):
        trainer.run(lambda progress: None)
