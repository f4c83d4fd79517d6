"""The preset of char-rnn: its options, what they become, and that a model is trained as it would."""

import re

import pytest

from bot import pipeline
from bot.cli.app import open_house
from bot.config import load, shipped
from bot.config.char_rnn import CharRnn
from bot.config.settings import Training
from bot.errors import ConfigError
from bot.model import checkpoint
from bot.model.training_state import load_losses
from bot.trainer import Trainer

SMALL = "rnn_size: 12, num_layers: 1, seq_length: 10, batch_size: 8, max_epochs: 1, eval_val_every: 50"


def write(folder, model):
    """A settings file with one model on one text of our own."""
    text = " ".join(f"moon {at % 7} over {at * at % 11}" for at in range(900))
    folder.joinpath("input.txt").write_text(text)
    path = folder / "config.yaml"
    corpus = "corpus: {text_folder: {path: '.', pattern: input.txt}}"
    path.write_text(f"models:\n  folk:\n    {corpus}\n    {model}\n")
    return path


def test_every_option_has_its_own_name_and_default():
    """As char-rnn's train.lua has them."""
    assert CharRnn().model_dump() == {
        "rnn_size": 128,
        "num_layers": 2,
        "model": "lstm",
        "learning_rate": 0.002,
        "learning_rate_decay": 0.97,
        "learning_rate_decay_after": 10,
        "decay_rate": 0.95,
        "dropout": 0.0,
        "seq_length": 50,
        "batch_size": 50,
        "max_epochs": 50,
        "grad_clip": 5.0,
        "train_frac": 0.95,
        "val_frac": 0.05,
        "init_from": "",
        "seed": 123,
        "print_every": 1,
        "eval_val_every": 1000,
        "checkpoint_dir": "cv",
        "savefile": "lstm",
        "gpuid": -1,
    }


def test_the_table_in_the_documentation_has_every_option():
    """With its default and with settings that there are."""
    page = (shipped() / "docs" / "char_rnn.md").read_text(encoding="utf-8")
    table = page.split("## The arithmetic")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", table, re.MULTILINE))
    settings = {*Training.model_fields, "init_from", "hidden_size", "embedding_size", "num_layers", "cell"}

    assert rows == {name: str(value) or "none" for name, value in CharRnn().model_dump().items()}
    for cell in re.findall(r"^\| `\w+` \| \S+ \| ([^|]*) \|", table, re.MULTILINE):
        assert {*re.findall(r"`(\w+)`", cell)} <= settings


@pytest.mark.parametrize("preset", ["char_rnn", "{char_rnn: {}}", "{char_rnn: null}"])
def test_the_preset_becomes_ordinary_settings(tmp_path, preset):
    """By its name alone too; they are the model's own afterwards."""
    model = load(write(tmp_path, f"preset: {preset}")).models["folk"]

    if preset.endswith("null}"):
        assert model.training == Training()
        return
    assert (model.hidden_size, model.num_layers, model.cell.name) == (128, 2, "lstm")
    training = model.training
    assert (training.optimizer, training.rmsprop_alpha, training.learning_rate) == ("rmsprop", 0.95, 0.002)
    assert (training.schedule, training.decay, training.decay_after) == ("epochs", 0.97, 10)
    assert (training.gradient_clip, training.clip_by, training.initial_range) == (5.0, "value", 0.08)
    assert (training.layout, training.batch_size, training.sequence_length) == ("stream", 50, 50)
    assert (training.validation_share, training.test_share) == (0.05, 0.0)
    assert (training.max_epochs, training.max_minutes, training.evaluate_every) == (50, None, 1000)


def test_what_is_set_beside_the_preset_counts_more(tmp_path):
    """A single setting of the training leaves the others as char-rnn has them."""
    options = "{rnn_size: 64, model: gru, train_frac: 0.5, val_frac: 0.25}"
    beside = "hidden_size: 32\n    training: {optimizer: adam}"

    model = load(write(tmp_path, f"preset: {{char_rnn: {options}}}\n    {beside}")).models["folk"]

    assert (model.cell.name, model.embedding_size, model.hidden_size) == ("gru", 64, 32)
    assert (model.training.optimizer, model.training.clip_by) == ("adam", "value")
    assert (model.training.validation_share, model.training.test_share) == (0.25, 0.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "rnn_sice: 3",
            r":4:25: models\.folk\.preset\.char_rnn: no setting 'rnn_sice'.*Did you mean 'rnn_size'",
        ),
        ("rnn_size: big", r":4:25: models\.folk\.preset\.char_rnn\.rnn_size: expected a whole number"),
        ("gpuid: 0", "gpuid 0: set `device: cuda` at the top"),
        ("checkpoint_dir: elsewhere", "set `checkpoints: elsewhere` at the top"),
        ("train_frac: 0.9, val_frac: 0.2", "are more than 1 together"),
    ],
)
def test_a_wrong_option_is_told_with_its_place(tmp_path, options, message):
    """Under the name that the user wrote, and what would be right."""
    path = write(tmp_path, f"preset: {{char_rnn: {{{options}}}}}")

    with pytest.raises(ConfigError) as caught:
        load(path)
    assert re.search(message, str(caught.value))


@pytest.fixture(scope="module")
def folk(tmp_path_factory):
    """A house with a model that was trained by the preset, a quarter of its text kept to test with."""
    folder = tmp_path_factory.mktemp("folk")
    options = f"{SMALL}, train_frac: 0.5, val_frac: 0.25"
    house = open_house(write(folder, f"preset: {{char_rnn: {{{options}}}}}"))
    return house, pipeline.train(house, "folk", lambda progress: None)


def test_checkpoints_are_kept_and_named_with_epoch_and_loss(folk):
    """As lm_lstm_epoch0.95_2.0681, and a digest; the best is the one of lowest held-out loss."""
    house, trained = folk
    root = house.config.checkpoints_folder

    metas = [checkpoint.read_meta(root / "folk" / name) for name in checkpoint.names(root, "folk")]

    assert len(metas) == len(trained.result.history) > 2
    for meta, name in zip(metas, checkpoint.names(root, "folk"), strict=True):
        assert re.fullmatch(rf"lm_lstm_epoch{meta.epoch:.2f}_{meta.held_out_loss:.4f}_[0-9a-f]{{6}}", name)
    assert house.checkpoint("folk").name == trained.folder.name
    assert trained.meta.held_out_loss == min(meta.held_out_loss for meta in metas)


def test_the_loss_on_the_third_part_is_told(folk):
    """In meta.json and on the model card."""
    _, trained = folk

    assert 0 < trained.meta.test_loss < 4
    assert f"to test with | {trained.meta.test_loss:.4f} |" in (trained.folder / "README.md").read_text()


def test_the_same_seed_gives_the_same_losses(folk, tmp_path):
    """Step by step."""
    house, _ = folk
    again = open_house(write(tmp_path, f"preset: {{char_rnn: {{{SMALL}, train_frac: 0.5, val_frac: 0.25}}}}"))
    pipeline.train(again, "folk", lambda progress: None)

    losses = [
        load_losses(one.config.checkpoints_folder / "folk" / "run.safetensors")[1] for one in (house, again)
    ]

    assert losses[0] == losses[1]
    assert len(losses[0]) > 50


def test_a_small_text_is_remarked_on(folk):
    """Less than a megabyte; what is printed also has the number of parameters."""
    house, _ = folk

    trainer = Trainer(house, "folk")

    assert re.search(r"small corpus for a stream: [\d,]+ bytes are less than 1,000,000", trainer.remark)
    assert trainer.parameters == sum(weights.numel() for weights in trainer._new_model().parameters())
