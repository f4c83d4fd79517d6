"""Quality at a budget: held-out loss on public corpora after some minutes of two cores, an n-gram beside it.

    python -m benchmarks.quality tiny-60s --data FOLDER [--json] [--set training.dropout=0.3 ...]

FOLDER holds tinyshakespeare.txt and makemore_names.txt. The product's own training loop and settings; minutes
on two cores are counted in CPU seconds of this process, so that a busy neighbour takes nothing away, or with
--clock wall on the wall. Within a run nothing is chosen by the test part: it ends with its budget, and its
last weights are measured. `dev` is left out of training, to choose settings by; docs/quality.md says where
the presets' were chosen otherwise.
An interrupted run goes on when the command is given again. Losses are nats per character.
"""

import argparse
import copy
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from bot.config import Model, Training
from bot.model.batches import ItemBatches
from bot.model.evaluation import cross_entropy, evaluate
from bot.model.language_model import LanguageModel, build, detach
from bot.model.ngram import NGram
from bot.model.threads import one_thread
from bot.model.training import train
from bot.model.watch import Measurement
from bot.model.weights import pack
from bot.registry import Registry
from bot.text.vocabulary import Vocabulary

CORES = 2
WINDOW = 256  # characters of a test window, each from the initial state
SEGMENT, RATES = 64, (0.03, 0.1, 0.3)  # of dynamic evaluation; the rate that suits `dev` is taken
MAKEMORE_SEED, MAKEMORE_TEST = 3407, 1000  # how makemore splits its names

Ids = list[list[int]]
Tests = Callable[[LanguageModel], dict[str, float]]

LONG: dict[str, Any] = {"max_steps": 10_000_000, "patience": 0}  # the clock ends a run
SHORT = LONG | {"batch_size": 32, "learning_rate": 0.016, "dropout": 0.0, "weight_dropout": 0.0}
TEXT = LONG | {
    "batch_size": 32,
    "learning_rate": 0.003,
    "dropout": 0.4,
    "weight_dropout": 0.4,
    "embedding_dropout": 0.1,
}
PRESETS: dict[str, dict[str, Any]] = {  # the settings that are not the defaults
    "tiny-60s": {"hidden_size": 224, "head_norm": True, "training": SHORT | {"max_minutes": 1}},
    "tiny-60min": {"hidden_size": 448, "training": TEXT | {"max_minutes": 60}},
    "tiny-2h": {"hidden_size": 704, "training": TEXT | {"learning_rate": 0.002, "max_minutes": 120}},
    "names-3min": {"hidden_size": 192, "training": LONG | {"max_minutes": 3}},
    "names-10min": {"hidden_size": 208, "training": LONG | {"max_minutes": 10}},
}


@dataclass(frozen=True)
class Corpus:
    """A corpus cut as its protocol says; `tests` measures a model, `ngram` says what a 5-gram reaches."""

    vocabulary: Vocabulary
    train: Ids
    dev: Ids
    tests: Tests
    ngram: dict[str, float]


def tinyshakespeare(folder: Path, dev_share: float) -> Corpus:
    """The first 90 % to train on, their end as dev, the last 10 % to test on."""
    text = (folder / "tinyshakespeare.txt").read_text(encoding="utf-8")
    vocabulary = Vocabulary.build([text])
    ids = vocabulary.encode(text)
    tested = int(0.9 * len(ids))
    developed = int(tested * (1 - dev_share))
    train, dev, test = [ids[:developed]], [ids[developed:tested]], ids[tested:]

    def tests(model: LanguageModel) -> dict[str, float]:
        rate = min(RATES, key=lambda rate: dynamic(model, dev[0], rate))
        return {
            "val256": windowed(model, test),
            "streaming": streamed(model, test),
            f"dynamic, rate {rate:g}": dynamic(model, test, rate),
        }

    return Corpus(vocabulary, train, dev, tests, {"val256": baseline([ids[:tested]], [test])})


