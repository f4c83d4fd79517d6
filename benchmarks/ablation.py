"""What each part of the default recipe gives: the same network trained without it, for as long.

    python -m benchmarks.ablation --corpus FILE [--items] [--seconds 180] [--seeds 3] [--json]

CPU seconds of one thread. The last tenth of FILE is tested: of --items a tenth of them, else windows of 256
characters, each from the initial state. Losses in nats per character, the mean of the seeds; `worse` is how
much above the default, seed by seed, with the 95 % interval of that mean. Ctrl-C loses nothing: give the
command again.
"""

import argparse
import json
from typing import Any

from benchmarks import budget
from benchmarks.quality import changed, new_model
from bot.config import Model

NEVER = 10**9
DEFAULT = "the default"
OTHERS: dict[str, tuple[str, ...]] = {  # as `--set` of benchmarks.quality has them
    DEFAULT: (),
    "no dropout of outputs": ("training.dropout=0.0",),
    "no dropout of recurrent weights": ("training.weight_dropout=0.0",),
    "neither": ("training.dropout=0.0", "training.weight_dropout=0.0"),
    "newest weights, no mean": ("training.averaging=0.0",),
    "constant rate": ("training.schedule=constant",),
    "128 sequences an update": ("training.batch_size=128",),
    "plus norm before the head": ("head_norm=true",),
    "plus dropout of the embedding": ("training.embedding_dropout=0.1",),
}


def contest(name: str, seed: int, seconds: float, vocabulary_size: int) -> budget.Contest:
    budgeted = {"max_minutes": seconds / 60, "max_steps": NEVER, "evaluate_every": NEVER, "shards": 1}
    settings = changed(Model(), [f"training.{key}={value}" for key, value in budgeted.items()])
    settings = changed(settings, [*OTHERS[name], f"training.seed={seed}"])
    labels = {"cell": settings.cell.name, "way": name, "units": settings.hidden_size, "seed": seed}
    return budget.Contest(labels, lambda: new_model(settings, vocabulary_size), settings.training)


def rows(outcomes: list[budget.Outcome]) -> list[dict[str, Any]]:
    """One a way, in the order of OTHERS."""
    losses: dict[str, list[float]] = {}
    for outcome in outcomes:
        losses.setdefault(outcome.labels["way"], []).append(outcome.loss)
    parameters = {outcome.labels["way"]: outcome.parameters for outcome in outcomes}
    return [
        {"way": way, "parameters": parameters[way], **budget.beside(theirs, losses[DEFAULT])}
        for way, theirs in losses.items()
    ]


def table(found: list[dict[str, Any]], corpus: budget.Corpus) -> str:
    lines = ["| | parameters | loss | worse |", "|---|---|---|---|"]
    for row in found:
        worse = "" if row["way"] == DEFAULT else f"{row['worse']:+.3f} ± {row['margin']:.3f}"
        lines.append(f"| {row['way']} | {row['parameters']:,} | {row['loss']:.3f} | {worse} |")
    return "\n".join([*lines, f"| 5-gram | | {corpus.ngram:.3f} | |"])


def main() -> None:
    parser = budget.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=180, help="of training a run, CPU seconds")
    parser.add_argument("--ways", nargs="+", choices=OTHERS, default=list(OTHERS), metavar="WAY")
    chosen = parser.parse_args()
    corpus = budget.read(chosen.corpus, chosen.items)
    contests = contests_of(chosen, corpus)
    found = rows(budget.hold(contests, corpus, chosen.runs))
    if chosen.json:
        print(json.dumps({"corpus": corpus.name, "ngram": corpus.ngram, "rows": found}))
        return
    print(f"{corpus.name}, {chosen.seconds:g} CPU seconds a run, {chosen.seeds} seeds\n")
    print(table(found, corpus))


def contests_of(chosen: argparse.Namespace, corpus: budget.Corpus) -> list[budget.Contest]:
    """Seed by seed, so that all ways are known equally well whenever it is interrupted."""
    ways = list(dict.fromkeys([DEFAULT, *chosen.ways]))
    seeds = range(1, chosen.seeds + 1)
    return [contest(way, seed, chosen.seconds, corpus.vocabulary_size) for seed in seeds for way in ways]


if __name__ == "__main__":
    main()
