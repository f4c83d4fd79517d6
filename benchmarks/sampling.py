"""Sampling speed on one core beside nn.LSTM, one text at a time.

    python -m benchmarks.sampling [--hidden-size 512] [--layers 1] [--cell lstm] [--count 1024] [--text FILE]

CPU seconds. The control is how it is usually done: nn.LSTM, its embedding as wide as the layer, a softmax and
a draw a character. Weights are untrained; the end mark's bias makes names of about 14 characters, with their
end marks. Also printed: what each option costs; the mean length of samples beside what it must be; how long a
sample takes alone, once the model is warm; and what 8 bits cost a trained checkpoint in loss, on the lines
of --text, which it should not have read, or on samples of its own.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks import pairs
from bot.config import Choice, load, shipped
from bot.errors import CorpusError
from bot.house import House
from bot.model import checkpoint
from bot.model.language_model import LanguageModel, build
from bot.model.native.decoder import Decoder
from bot.model.sampling import Sampler
from bot.model.walk import Walk, open_walk, torch_walk
from bot.model.weights import load_model
from bot.records import Candidate, Mirostat, Rule, Sampling
from bot.registry import Registry
from bot.text.vocabulary import END, START, Vocabulary

VOCABULARY, EMBEDDING, MEAN, LONGEST = 100, 64, 14, 200
CONTROL, TORCH, NATIVE, INT8 = "nn.LSTM, one at a time", "torch", "compiled", "compiled, int8"
PATHS: dict[str, tuple[Callable[[LanguageModel, str], Walk], str]] = {
    TORCH: (torch_walk, "float32"),
    NATIVE: (open_walk, "float32"),
    INT8: (open_walk, "int8"),
}
PLAIN = Sampling((1.0, 1.0), LONGEST)
OPTIONS = {
    "top-k": replace(PLAIN, top_k=40),
    "top-p": replace(PLAIN, top_p=0.9),
    "min-p": replace(PLAIN, min_p=0.05),
    "all three": replace(PLAIN, top_k=40, top_p=0.9, min_p=0.05),
    "typical": replace(PLAIN, typical_p=0.9),
    "eta": replace(PLAIN, eta=0.002),
    "mirostat": replace(PLAIN, mirostat=Mirostat(3.0, 0.1)),
    "penalty": replace(PLAIN, repetition_penalty=1.2),
    "no repeats": replace(PLAIN, no_repeat_ngram=4),
    "least length": replace(PLAIN, min_length=2),
    "a stop": replace(PLAIN, stop=("\u0100\u0101",)),
    "a prefix": replace(PLAIN, prefix="\u0100"),
    "length": replace(PLAIN, constraints=(Rule("length", {"max": LONGEST}),)),
    "balanced": replace(
        PLAIN, constraints=(Rule("balanced", {"pairs": "\u0100\u0101\u0102\u0103", "quotes": ""}),)
    ),
    "pattern": replace(PLAIN, constraints=(Rule("pattern", {"regex": "(.*[\u0100-\u0140])?"}),)),
}


class OneAtATime:
    """How it is usually done."""

    def __init__(self, sizes: argparse.Namespace):
        self.embedding = nn.Embedding(VOCABULARY, sizes.hidden_size)
        self.lstm = nn.LSTM(sizes.hidden_size, sizes.hidden_size, sizes.layers)
        self.head = nn.Linear(sizes.hidden_size, VOCABULARY)
        shorten(self.head)

    @torch.inference_mode()
    def __call__(self, count: int = 24) -> int:
        characters = 0
        for _ in range(count):
            id, state = START, None
            for _ in range(LONGEST):
                output, state = self.lstm(self.embedding(torch.tensor([[id]])), state)
                id = torch.multinomial(self.head(output[0]).softmax(1), 1).item()
                characters += 1
                if id == END:
                    break
        return characters


@torch.no_grad()
def shorten(head: nn.Linear, evenly: bool = False) -> None:
    """Let texts end after about MEAN characters; evenly: whatever they say, so that it is MEAN on average."""
    head.weight.mul_(0 if evenly else 0.3)
    head.bias.zero_()
    head.bias[END] = math.log((VOCABULARY - 3) / (MEAN - 1))


def our_sampler(path: str, sizes: argparse.Namespace, evenly: bool = False) -> Sampler:
    model = build(
        Registry(None, Path()).look_up("cells", sizes.cell),
        vocabulary_size=VOCABULARY,
        embedding_size=EMBEDDING,
        hidden_size=sizes.hidden_size,
        num_layers=sizes.layers,
    )
    shorten(model.head, evenly)
    letters = Vocabulary([chr(0x100 + number) for number in range(VOCABULARY - 3)])
    registry = Registry(None, Path())
    characters = registry.build("tokenizers", Choice("characters", {}))
    return Sampler(
        model,
        letters,
        characters,
        "model/name",
        2.0,
        PATHS[path][0],
        lambda rule: registry.build("constraints", Choice(rule.name, rule.options)),
    )


def draw(sampler: Sampler, path: str, sampling: Sampling, indices: Sequence[int]) -> list[Candidate]:
    return sampler.sample(replace(sampling, weights=PATHS[path][1]), 1, indices)


def way(sampler: Sampler, path: str, sampling: Sampling, count: int) -> Callable[[], int]:
    """Characters made, end marks counted."""
    return lambda: sum(len(one.text) + 1 for one in draw(sampler, path, sampling, range(count)))


def milliseconds_alone(sampler: Sampler, path: str) -> dict[str, float]:
    """Of one sample after another, once the model is warm: 50 of them."""
    clocks = {"of CPU": time.process_time, "by the clock": time.perf_counter}
    times: dict[str, list[float]] = {name: [] for name in clocks}
    for index in range(50):
        before = {name: clock() for name, clock in clocks.items()}
        draw(sampler, path, PLAIN, [index])
        for name, clock in clocks.items():
            times[name].append(1000 * (clock() - before[name]))
    return {f"{f.__name__} {name}": round(f(t), 1) for name, t in times.items() for f in (median, max)}


def mean_length(sizes: argparse.Namespace, path: str) -> dict[str, float]:
    """Of samples whose every token ends them with the same probability."""
    expected = MEAN * (1 - (1 - 1 / MEAN) ** LONGEST)
    candidates = draw(our_sampler(path, sizes, evenly=True), path, PLAIN, range(4096))
    lengths = [min(len(one.text) + 1, LONGEST) for one in candidates]
    found, error = fmean(lengths), stdev(lengths) / math.sqrt(len(lengths))
    off = round((found - expected) / error, 1)
    return {"found": round(found, 3), "must be": round(expected, 3), "standard errors off": off}


def cost_of_8_bits(model: str, text: Path | None) -> dict[str, Any]:
    """A checkpoint's loss in nats a token, with weights of 32 bits and of 8. text: a file, an item a line."""
    house = House(load(shipped() / "config.yaml"))
    folder = house.checkpoint(model)
    meta = checkpoint.read_meta(folder)
    tokenizer, vocabulary = house.tokenizer(meta.tokenizer), Vocabulary.load(folder / checkpoint.VOCABULARY)
    network = load_model(folder, meta, house.model_maker(meta.cell))
    if Decoder.open(network, "int8") is None:
        return {"checkpoint": model, "int8": "absent: no compiler, or a cell without a kernel"}
    own = Sampler(network, vocabulary, tokenizer, model, 1.0)
    lines = (
        text.read_text("utf-8").splitlines() if text else [c.text for c in own.sample(PLAIN, 1, range(2000))]
    )
    items = list(filter(None, (encoded(vocabulary, tokenizer, line) for line in lines)))[:2000]
    losses = {weights: loss(open_walk(network, weights), items) for weights in ("float32", "int8")}
    return {
        "checkpoint": f"{model}/{folder.name}",
        "items": len(items),
        "text": str(text or "its own"),
        **losses,
    }


