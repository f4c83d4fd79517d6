"""The league table: every cell with as many parameters and as many seconds as the others, an n-gram beside.

    python -m benchmarks.league --corpus FILE [--seconds 60] [--parameters 250000] [--seeds 3] [--out docs]

Writes league.md and league.svg. CPU seconds of one thread. The last tenth of the file is tested in windows of
256 characters, each from the initial state; nats per character. Ctrl-C loses nothing: give the command again.
With --tune every cell is tried at several learning rates, for a third of the time and with one seed.
"""

import argparse
import json
import platform
from bisect import bisect
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import mean

from benchmarks import budget, league_page
from benchmarks.league_page import Row
from bot.config import Training
from bot.model import CountedModel
from bot.model.language_model import LanguageModel, build, count_parameters
from bot.model.native import compiler
from bot.registry import Registry

REGISTRY = Registry(None, Path())
EMBEDDING, NEVER = 64, 10**9
BATCH_SIZE, WINDOW = 32, 128
RATES = [0.008, 0.016, 0.03]
UNTUNED = (1, 0.016)  # of a cell that is new
# Layers and learning rate: the best of --tune on tinyshakespeare, the lower of two that are
# about equal, for a longer run wants a lower one. Plain networks bear half of what gates bear. Of the
# elementwise ones one layer mixes too little, and three read too few characters in the time.
TUNED = {
    "rnn": (1, 0.008),
    "mi_rnn": (1, 0.008),
    "layer_norm_mi_lstm": (1, 0.03),
    "mogrifier_lstm": (1, 0.03),
    "min_gru": (2, 0.03),
    "min_lstm": (2, 0.03),
    "sru": (2, 0.03),
}


def cells() -> list[str]:
    """All that are trained, yours too; the n-gram has a line of its own."""
    names = REGISTRY.names("cells")
    return [name for name in names if not issubclass(REGISTRY.look_up("cells", name), CountedModel)]


def shape(cell: str) -> tuple[int, float]:
    """Layers and learning rate."""
    return TUNED.get(cell, UNTUNED)


def model(cell: str, layers: int, size: int, vocabulary_size: int, seed: int) -> LanguageModel:
    return build(
        REGISTRY.look_up("cells", cell),
        vocabulary_size=vocabulary_size,
        embedding_size=EMBEDDING,
        hidden_size=size,
        num_layers=layers,
        head_norm=True,
        seed=seed,
    )


def units_for(parameters: int, cell: str, layers: int, vocabulary_size: int) -> int:
    """The units, a multiple of 8, that need as many parameters as can be."""

    def count(size: int) -> int:
        return count_parameters(lambda: model(cell, layers, size, vocabulary_size, 0))

    low, high = 8, 16
    while count(high) < parameters:
        low, high = high, 2 * high
    sizes = range(low, high + 1, 8)
    above = bisect(sizes, parameters, key=count)
    return min(sizes[max(0, above - 1) : above + 1], key=lambda size: abs(count(size) - parameters))


def contest(
    cell: str, rate: float, seed: int, seconds: float, parameters: int, vocabulary_size: int
) -> budget.Contest:
    layers, _ = shape(cell)
    size = units_for(parameters, cell, layers, vocabulary_size)
    settings = Training(
        max_steps=NEVER,
        max_minutes=seconds / 60,
        evaluate_every=NEVER,
        batch_size=BATCH_SIZE,
        sequence_length=WINDOW,
        learning_rate=rate,
        warmup_steps=30,
        dropout=0.0,  # nothing is learnt by heart in a minute
        weight_dropout=0.0,
        seed=seed,
        shards=1,
    )
    way = "compiled" if compiler.compiler() else "torch"
    labels = {"cell": cell, "layers": layers, "units": size, "rate": rate, "way": way, "seed": seed}
    return budget.Contest(labels, lambda: model(cell, layers, size, vocabulary_size, seed), settings)


def rows(outcomes: list[budget.Outcome], seconds: float) -> list[Row]:
    """One a cell, the best first."""
    groups: dict[str, list[budget.Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.labels["cell"], []).append(outcome)
    found = [
        Row(
            cell,
            theirs[0].labels["layers"],
            theirs[0].labels["units"],
            theirs[0].parameters,
            theirs[0].labels["rate"],
            [outcome.loss for outcome in theirs],
            mean(outcome.steps for outcome in theirs) * BATCH_SIZE * WINDOW / seconds,
        )
        for cell, theirs in groups.items()
    ]
    return sorted(found, key=lambda row: row.loss)


def tune(corpus: budget.Corpus, chosen: argparse.Namespace) -> None:
    """Print the loss of every cell at every rate; `shape` has the best ones."""
    seconds, size = chosen.seconds / 3, corpus.vocabulary_size
    contests = [
        contest(cell, rate, 1, seconds, chosen.parameters, size) for cell in chosen.cells for rate in RATES
    ]
    outcomes = budget.hold(contests, corpus, chosen.runs)
    if chosen.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes]))
        return
    for outcome in outcomes:
        print("{cell:20}{rate:8g}".format(**outcome.labels), f"{outcome.loss:8.4f}")


def conditions(
    corpus: budget.Corpus, outcomes: list[budget.Outcome], chosen: argparse.Namespace
) -> dict[str, object]:
    """What the figures were made of and with."""
    return {
        "corpus": corpus.name,
        "characters": corpus.characters,
        "seconds": chosen.seconds,
        "seeds": chosen.seeds,
        "ngram": corpus.ngram,
        "compiled": bool(compiler.compiler()),
        "torch": version("torch"),
        "processor": processor(),
        "date": max(outcome.day for outcome in outcomes),
    }


def processor() -> str:
    """As Linux names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine()
    )


def main() -> None:
    parser = budget.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of training a run, CPU seconds")
    parser.add_argument("--parameters", type=int, default=250_000)
    parser.add_argument("--cells", nargs="+", choices=cells(), default=cells())
    parser.add_argument(
        "--out", type=Path, default=Path("docs"), help="the folder of the page and the figure"
    )
    parser.add_argument("--tune", action="store_true", help="print losses at several learning rates instead")
    chosen = parser.parse_args()
    corpus = budget.read(chosen.corpus, chosen.items)
    if chosen.tune:
        tune(corpus, chosen)
        return
    contests = [
        contest(cell, shape(cell)[1], seed, chosen.seconds, chosen.parameters, corpus.vocabulary_size)
        for seed in range(1, chosen.seeds + 1)
        for cell in chosen.cells
    ]
    outcomes = budget.hold(contests, corpus, chosen.runs)
    found, known = rows(outcomes, chosen.seconds), conditions(corpus, outcomes, chosen)
    league_page.write(chosen.out, found, known)
    print(
        json.dumps({**known, "rows": [asdict(row) for row in found]})
        if chosen.json
        else league_page.table(found, known)
    )


if __name__ == "__main__":
    main()
