"""Training speed on one core: every registered cell beside an nn.LSTM of the same size.

    python -m benchmarks.training [--hidden-size 512] [--batch-size 128] [--steps 16] [--rounds 7]

Forward, loss, backward, clipping and AdamW on windows of random ids. CPU seconds; each round runs every
cell once, and a factor is the median of the rounds' own ratios, so that a busy neighbour slows all alike.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from bot.model.evaluation import cross_entropy
from bot.model.language_model import build
from bot.model.schedule import make_optimizer
from bot.registry import Registry

VOCABULARY, EMBEDDING, REFERENCE = 370, 64, "nn.LSTM"
SETTINGS = SimpleNamespace(optimizer="adamw", learning_rate=1e-3, weight_decay=0.01)


class Reference(nn.Module):
    """What one writes without this program."""

    def __init__(self, hidden_size: int):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, hidden_size)
        self.head = nn.Linear(hidden_size, VOCABULARY)

    def forward(self, ids: Tensor) -> tuple[Tensor, object]:
        outputs, state = self.lstm(self.embedding(ids))
        return self.head(outputs), state


def stepper(model: nn.Module, ids: Tensor) -> Callable[[], None]:
    """One update of a model on these ids (T + 1, B)."""
    optimizer = make_optimizer(model, SETTINGS)

    def step() -> None:
        logits, _ = model(ids[:-1])
        optimizer.zero_grad()
        cross_entropy(logits, ids[1:]).backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def measure(steppers: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of one step, by name, for every round."""
    seconds: dict[str, list[float]] = {name: [] for name in steppers}
    for _ in range(rounds + 1):
        for name, step in steppers.items():
            before = time.process_time()
            step()
            seconds[name].append(time.process_time() - before)
    return {name: times[1:] for name, times in seconds.items()}  # the first round warms up


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for option, default in (("hidden-size", 512), ("batch-size", 128), ("steps", 16), ("rounds", 7)):
        parser.add_argument(f"--{option}", type=int, default=default)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    sizes = {"vocabulary_size": VOCABULARY, "embedding_size": EMBEDDING, "num_layers": 1}
    new = partial(build, hidden_size=chosen.hidden_size, **sizes)
    registry = Registry(None, Path())
    models = {name: new(registry.look_up("cells", name)) for name in registry.names("cells")}
    ids = torch.randint(VOCABULARY, (chosen.steps + 1, chosen.batch_size))
    candidates = {REFERENCE: Reference(chosen.hidden_size), **models}
    seconds = measure({name: stepper(model, ids) for name, model in candidates.items()}, chosen.rounds)
    for name, times in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(seconds[REFERENCE], times, strict=True)]
        speed = chosen.steps * chosen.batch_size / median(times)
        print(f"{name:10} {speed:8,.0f} tokens/s   x{median(ratios):.2f}")


if __name__ == "__main__":
    main()