def names(folder: Path, dev_share: float) -> Corpus:
    """makemore's split. `test-clean` leaves out the test names that are among the other names too."""
    text = (folder / "makemore_names.txt").read_text(encoding="utf-8")
    words = [line.strip() for line in text.splitlines() if line.strip()]
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(MAKEMORE_SEED)).tolist()
    vocabulary = Vocabulary.build(words)
    shuffled = [words[at] for at in order]
    seen = set(shuffled[:-MAKEMORE_TEST])
    clean = [word for word in shuffled[-MAKEMORE_TEST:] if word not in seen]
    ids = [vocabulary.encode(word) for word in shuffled]
    known = ids[:-MAKEMORE_TEST]
    developed = int(len(known) * (1 - dev_share))
    parts = {"test": ids[-MAKEMORE_TEST:], "test-clean": [vocabulary.encode(word) for word in clean]}

    def tests(model: LanguageModel) -> dict[str, float]:
        return {name: evaluate(model, ItemBatches(part, 256, 32)) for name, part in parts.items()}

    ngram = {name: baseline(known, part) for name, part in parts.items()}
    return Corpus(vocabulary, known[:developed], known[developed:], tests, ngram)


def baseline(train: Ids, test: Ids) -> float:
    ngram = NGram(order=5)
    ngram.fit(train)
    return ngram.loss(test)


@torch.no_grad()
def windowed(model: LanguageModel, ids: Sequence[int]) -> float:
    """Mean loss over windows that do not overlap, each from the initial state."""
    count = (len(ids) - 1) // WINDOW
    windows = [column(ids[at : at + WINDOW + 1]) for at in range(0, count * WINDOW, WINDOW)]
    total = 0.0
    for at in range(0, count, 64):
        rows = torch.cat(windows[at : at + 64], dim=1)  # (T + 1, B)
        total += cross_entropy(model(rows[:-1])[0], rows[1:], reduction="sum").item()
    return total / (count * WINDOW)


@torch.no_grad()
def streamed(model: LanguageModel, ids: Sequence[int]) -> float:
    """Mean loss with the state carried from the first character to the last."""
    total, state = 0.0, None
    for at in range(0, len(ids) - 1, WINDOW):
        rows = column(ids[at : at + WINDOW + 1])
        logits, state = model(rows[:-1], state)
        total += cross_entropy(logits, rows[1:], reduction="sum").item()
    return total / (len(ids) - 1)


def dynamic(model: LanguageModel, ids: Sequence[int], rate: float) -> float:
    """The same by a model that goes on learning from what it has been tested on, one step of plain descent a
    segment (Krause et al. 2018, arXiv:1709.07432). The model itself stays as it is."""
    learning = copy.deepcopy(model)
    parameters, total, state = list(learning.parameters()), 0.0, None
    for at in range(0, len(ids) - 1, SEGMENT):
        rows = column(ids[at : at + SEGMENT + 1])
        logits, state = learning(rows[:-1], state)
        loss = cross_entropy(logits, rows[1:])
        total += loss.item() * len(logits)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-rate)
        state = detach(state)
    return total / (len(ids) - 1)


def column(ids: Sequence[int]) -> Tensor:
    """(T, 1)"""
    return torch.tensor(ids)[:, None]


def settings_of(preset: str, changes: Sequence[str]) -> Model:
    """The preset with changes, each as training.dropout=0.3."""
    return changed(Model.model_validate_json(json.dumps(PRESETS[preset])), changes)


def changed(settings: Model, changes: Sequence[str]) -> Model:
    """Other settings, each change as cell=gru or training.dropout=0.3."""
    chosen = settings.model_dump(mode="json", exclude_unset=True)
    for change in changes:
        key, _, value = change.partition("=")
        *groups, name = key.split(".")
        group = chosen
        for inner in groups:
            group = group.setdefault(inner, {})
        group[name] = value if value.isidentifier() and value not in ("true", "false") else json.loads(value)
    return Model.model_validate_json(json.dumps(chosen))