def encoded(vocabulary: Vocabulary, tokenizer: Any, line: str) -> list[int]:
    """Nothing for a line with tokens that the model does not know."""
    try:
        return vocabulary.encode(tokenizer.split(line))
    except CorpusError:
        return []


def loss(walk: Walk, items: Sequence[Sequence[int]]) -> float:
    """Mean loss in nats a token, end marks counted, in batches of similar lengths."""
    ordered, total = sorted(items, key=len), 0.0
    for start in range(0, len(ordered), 256):
        batch = ordered[start : start + 256]
        rows = np.arange(len(batch))
        walk.begin(rows)
        read = np.full(len(batch), START)
        for step in range(len(batch[-1]) + 1):
            logits = torch.as_tensor(walk.step(read[rows], rows)).log_softmax(1)
            wanted = np.array([(*batch[row], END)[step] for row in rows])
            total -= logits[torch.arange(len(rows)), torch.from_numpy(wanted)].double().sum().item()
            read[rows] = wanted
            rows = rows[wanted != END]
    return total / sum(len(item) + 1 for item in items)


def main() -> None:
    parser = pairs.parser(__doc__)
    for option, default in (("hidden-size", 512), ("layers", 1), ("count", 1024)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument(
        "--checkpoint", default="death_metal", help="a model of config.yaml, its best checkpoint"
    )
    parser.add_argument("--text", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    samplers = {path: our_sampler(path, chosen) for path in PATHS}
    ways: dict[str, Callable[[], float]] = {CONTROL: OneAtATime(chosen)}
    for path, sampler in samplers.items():
        ways[path] = way(sampler, path, PLAIN, chosen.count)
        ways |= {f"{path}, {name}": way(sampler, path, s, chosen.count) for name, s in OPTIONS.items()}
    rates = pairs.interleaved(ways, chosen.rounds)
    cost = {path: {row.name: 1 / row.factor - 1 for row in pairs.rows(rates, path)} for path in PATHS}
    costs = {path: {n: f"{cost[path][f'{path}, {n}']:+.0%}" for n in OPTIONS} for path in PATHS}
    more: dict[str, object] = {f"{path}, cost of options": found for path, found in costs.items()}
    more |= {f"{path}, mean length": mean_length(chosen, path) for path in PATHS}
    more |= {f"{path}, milliseconds alone": milliseconds_alone(s, path) for path, s in samplers.items()}
    more |= {f"{path}, build": draw(s, path, PLAIN, [0])[0].build for path, s in samplers.items()}
    more["8 bits"] = cost_of_8_bits(chosen.checkpoint, chosen.text)
    title = (
        f"{chosen.cell}, H {chosen.hidden_size}, {chosen.layers} layers, {chosen.count} names of about {MEAN}"
    )
    pairs.show(title, pairs.rows(rates, CONTROL), "characters/s", chosen.json, **more)


if __name__ == "__main__":
    main()
