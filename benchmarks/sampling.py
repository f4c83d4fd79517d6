"""Sampling speed on one core: the sampler at several widths beside sampling one at a time with nn.LSTM.

    python -m benchmarks.sampling [--hidden-size 512] [--count 1024] [--rounds 5]

Untrained weights; the end mark's bias makes names of about 14 characters. CPU seconds; each round runs
every way once, the figure is the median of the rounds, so that a busy neighbour slows all ways alike.
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch
from torch import nn

from bot.config import Choice
from bot.model import sampling
from bot.model.language_model import build
from bot.records import Sampling
from bot.registry import Registry
from bot.text.vocabulary import END, START, Vocabulary

LETTERS, EMBEDDING, MEAN, LONGEST = 97, 64, 14, 200
WIDTHS = (16, 32, 64, 128, 256)
REGISTRY = Registry(None, Path())


class OneAtATime:
    """How it is usually done: nn.LSTM over one text, a softmax and a draw a character."""

    def __init__(self, hidden_size: int):
        self.embedding = nn.Embedding(LETTERS + 3, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, hidden_size)
        self.head = nn.Linear(hidden_size, LETTERS + 3)
        _shorten(self.head)

    @torch.inference_mode()
    def __call__(self, count: int) -> int:
        characters = 0
        for _ in range(count):
            id, state = START, None
            for _ in range(LONGEST):
                output, state = self.lstm(self.embedding(torch.tensor([[id]])), state)
                id = int(torch.multinomial(self.head(output[0]).softmax(1), 1))
                characters += 1
                if id == END:
                    break
        return characters


class Batched:
    """Our sampler with a given number of rows."""

    def __init__(self, cell: str, hidden_size: int, width: int):
        def make(inputs: int, hidden: int) -> nn.Module:
            return REGISTRY.build("cells", Choice(cell, {}), input_size=inputs, hidden_size=hidden)

        sizes = {"vocabulary_size": LETTERS + 3, "embedding_size": EMBEDDING, "hidden_size": hidden_size}
        model = build(make, **sizes, num_layers=1).eval()
        _shorten(model.head)
        letters = Vocabulary([chr(0x100 + number) for number in range(LETTERS)])
        characters = REGISTRY.build("tokenizers", Choice("characters", {}))
        self.width, self.sampler = width, sampling.Sampler(model, letters, characters, "model/name", 2.0)

    def __call__(self, count: int) -> int:
        with patch.object(sampling, "WIDTH", self.width):
            candidates = self.sampler.sample(Sampling((1.0, 1.0), LONGEST), 1, range(count))
        return sum(len(candidate.text) + 1 for candidate in candidates)


def _shorten(head: nn.Linear) -> None:
    with torch.no_grad():
        head.bias.zero_()
        head.bias[END] = math.log(LETTERS / (MEAN - 1))


def rate(way: Callable[[int], int], count: int) -> float:
    """Characters a CPU second, end marks counted."""
    before = time.process_time()
    characters = way(count)
    return characters / (time.process_time() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--count", type=int, default=1024, help="texts a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    control = "one at a time, nn.LSTM"
    ways: dict[str, tuple[Callable[[int], int], int]] = {control: (OneAtATime(options.hidden_size), 20)}
    for cell in ("lstm", "gru"):
        for width in WIDTHS:
            ways[f"{cell}, {width} rows"] = (Batched(cell, options.hidden_size, width), options.count)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, (way, count) in ways.items():
            rates[name].append(rate(way, count))
    print(f"{options.hidden_size} units, {options.count} texts of about {MEAN} characters, one core")
    for name, found in rates.items():
        times = median(ours / theirs for ours, theirs in zip(found, rates[control], strict=True))
        print(f"{name:24}{median(found):10,.0f} characters/s{times:8.1f} x")


if __name__ == "__main__":
    main()
