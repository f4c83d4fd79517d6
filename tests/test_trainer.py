"""A model of the configuration is trained: what its checkpoint holds, and what is said where it cannot be."""

import shutil
import signal
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
    note = "given up: the losses left all bounds again after 3 lower learning rates"
    hopeless = Result((), False, note, gave_up=True)
    monkeypatch.setattr("bot.trainer.train", lambda *_, state_file, **__: state_file.touch() or hopeless)

    with pytest.raises(TrainingError, match="moons: no checkpoint was made"):
        pipeline.train(house, "moons", lambda progress: None)
    assert not (house.config.checkpoints_folder / "moons" / "run.safetensors").exists()


def test_a_model_without_a_corpus_cannot_be_trained(tmp_path):
    """The error names the setting."""
    house = House(load(write_folder(tmp_path, "models: {bare: {}}")))

    with pytest.raises(CorpusError, match=r"models\.bare"):
        pipeline.train(house, "bare", lambda progress: None)


def test_where_a_devices_memory_runs_out_the_run_goes_on_on_the_cpu(house, monkeypatch, caplog):
    """From where it was stored, and it is said; on the CPU there is nowhere left to go."""
    shutil.rmtree(house.config.checkpoints_folder / "moons")
    checkpoint.make_shelf(house.config.checkpoints_folder, "moons")
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
        trainer.run(lambda progress: None, fresh=True)


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


def test_only_one_process_trains_a_model(house, monkeypatch):
    """Two would write over each other's run, which is told before anything is read.

    A lock whose process has died holds nobody up.
    """
    shelf = house.checkpoint("moons").parent
    monkeypatch.setattr(house, "corpus", Mock(side_effect=AssertionError("the corpus was read")))

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

    assert len(checkpoint.names(house.config.checkpoints_folder, "moons")) == 3
    assert "no checkpoint is removed: locked" in caplog.text


def with_training(house, **settings):
    """The same rooms after an edit of `training:` in config.yaml."""
    model = house.model("moons")
    training = model.training.model_copy(update=settings)
    model = model.model_copy(update={"training": training})
    return House(house.config.model_copy(update={"models": {"moons": model}, "bots": {}}), house.clock)


def stop_at(step):
    """Press Ctrl-C after that step."""
    return lambda progress: signal.raise_signal(signal.SIGINT) if progress.step == step else None


def test_a_finished_model_is_not_trained_again(house):
    """Who calls the command again is told so, with the loss and what would train it further or anew."""
    plan, steps = Trainer(house, "moons").plan(), []

    pipeline.train(house, "moons", steps.append)

    assert plan.do == "nothing"
    assert plan.why.startswith("moons is trained: all 60 steps done, best held-out loss 1.")
    assert "max_steps" in plan.why
    assert "--fresh" in plan.why
    assert Trainer(house, "moons").plan(fresh=True).do == "begin"
    assert steps == []


def test_a_finished_model_that_may_take_more_steps_goes_on(house):
    """From where it ended, to the new end."""
    house, steps = with_training(house, max_steps=70), []
    plan = Trainer(house, "moons").plan()

    trained = pipeline.train(house, "moons", steps.append)

    assert (plan.do, plan.why.split(",")[0]) == ("go on", "Going on with the finished run after its 60 steps")
    assert [progress.step for progress in steps] == list(range(61, 71))
    assert trained.result.history[-1].step == 70
    assert Trainer(house, "moons").plan().do == "nothing"


def test_a_finished_model_with_other_settings_is_trained_anew(house):
    """It is said which; more steps than before change nothing about that."""
    plan = Trainer(with_training(house, dropout=0.1, max_steps=70), "moons").plan()

    assert (plan.do, plan.why) == ("begin", "Beginning anew: the finished run had dropout 0.2 (now 0.1).")


def test_a_finished_run_without_its_checkpoints_is_made_again(house):
    """Somebody has removed them."""
    for name in checkpoint.names(house.config.checkpoints_folder, "moons"):
        shutil.rmtree(house.config.checkpoints_folder / "moons" / name)

    assert Trainer(house, "moons").plan().do == "begin"


def test_an_unfinished_run_with_other_settings_is_told_before_anything_is_prepared(house, monkeypatch):
    """With what it was, and what it is now; it goes on once that is set back."""
    pipeline.train(house, "moons", stop_at(25), fresh=True)
    monkeypatch.setattr(Trainer, "ngram_loss", property(Mock(side_effect=AssertionError("prepared"))))

    assert Trainer(house, "moons").plan().why.startswith("Going on with the unfinished run after 25 steps")
    with pytest.raises(TrainingError, match=r"of moons was begun with seed 1 \(now 7\); set that back"):
        Trainer(with_training(house, seed=7), "moons").plan()


def test_a_run_that_broke_at_its_first_step_was_never_begun(house, monkeypatch):
    """There is nothing to go on with, and nothing in the way of what was mended."""
    shutil.rmtree(house.config.checkpoints_folder)
    monkeypatch.setattr("bot.model.run.Run.step", Mock(side_effect=RuntimeError("shapes do not fit")))
    with pytest.raises(RuntimeError):
        pipeline.train(house, "moons", lambda progress: None)

    assert Trainer(with_training(house, dropout=0.1), "moons").plan().do == "begin"


def test_an_interrupted_run_speaks_of_itself(house):
    """Its best loss and its latest checkpoint, though an earlier run's stays the model's best."""
    before = house.checkpoint("moons")

    trained = pipeline.train(house, "moons", stop_at(25), fresh=True)

    assert trained.best.step in (20, 25)
    assert trained.meta.step == 25
    assert trained.folder == house.checkpoint("moons", "latest") != before
    assert trained.better == checkpoint.read_meta(before)
    assert house.checkpoint("moons") == before


def test_a_batch_larger_than_the_corpus_is_told(house):
    """It means the whole corpus at each step, which hardly anybody wants."""
    assert Trainer(house, "moons").remark == ""
    assert Trainer(with_training(house, batch_size=4096), "moons").remark == (
        "batch_size 4096: there are only 380 rows, each step reads the whole corpus."
    )