def new_model(settings: Model, vocabulary_size: int) -> LanguageModel:
    registry = Registry(None, Path())
    return build(
        lambda inputs, hidden: registry.build("cells", settings.cell, input_size=inputs, hidden_size=hidden),
        vocabulary_size=vocabulary_size,
        embedding_size=settings.embedding_size,
        hidden_size=settings.hidden_size,
        num_layers=settings.num_layers,
        head_norm=settings.head_norm,
        seed=settings.training.seed,
    )


class Trial:
    """One run in a folder of its own, which holds what it takes to go on."""

    def __init__(self, folder: Path, wall: bool):
        folder.mkdir(parents=True, exist_ok=True)
        self._weights, self._state, self._used = (
            folder / name for name in ("weights.safetensors", "run.safetensors", "used.json")
        )
        self._before = json.loads(self._used.read_text()) if self._used.exists() else {}
        self._cpu, self._wall = time.process_time(), time.monotonic()
        self._clock = time.monotonic if wall else lambda: time.process_time() / CORES
        self.figures: dict[str, Any] = dict(self._before)

    def train(self, model: LanguageModel, corpus: Corpus, settings: Training) -> str:
        """Until the budget is used; the model then has the weights saved last. Returns why it ended."""
        resume = self._state.exists()
        ended = train(
            model,
            corpus.train,
            corpus.dev,
            settings,
            save=self._save,
            progress=lambda _: None,
            state_file=self._state,
            resume=resume,
            clock=self._clock,
        )
        model.load_state_dict(load_file(self._weights))
        return ended.note

    def _save(self, model: LanguageModel, history: Sequence[Measurement]) -> None:
        row = history[-1]
        self._weights.write_bytes(pack(model))
        self.figures = {
            "cpu_seconds": round(time.process_time() - self._cpu + self._before.get("cpu_seconds", 0), 1),
            "wall_seconds": round(time.monotonic() - self._wall + self._before.get("wall_seconds", 0), 1),
            "steps": row.step,
            "epochs": round(row.epoch, 2),
            "train": round(row.train_loss, 4),
            "dev": round(row.held_out_loss, 4),
        }
        self._used.write_text(json.dumps(self.figures))
        print(f"  {self.figures}", file=sys.stderr, flush=True)


def run(preset: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """All figures of one run."""
    corpus = (names if preset.startswith("names") else tinyshakespeare)(chosen.data, chosen.dev)
    settings = settings_of(preset, chosen.set)
    model = new_model(settings, len(corpus.vocabulary))
    changes = "_".join(chosen.set).replace("training.", "").replace("/", "-")
    trial = Trial(chosen.runs / f"{preset}_{changes}".rstrip("_"), chosen.clock == "wall")
    note = trial.train(model, corpus, settings.training)
    with one_thread():
        tests = (
            {} if chosen.dev_only else {name: round(loss, 4) for name, loss in corpus.tests(model).items()}
        )
    return {
        "preset": preset,
        "changes": chosen.set,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **trial.figures,
        **tests,
        "ngram": {name: round(loss, 4) for name, loss in corpus.ngram.items()},
        "ended": note,
        "dev_share": chosen.dev,
        "torch": version("torch"),
        "machine": platform.machine(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset", choices=PRESETS)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the two corpora")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings other than the preset's"
    )
    parser.add_argument(
        "--clock", choices=("cpu", "wall"), default="cpu", help="what the budget is counted in"
    )
    parser.add_argument("--dev", type=float, default=0.01, help="share of the training part not trained on")
    parser.add_argument(
        "--dev-only", action="store_true", help="look at no test part: to choose settings by `dev`"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where unfinished runs are kept")
    parser.add_argument("--log", type=Path, help="a file that a line of JSON is added to")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    figures = run(chosen.preset, chosen)
    if chosen.log:
        with chosen.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(figures) + "\n")
    if chosen.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:14} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
