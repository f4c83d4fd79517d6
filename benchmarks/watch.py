"""How far healthy runs stay away from the bounds of the watch, and whether broken ones cross them.

    python -m benchmarks.watch [--cells lstm gru] [--steps 400] [--json]

Every cell learns the names Unicode gives its characters, one a row and end to end; beside them run the
controls, each broken in a known way. For each: the highest norm of a gradient in multiples of what was usual
(bound: EXPLODED), the least mean norm and the least share of it that reached the embedding between two
evaluations (bound of both: VANISHED), and what the watch said.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.config import Choice
from bot.config.settings import Training
from bot.model import Cell
from bot.model.language_model import build
from bot.model.training import train
from bot.model.watch import EXPLODED, FLAT, SETTLED, VANISHED, Level
from bot.records import Progress
from bot.registry import Registry
from bot.text.corpus import gather, split
from bot.text.vocabulary import Vocabulary

REGISTRY = Registry(None, Path())
RELU = {"nonlinearity": "relu"}


@dataclass
class Case:
    """One run: a cell with options in so many layers, on items or on one long text, and how it is trained."""

    cell: str
    options: dict[str, Any] = field(default_factory=dict)
    layers: int = 1
    streams: bool = False
    training: dict[str, Any] = field(default_factory=dict)
    healthy: bool = True


@dataclass
class Found:
    """What one run showed; `said` counts the remarks by their first words."""

    case: Case
    highest: float = 0.0
    least_norm: float = 0.0
    least_reach: float = 0.0
    loss: float = 0.0
    said: dict[str, int] = field(default_factory=dict)


RELUS = [Case("rnn", RELU), Case("rnn", RELU, streams=True)]
BROKEN = [
    Case("gru", training={"learning_rate": 0.3}, streams=True, healthy=False),
    Case("rnn", RELU, 4, streams=True, healthy=False),
    Case("lstm", layers=16, training={"max_steps": 600}, healthy=False),
    Case("rnn", RELU, training={"learning_rate": 1.0, "gradient_clip": 1e6}, healthy=False),
]


def cases(names: Sequence[str]) -> list[Case]:
    """Each cell in one layer on items and on a long text, and in two with a high rate and much dropout."""
    rough = {"learning_rate": 0.01, "dropout": 0.5}
    healthy = [
        case
        for name in names
        for case in (Case(name), Case(name, streams=True), Case(name, layers=2, training=rough))
    ]
    return [case for case in healthy + RELUS + BROKEN if case.cell in names]


def ids(streams: bool) -> tuple[list[list[int]], list[list[int]], int]:
    """To train on and held out, and the size of the vocabulary."""
    corpus = gather(REGISTRY.build("corpora", Choice("unicode_names", {})), "unicode_names")
    parts = split(corpus.documents, 0.05, 1)
    tokens = [[list(document.text) for document in part] for part in parts]
    vocabulary = Vocabulary.build([*tokens[0], *tokens[1]])
    encoded = [[vocabulary.encode(item) for item in part] for part in tokens]
    if streams:
        encoded = [[[id for item in part for id in item]] for part in encoded]
    return encoded[0], encoded[1], len(vocabulary)


def run(case: Case, steps: int, hidden_size: int) -> Found:
    train_ids, held_out_ids, size = ids(case.streams)
    model = build(
        lambda i, h: REGISTRY.build("cells", Choice(case.cell, case.options), input_size=i, hidden_size=h),
        vocabulary_size=size,
        embedding_size=64,
        hidden_size=hidden_size,
        num_layers=case.layers,
    )
    settings = Training(**{"max_steps": steps, "max_minutes": None, "evaluate_every": 50} | case.training)
    found, level, said = Found(case), Level(), Counter[str]()

    def look(progress: Progress) -> None:
        if progress.note:
            said[progress.note.split(":")[0]] += 1
        if level.seen >= SETTLED:
            found.highest = max(found.highest, progress.gradient_norm / max(level.norm, FLAT))
        if progress.gradient_norm < float("inf"):
            level.take(progress.gradient_norm)

    with tempfile.TemporaryDirectory() as folder:
        history = train(
            model,
            train_ids,
            held_out_ids[:200],
            settings,
            save=lambda *_: None,
            progress=look,
            state_file=Path(folder) / "run",
        ).history
    found.said = dict(said)
    if history:
        found.least_norm = min(row.gradient_norm for row in history)
        found.least_reach = min(row.gradient_reach for row in history)
        found.loss = history[-1].held_out_loss
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    cells = [name for name in REGISTRY.names("cells") if issubclass(REGISTRY.look_up("cells", name), Cell)]
    parser.add_argument("--cells", nargs="+", default=cells)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    rows = []
    if not chosen.json:
        print(f"{'':46} highest/usual  least norm  least reach  loss   said")
        print(f"{'bounds':46} {EXPLODED:13g}  {VANISHED:10.0e}  {VANISHED:11.0e}")
    for case in cases(chosen.cells):
        found = run(case, chosen.steps, chosen.hidden_size)
        rows.append(asdict(found))
        if not chosen.json:
            print(_line(found), flush=True)
    if chosen.json:
        print(json.dumps({"exploded": EXPLODED, "vanished": VANISHED, "runs": rows}))


def _line(found: Found) -> str:
    said = ", ".join(f"{text} ({count})" for text, count in found.said.items()) or "nothing"
    return (
        f"{_name(found.case):46} {found.highest:13.3g}  {found.least_norm:10.1e}  {found.least_reach:11.1e}  "
        f"{found.loss:5.3f}  {said}"
    )


def _name(case: Case) -> str:
    words = [
        "healthy" if case.healthy else "BROKEN",
        f"{case.layers} x {case.cell}",
        *["long"] * case.streams,
    ]
    words += case.options.values()
    words += [f"{name.split('_')[-1]} {value:g}" for name, value in case.training.items()]
    return ", ".join(words)


if __name__ == "__main__":
    main()
