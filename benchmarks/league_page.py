"""The league table as a page and a figure. It does not know how the figures were made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams |= {"svg.hashsalt": "league", "svg.fonttype": "none"}  # the same figures, the same file

from matplotlib import pyplot  # noqa: E402


@dataclass(frozen=True)
class Row:
    """One cell's place. losses: one a seed, nats per character; speed: characters a second of training."""

    cell: str
    layers: int
    units: int
    parameters: int
    learning_rate: float
    losses: Sequence[float]
    speed: float

    @property
    def loss(self) -> float:
        return mean(self.losses)


PAGE = """# League of cells

Every cell with as many parameters and as much time as the others: {seconds:g} CPU seconds of one thread,
{seeds} seeds, on {corpus} ({characters:,} characters). The first nine tenths are learnt from; the last tenth
is tested in windows of 256 characters, each from the initial state. Losses are nats per character.

![Losses and speeds of all cells](league.svg)

{table}

`worst - best` is between the seeds. A cell that reads twice as many characters a second has seen the corpus
twice as often. {compiled} A minute is short: the order after an hour is another one.

The learning rates are those that did best on the tested tenth of tinyshakespeare (`--tune`), so on that text
the losses flatter a little. Speeds are of training as it ran, beside whatever else the machine did.

torch {torch}, {processor}, {date}. Made by

    python -m benchmarks.league --corpus FILE
"""
COMPILED = {
    True: "gru, lstm and mi_lstm have a compiled pass, rnn torch's own; the others are walked step by step.",
    False: "No compiler was at hand: all cells are walked in torch.",
}


def write(folder: Path, rows: Sequence[Row], known: Mapping[str, object]) -> None:
    """league.md and league.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    text = PAGE.format_map(
        {**known, "table": table(rows, known), "compiled": COMPILED[bool(known["compiled"])]}
    )
    (folder / "league.md").write_text(text, encoding="utf-8")
    _draw(folder / "league.svg", rows, known)


def table(rows: Sequence[Row], known: Mapping[str, object]) -> str:
    """The best first, the n-gram where it belongs."""
    lines = {row.loss: _line(row) for row in rows}
    lines[known["ngram"]] = f"| 5-gram | | | | {known['ngram']:.3f} | | |"
    head = "| cell | layers x units | parameters | learning rate | loss | worst - best | characters/s |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *(lines[loss] for loss in sorted(lines))])


def _line(row: Row) -> str:
    return (
        f"| `{row.cell}` | {row.layers} x {row.units} | {row.parameters:,} | {row.learning_rate:g} "
        f"| {row.loss:.3f} | {max(row.losses) - min(row.losses):.3f} | {row.speed:,.0f} |"
    )


def _draw(path: Path, rows: Sequence[Row], known: Mapping[str, object]) -> None:
    """Left every seed's loss, right the speed; the best cell on top."""
    figure, (losses, speeds) = pyplot.subplots(
        1, 2, figsize=(9, 0.32 * len(rows) + 1.2), sharey=True, width_ratios=(3, 1)
    )
    places = range(len(rows), 0, -1)
    for place, row in zip(places, rows, strict=True):
        losses.plot(row.losses, [place] * len(row.losses), "o", color="tab:blue", alpha=0.5)
        losses.plot(row.loss, place, "|", color="black", markersize=14)
    losses.axvline(known["ngram"], color="tab:red", linewidth=1)
    losses.annotate("5-gram", (known["ngram"], 0.6), (4, 0), textcoords="offset points", color="tab:red")
    speeds.barh(list(places), [row.speed / 1000 for row in rows], color="tab:gray")
    losses.set_yticks(list(places), [row.cell for row in rows])
    losses.set_xlabel("loss, nats per character (a dot a seed)")
    speeds.set_xlabel("1000 characters/s")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
