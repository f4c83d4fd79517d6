"""A plugin of each kind that raises, hangs, exits, makes noise or answers nonsense, and a bot with it."""

from pathlib import Path

from bot.config import load
from bot.house import House
from tests.queues import Clock

MODES = "raise", "hang", "exit", "noise", "nonsense"
TEXTS = "Moon of glass", "Red harbour", "Drowned choir", "Hollow ladder", "Paper engine", "Salt mirror"

CHAOS = """
import os
import sys
import time

from bot import Receipt, hookimpl


def chaos(mode, right):
    if mode == "raise":
        raise RuntimeError("chaos")
    if mode == "hang":
        time.sleep(3600)
    if mode == "exit":
        os._exit(3)
    if mode == "noise":
        print("chaos " * 10_000)
        print("chaos " * 10_000, file=sys.stderr)
    return object() if mode == "nonsense" else right


class Target:
    kind, account, max_length = "query", "chaos", None

    def __init__(self, mode: str):
        self.mode = mode

    def measure(self, text):
        return len(text)

    def post(self, post):
        return chaos(self.mode, Receipt(post.key))

    def find(self, post):
        return chaos(self.mode, None)


class Filter:
    def __init__(self, mode: str):
        self.mode = mode

    def __call__(self, candidate, context):
        return chaos(self.mode, candidate)


class Rule:
    start = 0

    def __init__(self, mode: str):
        self.mode = mode

    def advance(self, state, character):
        return chaos(self.mode, state)

    def missing(self, state):
        return 0


class Tokenizer:
    vocabulary_size = None

    def __init__(self, mode: str):
        self.mode = mode

    def split(self, text):
        return list(text)

    def join(self, tokens):
        return chaos(self.mode, "".join(tokens))


def cell(input_size, hidden_size, mode: str):
    from plugins.cells.gru import Gru  # what the checkpoint was trained with

    return chaos(mode, Gru(input_size, hidden_size))


def corpus(mode: str):
    yield chaos(mode, "a moon")
    yield "another"


@hookimpl
def register_constraints():
    return {"chaos": Rule}


@hookimpl
def register_tokenizers():
    return {"chaos": Tokenizer}


@hookimpl
def register_cells():
    return {"chaos": cell}


@hookimpl
def register_corpora():
    return {"chaos": corpus}


@hookimpl
def register_targets():
    return {"chaos": Target}


@hookimpl
def register_filters():
    return {"chaos": Filter}
"""


def plug_in(config: Path) -> Path:
    """Put the plugin beside a configuration."""
    plugins = config.parent / "plugins"
    plugins.mkdir(exist_ok=True)
    (plugins / "chaos.py").write_text(CHAOS)
    return config


def configure(folder: Path, chaos: str) -> House:
    """Two bots beside each other: `bad` with the plugin, `good` without."""
    head, _ = folder.read_text().split("bots:")
    schedule = "schedule: {every: 60s}"
    bots = f"bots:\n  bad: {{model: moons, {schedule}, {chaos}}}\n"
    bots += f"  good: {{model: moons, {schedule}, targets: [{{jsonl: {{path: good.jsonl}}}}]}}\n"
    folder.write_text(head + bots)
    return House(load(folder), Clock())
