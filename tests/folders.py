"""A bot's folder with a model trained in seconds, made once a test run and copied for each test."""

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot import pipeline
from bot.config import load
from bot.errors import BotError
from bot.events import Filled
from bot.host import Answer, ModelHost, Order
from bot.house import House

CONFIG = """
models:
  moons:
    corpus: {lines: {path: moons.txt}}
    cell: gru
    embedding_size: 12
    hidden_size: 32
    training: {max_steps: 60, batch_size: 32, evaluate_every: 30, learning_rate: 0.02, warmup_steps: 5}
bots:
  night:
    model: moons
    sampling: {temperature: [0.8, 1.2]}
    filters: [{length: {min: 3, max: 40}}, not_in_training, not_seen_before]
    batch_size: 24
    queue_size: 8
    schedule: {every: 4s}
    targets: [{jsonl: {path: posts.jsonl}}, {feed: {path: feed.xml}}]
"""

KINDS = ("pale", "red", "drowned", "hollow", "second", "paper", "salt", "iron", "winter", "blind")
THINGS = ("moon", "harbour", "choir", "orchard", "ladder", "engine", "mirror", "tide")
PLACES = ("of glass", "under snow", "at noon", "without a name", "for sale")


def moons() -> list[str]:
    """400 short lines of our own."""
    return [" ".join(words) for words in itertools.product(KINDS, THINGS, PLACES)]


def write_folder(folder: Path, config: str = CONFIG) -> Path:
    """An untrained bot's folder; returns its config.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("moons.txt").write_text("\n".join(moons()) + "\n", encoding="utf-8")
    path = folder / "config.yaml"
    path.write_text(config, encoding="utf-8")
    return path


def train_folder(folder: Path) -> Path:
    """The same with a trained model."""
    path = write_folder(folder)
    pipeline.train(House(load(path)), "moons", progress=lambda progress: None)
    return path


def copy_folder(trained: Path, folder: Path) -> Path:
    shutil.copytree(trained.parent, folder)
    return folder / "config.yaml"


class Host:
    """The model host without its process."""

    def __init__(self, house: House):
        self._serve = ModelHost(house.config)

    def ask_all(self, orders: Sequence[Order]) -> Iterator[tuple[Order, Answer]]:
        try:
            _, *answers = self._serve(orders)
        except BotError as error:
            answers = [error] * len(orders)
        yield from zip(orders, answers, strict=True)


def fill(house: House, **options: int) -> Filled:
    return pipeline.fill(house, Host(house), "night", **options)
