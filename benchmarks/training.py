"""Training speed on one core beside nn.LSTM: a whole step, clipping and AdamW included, on random ids.

    python -m benchmarks.training [--hidden-size 512] [--layers 1] [--batch-size 64] [--steps 100]
    python -m benchmarks.training --threads [--neighbours 1]     two threads against one, on the wall clock

Otherwise in CPU seconds. The control is what one writes without this program: nn.LSTM, its embedding as wide
as the layer. `matrices` is the floor: the matrix products alone that a step of an LSTM cannot do without.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import PropertyMock, patch

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from benchmarks import pairs
from bot.model import Cell, Kernel, State, input_weight, recurrent_weight
from bot.model.batches import Batch
from bot.model.evaluation import cross_entropy
from bot.model.gradient import BackPropagation
from bot.model.language_model import build
from bot.model.noise import SILENCE
from bot.model.schedule import make_optimizer
from bot.registry import Registry

VOCABULARY, NARROW, CONTROL, FLOOR = 100, 64, "nn.LSTM, embedding = hidden", "matrices"
PLAIN = "an LSTM written as a plain step"
SETTINGS = SimpleNamespace(optimizer="adamw", learning_rate=1e-3, weight_decay=0.01, beta2=0.99)


class Reference(nn.Module):
    """What one writes without this program."""

    def __init__(self, kind: str, sizes: argparse.Namespace, embedding: int):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, embedding)
        self.rnn = getattr(nn, kind)(embedding, sizes.hidden_size, sizes.layers)
        self.head = nn.Linear(sizes.hidden_size, VOCABULARY)

    def forward(self, ids: Tensor) -> tuple[Tensor, object]:
        outputs, state = self.rnn(self.embedding(ids))
        return self.head(outputs), state


class ByTheBook(nn.Module):
    """An MI-LSTM as it is usually written: a Linear a gate and a source, a sum a gate, one step at a time."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.wx = nn.ModuleDict({gate: nn.Linear(inputs, hidden) for gate in "ifoz"})
        self.uh = nn.ModuleDict({gate: nn.Linear(hidden, hidden) for gate in "ifoz"})
        self.factors = nn.ParameterDict({gate: torch.ones(3, hidden) for gate in "ifoz"})

    def gate(self, gate: str, x: Tensor, h: Tensor) -> Tensor:
        alpha, beta1, beta2 = self.factors[gate]
        wx, uh = self.wx[gate], self.uh[gate]
        return alpha * wx(x) * uh(h) + beta1 * uh(h) + beta2 * wx(x)

    def forward(self, inputs: Tensor) -> tuple[Tensor, object]:
        h = c = inputs.new_zeros(inputs.shape[1], self.uh["i"].in_features)
        outputs = []
        for t in range(len(inputs)):
            i, f, o = (self.gate(gate, inputs[t], h).sigmoid() for gate in "ifo")
            c = f * c + i * self.gate("z", inputs[t], h).tanh()
            h = o * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), None


class BookModel(Reference):
    """The same between embedding and head."""

    def __init__(self, sizes: argparse.Namespace):
        super().__init__("LSTM", sizes, sizes.hidden_size)
        self.rnn = nn.ModuleList(ByTheBook(sizes.hidden_size, sizes.hidden_size) for _ in range(sizes.layers))

    def forward(self, ids: Tensor) -> tuple[Tensor, object]:
        outputs = self.embedding(ids)
        for layer in self.rnn:
            outputs, _ = layer(outputs)
        return self.head(outputs), None


def step_of(model: nn.Module, ids: Tensor) -> Callable[[], float]:
    """One update of any model on these ids (T + 1, B), by torch's own backward."""
    optimizer = make_optimizer(model, SETTINGS)

    def step() -> float:
        logits, _ = model(ids[:-1])
        optimizer.zero_grad()
        cross_entropy(logits, ids[1:]).backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return ids[1:].numel()

    return step


