"""Small models for tests, made of the shipped cells."""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bot.model import Cell, CountedModel
from bot.model.language_model import LanguageModel, build

CELLS = Path(__file__).parents[1] / "plugins" / "cells"


def cell_makers() -> dict[str, Callable[[int, int], Cell]]:
    """Every shipped cell by name."""
    return {name: kind for name, kind in _registered().items() if not issubclass(kind, CountedModel)}


def counted_makers() -> dict[str, Callable[[int], CountedModel]]:
    """Every shipped model that is counted, by name."""
    return {name: kind for name, kind in _registered().items() if issubclass(kind, CountedModel)}


@cache
def _registered() -> dict[str, type]:
    kinds: dict[str, type] = {}
    for path in sorted(CELLS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"cells_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        kinds |= module.register_cells()
    return kinds


def small_model(
    cell: str = "lstm", layers: int = 1, vocabulary_size: int = 20, **options: Any
) -> LanguageModel:
    """Always the same weights for the same arguments."""
    return build(
        cell_makers()[cell],
        vocabulary_size=vocabulary_size,
        embedding_size=6,
        hidden_size=8,
        num_layers=layers,
        **options,
    )


def training_settings(**changes: Any) -> SimpleNamespace:
    """What the configuration's Training has, for a run of a moment."""
    settings = {
        "max_steps": 12,
        "max_epochs": None,
        "max_minutes": None,
        "batch_size": 4,
        "sequence_length": 8,
        "learning_rate": 0.01,
        "schedule": "cosine",
        "warmup_steps": 2,
        "decay": 1.0,
        "decay_after": 1,
        "optimizer": "adamw",
        "weight_decay": 0.01,
        "dropout": 0.2,
        "embedding_dropout": 0.0,
        "weight_dropout": 0.0,
        "averaging": 0.1,
        "gradient_clip": 1.0,
        "clip_by": "norm",
        "rollbacks": 3,
        "beta2": 0.99,
        "rmsprop_alpha": 0.95,
        "initial_range": None,
        "layout": "auto",
        "evaluate_every": 4,
        "shards": 2,
        "patience": 0,
        "seed": 1,
    }
    return SimpleNamespace(**(settings | changes))
