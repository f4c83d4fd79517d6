"""Checkpoints for tests that need no weights: nothing here loads torch."""

from dataclasses import replace
from pathlib import Path

from bot.model.checkpoint import Meta, Plugin, publish

META = Meta(
    model="metal",
    tokenizer=Plugin("characters"),
    cell=Plugin("rnn", {"nonlinearity": "relu"}),
    vocabulary_size=20,
    embedding_size=6,
    hidden_size=8,
    num_layers=1,
    precision="float32",
    step=12,
    epoch=1.5,
    train_loss=1.7,
    held_out_loss=1.81321,
    corpus={"name": "bands", "sha256": "ab"},
    calibration=((0.6, 0.7), (1.0, 1.1)),
    run="monday",
)


def shelve(root: Path, **changes: object) -> Path:
    """Publish a checkpoint whose weights are a few letters."""
    meta = replace(META, **changes)
    return publish(
        root, meta, f"weights {meta.held_out_loss} {meta.run}".encode(), {"vocabulary.json": b"[]"}
    )