class PlainLstm(Cell):
    """An LSTM as one writes a new cell: one step, and nothing to make it fast."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ih = input_weight(4 * hidden_size, input_size)
        self.weight_hh = recurrent_weight(4, hidden_size)
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))

    def initial_state(self, batch_size: int) -> State:
        zeros = self.bias.new_zeros(batch_size, self.hidden_size)
        return zeros, zeros

    def project(self, inputs: Tensor) -> Tensor:
        return inputs @ self.weight_ih.T + self.bias

    def step(self, wx: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        i, f, g, o = (wx + h @ self.weight_hh.T).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, (h, c)


def our_step(cell: str, sizes: argparse.Namespace, ids: Tensor, shards: int = 1) -> Callable[[], float]:
    """One update as training makes it."""
    model = build(
        PlainLstm if cell == PLAIN else Registry(None, Path()).look_up("cells", cell),
        vocabulary_size=VOCABULARY,
        embedding_size=NARROW,
        hidden_size=sizes.hidden_size,
        num_layers=sizes.layers,
    )
    optimizer, gradient = make_optimizer(model, SETTINGS), BackPropagation(model, shards)
    batch = Batch(ids[:-1], ids[1:], fresh=True)

    def step() -> float:
        gradient(batch, None, SILENCE)
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return batch.targets.numel()

    return step


def in_torch(step: Callable[[], float]) -> Callable[[], float]:
    """The same without compiled kernels."""

    def without() -> float:
        with patch.object(Kernel, "usable", PropertyMock(return_value=False)):
            return step()

    return without


def matrices(sizes: argparse.Namespace) -> Callable[[], float]:
    """The products of one step, in torch: U by h and back, the weights' gradients, the head; none for the
    input of the first layer, whose ids are looked up."""
    H, B, T, L = sizes.hidden_size, sizes.batch_size, sizes.steps, sizes.layers
    U, h, g = torch.randn(4 * H, H), torch.randn(B, H), torch.randn(B, 4 * H)
    hs, gs = torch.randn(T * B, H), torch.randn(T * B, 4 * H)
    head, logits = torch.randn(VOCABULARY, H), torch.randn(T * B, VOCABULARY)

    def products() -> float:
        for layer in range(L):
            for _ in range(T):
                h @ U.T
                g @ U
            gs.T @ hs
            if layer:
                hs @ U.T, gs @ U, gs.T @ hs
        hs @ head.T, logits @ head, logits.T @ hs
        return T * B

    return products


def one_core(sizes: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    ids = torch.randint(VOCABULARY, (sizes.steps + 1, sizes.batch_size))
    wide = sizes.hidden_size
    ways = {
        CONTROL: step_of(Reference("LSTM", sizes, wide), ids),
        "nn.LSTM, embedding 64": step_of(Reference("LSTM", sizes, NARROW), ids),
        "nn.GRU, embedding 64": step_of(Reference("GRU", sizes, NARROW), ids),
        "MI-LSTM by the book": step_of(BookModel(sizes), ids),
        FLOOR: matrices(sizes),
        PLAIN: our_step(PLAIN, sizes, ids),
    }
    for cell in sizes.cells:
        step = our_step(cell, sizes, ids)
        ways |= {f"{cell}": step, f"{cell}, torch only": in_torch(step)}
    rates = pairs.interleaved(ways, sizes.rounds)
    floor = {name: f"{row.factor:.2f}" for row in pairs.rows(rates, FLOOR) for name in [row.name]}
    title = f"H {wide}, {sizes.layers} layers, B {sizes.batch_size}, T {sizes.steps}, one thread"
    pairs.show(title, pairs.rows(rates, CONTROL), "characters/s", sizes.json, share_of_matrices=floor)


def on(threads: int, step: Callable[[], float]) -> Callable[[], float]:
    """The same with torch's products split over so many threads."""

    def threaded() -> float:
        torch.set_num_threads(threads)
        return step()

    return threaded


def threads(sizes: argparse.Namespace) -> None:
    ids = torch.randint(VOCABULARY, (sizes.steps + 1, sizes.batch_size))
    reference, ways = step_of(Reference("LSTM", sizes, sizes.hidden_size), ids), {}
    for cell in sizes.cells:
        ways |= {f"{cell}, one thread": on(1, our_step(cell, sizes, ids))}
        ways |= {f"{cell}, two parts": on(1, our_step(cell, sizes, ids, shards=2))}
    ways |= {f"{CONTROL}, OpenMP {count}": on(count, reference) for count in (1, 2)}
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(sizes.neighbours)]
    try:
        rates = pairs.interleaved(ways, sizes.rounds, time.perf_counter)
    finally:
        for process in busy:
            process.kill()
    gains = {}
    for name in ways:
        if name.endswith(("two parts", "OpenMP 2")):
            alone = name.replace("two parts", "one thread").replace("OpenMP 2", "OpenMP 1")
            gains[name] = f"x{next(r.factor for r in pairs.rows(rates, alone) if r.name == name):.2f} of one"
    size = f"H {sizes.hidden_size}, B {sizes.batch_size}, T {sizes.steps}"
    title = f"{size}, wall clock, {sizes.neighbours} busy neighbours"
    pairs.show(title, pairs.rows(rates, f"{CONTROL}, OpenMP 1"), "characters/s", sizes.json, **gains)


def main() -> None:
    parser = pairs.parser(__doc__)
    for option, default in (("hidden-size", 512), ("layers", 1), ("batch-size", 64), ("steps", 100)):
        parser.add_argument(f"--{option}", type=int, default=default)
    parser.add_argument("--cells", nargs="*", default=["lstm", "mi_lstm", "gru"])
    parser.add_argument("--threads", action="store_true", help="two threads against one, wall clock")
    parser.add_argument("--neighbours", type=int, default=0, help="busy processes beside")
    sizes = parser.parse_args()
    threads(sizes) if sizes.threads else one_core(sizes)


if __name__ == "__main__":
    main()
