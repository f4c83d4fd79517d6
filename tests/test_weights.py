"""Weights as bytes and back, and everything that is refused on the way."""

import json
import struct
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import CheckpointError
from bot.model.checkpoint import WEIGHTS, publish, read_meta
from bot.model.language_model import LanguageModel, build
from bot.model.weights import load_model, pack
from tests.checkpoints import META
from tests.models import cell_makers, small_model

IDS = torch.arange(12).reshape(4, 3)
LSTM = cell_makers()["lstm"]


def shelve(root: Path, model: LanguageModel, **changes: object) -> Path:
    meta = replace(META, **changes)
    return publish(root, meta, pack(model, meta.precision), {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shelve(tmp_path, small_model())


def load(folder: Path, **changes: object) -> LanguageModel:
    return load_model(folder, replace(read_meta(folder), **changes), partial(build, LSTM))


@pytest.mark.parametrize("cell", sorted(cell_makers()))
def test_a_loaded_model_says_the_same(tmp_path: Path, cell: str) -> None:
    """Every cell survives the round trip bit by bit."""
    model = small_model(cell, layers=2)

    folder = shelve(tmp_path, model, num_layers=2)
    loaded = load_model(folder, read_meta(folder), partial(build, cell_makers()[cell]))

    assert torch.equal(loaded(IDS)[0], model(IDS)[0])


def test_a_normed_head_stays_one(tmp_path: Path) -> None:
    """meta.json says so; the weights are the same either way, and older checkpoints have none."""
    model = small_model(head_norm=True)

    folder = shelve(tmp_path, model, head_norm=True)

    assert torch.equal(load(folder)(IDS)[0], model(IDS)[0])
    assert not torch.equal(load(folder, head_norm=False)(IDS)[0], model(IDS)[0])
    assert META.head_norm is False


def test_half_precision_halves_the_file_and_stays_close(tmp_path: Path) -> None:
    """float16 is a storage form: loaded weights are float32, near the original."""
    model = small_model()

    folder = shelve(tmp_path, model, precision="float16")
    loaded = load(folder)

    assert len(pack(model, "float16")) < 0.6 * len(pack(model))
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    torch.testing.assert_close(loaded(IDS)[0], model(IDS)[0], atol=5e-3, rtol=5e-3)


def test_a_loaded_model_can_learn_on(folder: Path) -> None:
    """Its weights are parameters with memory of their own."""
    model = load(folder)

    model(IDS)[0].sum().backward()

    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_same_weights_give_the_same_bytes() -> None:
    """The digest in a checkpoint's name depends on the weights alone."""
    assert pack(small_model()) == pack(small_model())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_what_is_not_finite_is_never_packed(value: float) -> None:
    """NaN and infinity are refused, also those that half precision would make of large values."""
    model = small_model()
    with torch.no_grad():
        model.head.weight[0, 0] = value

    with pytest.raises(CheckpointError, match=r"head\.weight"):
        pack(model, "float16")


@pytest.mark.parametrize(
    "lie",
    [
        {"hidden_size": 9},
        {"vocabulary_size": 10**12},
        {"hidden_size": 10**12},
        {"hidden_size": -1},
        {"hidden_size": 0},
        {"num_layers": 2},
        {"num_layers": 10**12},
        {"num_layers": 0},
        {"precision": "float16"},
        {"weights_sha256": "0" * 64},
    ],
)
def test_metadata_that_does_not_fit_the_file_is_refused(folder: Path, lie: dict) -> None:
    """Wrong or monstrous sizes are noticed before memory is taken for them."""
    with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
        load(folder, **lie)


def test_a_header_that_declares_more_than_is_there_is_refused(folder: Path) -> None:
    """Sizes that file and metadata agree on are still compared with the bytes on disk."""
    path = folder / WEIGHTS
    huge = {
        "embedding.weight": {"dtype": "F32", "shape": [10**9, 6], "data_offsets": [0, 24 * 10**9]},
    }
    header = json.dumps(huge).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)

    with pytest.raises(CheckpointError):
        load(folder, vocabulary_size=10**9)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    """A file made elsewhere may hold NaN; it does not become a model."""
    model = small_model()
    content = bytearray(pack(model))
    content[-4:] = struct.pack("<f", float("nan"))
    folder = publish(tmp_path, META, bytes(content), {})

    with pytest.raises(CheckpointError, match="not finite"):
        load(folder)


@settings(max_examples=40)
@given(at=st.integers(0, 3000), value=st.integers(0, 255), cut=st.integers(0, 3000))
def test_a_damaged_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int, cut: int
) -> None:
    """Whatever byte is changed and wherever the file is cut, the answer is a CheckpointError or the model."""
    folder = shelve(tmp_path_factory.mktemp("damaged"), small_model())
    whole = (folder / WEIGHTS).read_bytes()
    damaged = bytearray(whole)
    damaged[at % len(whole)] = value
    del damaged[max(1, len(damaged) - cut) :]
    (folder / WEIGHTS).write_bytes(damaged)

    if damaged == whole:
        load(folder)
    else:
        with pytest.raises(CheckpointError):
            load(folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\xff" * 64, struct.pack("<Q", 2) + b"[]", b"\x80\x04K\x01."]
)
def test_what_is_no_safetensors_file_is_refused(folder: Path, content: bytes) -> None:
    """An empty file, a pickle, anything: a CheckpointError that names the file."""
    (folder / WEIGHTS).write_bytes(content)

    with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
        load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    """A checkpoint without weights says so."""
    (folder / WEIGHTS).unlink()

    with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
        load(folder)
