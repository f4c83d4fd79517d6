"""Where alpha, beta1 and beta2 of multiplicative integration should start: the papers' values beside others.

    python -m benchmarks.initial_values --corpus FILE [--items] [--steps 400] [--hidden-size 128]

All starts of a cell cost the same a step, so equal numbers of steps are equal budgets, and the same anywhere.
Each cell at its learning rate in the league. Losses on held-out text in nats per character, the mean of the
seeds; behind it how much above the cell's own start, seed by seed, with the 95 % interval of that mean.
"""

import argparse
import json
from typing import Any

import torch
from torch import nn

from benchmarks import budget, league
from bot.config import Training
from bot.model.language_model import LanguageModel

UNIFORM = "uniform"  # within 1/sqrt(H), as a generic reset would draw them
STARTS = {  # alpha, beta1, beta2; the first is the cell's own
    "mi_rnn": ["2 .5 .5", "1 .5 .5", "1 1 1", ".5 .5 .5", "0 1 1", UNIFORM],
    "mi_gru": ["1 .5 .5", "2 .5 .5", "1 1 1", ".5 .5 .5", "0 1 1", UNIFORM],
    "mi_lstm": ["1 .5 .5", "2 .5 .5", "1 1 1", ".5 .5 .5", "0 1 1", UNIFORM],
}

Row = dict[str, Any]


def set_start(model: LanguageModel, start: str, seed: int) -> LanguageModel:
    """The same model with the three vectors of its cell at other values."""
    [cell] = model.cells
    random, bound = torch.Generator().manual_seed(seed), cell.hidden_size**-0.5
    for number, vector in enumerate((cell.alpha, cell.beta1, cell.beta2)):
        if start == UNIFORM:
            nn.init.uniform_(vector, -bound, bound, generator=random)
        else:
            nn.init.constant_(vector, float(start.split()[number]))
    return model


def contest(
    cell: str, start: str, seed: int, vocabulary_size: int, chosen: argparse.Namespace
) -> budget.Contest:
    units, rate = chosen.hidden_size, league.shape(cell)[1]
    settings = Training(
        max_steps=chosen.steps,
        max_minutes=None,
        evaluate_every=chosen.steps,
        batch_size=chosen.batch_size,
        learning_rate=rate,
        warmup_steps=30,
        dropout=0.0,
        weight_dropout=0.0,
        shards=1,
        seed=seed,
    )
    labels = {"cell": cell, "start": start, "units": units, "rate": rate, "seed": seed}
    return budget.Contest(
        labels, lambda: set_start(league.model(cell, 1, units, vocabulary_size, seed), start, seed), settings
    )


def rows(outcomes: list[budget.Outcome]) -> list[Row]:
    """One a cell and start."""
    losses: dict[tuple[str, str], list[float]] = {}
    for outcome in outcomes:
        losses.setdefault((outcome.labels["cell"], outcome.labels["start"]), []).append(outcome.loss)
    found = []
    for (cell, start), theirs in losses.items():
        own = losses[cell, STARTS[cell][0]]
        found.append({"cell": cell, "start": start, **budget.beside(theirs, own)})
    return found


def main() -> None:
    parser = budget.parser(__doc__)
    parser.add_argument("--cells", nargs="+", choices=STARTS, default=["mi_rnn", "mi_lstm"])
    for option, default in (("steps", 400), ("batch-size", 32), ("hidden-size", 128)):
        parser.add_argument(f"--{option}", type=int, default=default)
    chosen = parser.parse_args()
    corpus = budget.read(chosen.corpus, chosen.items)
    contests = [
        contest(cell, start, seed, corpus.vocabulary_size, chosen)
        for cell in chosen.cells
        for start in STARTS[cell]
        for seed in range(1, chosen.seeds + 1)
    ]
    found = rows(budget.hold(contests, corpus, chosen.runs))
    if chosen.json:
        print(json.dumps({"corpus": corpus.name, "ngram": corpus.ngram, "rows": found}))
        return
    print(f"{corpus.name}, {chosen.steps} steps, {chosen.hidden_size} units, {chosen.seeds} seeds")
    print(f"5-gram {corpus.ngram:.3f}")
    for row in found:
        print("| `{cell}` | {start} | {loss:.3f} | {worse:+.3f} ± {margin:.3f} |".format(**row))


if __name__ == "__main__":
    main()
