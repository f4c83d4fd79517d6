"""Block mode: so many characters in, the next so many out; each run stage by stage, with what it writes."""

import math
import resource
import sys
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import Any

from bot.errors import ConfigError
from bot.reports.curves import Line, draw_lines
from bot.reports.drawing import Drawing
from bot.reports.sections import Cell, Figure, Samples, Section, Table
from bot.reproduction import blocks
from bot.reproduction.blocks import Stage, Task
from bot.reproduction.estimate import estimate, told
from bot.reproduction.lab import Lab, Written
from bot.text.prose import Prose
from bot.text.statistics import count_words

RUNS = ("run", "network", "block", "rate", "epochs", "time", "how it ended")
LEARNED = (
    "run",
    "epochs",
    "training loss",
    "held-out loss",
    "mean",
    "right",
    "right, held out",
    "known words",
)
NOTE = (
    "Losses are binary cross-entropies in nats a place, summed over the vocabulary. Mean: the training loss "
    "as Keras tells it, the mean over the vocabulary. Right: how often the likeliest character is the right "
    "one. Known words: share of the words of two letters and more that the corpus has, too."
)
LOSSES = "Mean since the point before, in nats a place, summed over the vocabulary. Lower is better."
PLACES = (
    "How often the likeliest character is the right one, from the first place of a block to its last, on "
    "texts that were learned from. Dashed: always the most frequent character."
)
WHOLE = (
    "A network that answers place by place has read t characters of a block when it predicts the t-th of the "
    "next: every character is predicted a whole block ahead, without its neighbour before it."
)
SOONER = (
    "The block that is predicted begins {} later than the one that is read, so each character is predicted "
    "{} ahead, from the true ones before it."
)
DRAWN = "_drawn"  # after a run's name: what it wrote by chance
FEWEST = 100  # words of which a share says something
SHOWN = 400  # characters of a text


def seconds(lab: Lab, runs: tuple[str, ...], **_: Any) -> Mapping[str, float]:
    """How long each run takes by itself."""
    return estimate(lab, runs, blocks.pace)


def step(
    lab: Lab,
    runs: tuple[str, ...],
    stages: dict[str, tuple[int, ...]] | None = None,
    ahead: int | None = None,
    temperature: float = 1.0,
    title: str = "Block by block",
) -> Section:
    """runs: models; `sequence_length` is their block. stages: of a run, the epochs after which it is looked
    at and gone on with; else `max_epochs`, once. temperature: of what is drawn by chance.
    ahead: how many characters later the block begins that is predicted; if None, where the other ends.

    Figures, of each run at its end, and as RUN.1 and so on of its stages: RUN.train, RUN.held_out, RUN.mean
    (of the training loss over the vocabulary), RUN.right, RUN.right_held_out, RUN.known, RUN.first (text),
    RUN.drawn, RUN.own, RUN.epochs, RUN.seconds, RUN.note; RUN.parameters; of all: commonest (share
    right), guess (loss), memory (GB, the peak up to here).
    """
    task = Task(ahead, temperature)
    found = {name: _stages(lab, name, (stages or {}).get(name), task) for name in runs}
    each = [(name, stage) for name, stages in found.items() for stage in stages]
    last = {name: all[-1] for name, all in found.items()}
    for name, one in last.items():
        lab.written |= {name: _written(one, one.text), f"{name}{DRAWN}": _written(one, one.drawn)}
    words = {name: count_words(one.text for one in lab.corpus(name).documents).keys() for name in found}
    learned = [_learned(name, one, words[name]) for name, one in each]
    return Section(
        title=title,
        prose=[_explained(ahead), _verdict(last)],
        tables=[
            Table("Runs", RUNS, [_run(lab, name, one) for name, one in each]),
            Table("What they have learned", LEARNED, learned, NOTE),
        ],
        drawings=_drawings(last),
        samples=[_samples(name, all) for name, all in found.items()],
        figures=_figures(lab, found, words),
    )


def _explained(ahead: int | None) -> str:
    if ahead is None:
        return WHOLE
    distance = "one character" if ahead == 1 else f"{ahead:,} characters"
    return SOONER.format(distance, "one" if ahead == 1 else f"{ahead:,}")


def _stages(lab: Lab, name: str, epochs: tuple[int, ...] | None, task: Task) -> list[Stage]:
    asked = epochs or (lab.models[name].training.max_epochs or 0,)
    if not all(asked):
        msg = f"{lab.recipe.file}: models.{name}.training.max_epochs: blocks are trained for so many epochs"
        raise ConfigError(msg)
    return blocks.trained(lab, name, asked, task)


def _written(stage: Stage, text: str) -> Written:
    last = stage.last
    losses = (last.train_loss, last.held_out_loss) if last else (math.nan, math.nan)
    return Written((text,), *losses)


def _run(lab: Lab, name: str, stage: Stage) -> list[Cell]:
    setting = lab.models[name]
    return [
        name,
        f"{setting.num_layers} x {setting.cell.name} of {setting.hidden_size}",
        setting.training.sequence_length,
        f"{setting.training.learning_rate:g}",
        f"{stage.epochs:,.1f}",
        told(stage.seconds),
        f"PARTIAL: {stage.note}" if stage.cut else stage.note,
    ]


def _learned(name: str, stage: Stage, words: Collection[str]) -> list[Cell]:
    last, prose = stage.last, Prose([stage.text])
    losses = (last.train_loss, last.held_out_loss, last.train_loss / stage.vocabulary) if last else ()
    return [
        name,
        f"{stage.epochs:,.1f}",
        *(f"{loss:.4f}" for loss in losses),
        *(None for _ in range(3 - len(losses))),
        f"{fmean(stage.right):.1%}",
        f"{fmean(stage.right_held_out):.1%}",
        f"{prose.known(words):.1%}" if prose.size >= FEWEST else None,
    ]


def _figures(
    lab: Lab, found: Mapping[str, Sequence[Stage]], words: Mapping[str, Collection[str]]
) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    for name, stages in found.items():
        numbered = [(f"{name}.{number}", stage) for number, stage in enumerate(stages, start=1)]
        for prefix, stage in [*numbered, (name, stages[-1])]:
            own = _of_stage(stage) | {"known": Prose([stage.text]).known(words[name])}
            figures |= {f"{prefix}.{what}": value for what, value in own.items()}
        figures[f"{name}.parameters"] = float(lab.parameters(name, stages[-1].vocabulary))
        figures |= {"guess": stages[-1].guess, "commonest": stages[-1].commonest}
    return figures | {"memory": _peak_memory()}


def _peak_memory() -> float:
    """The most that this process has held so far, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _of_stage(stage: Stage) -> dict[str, Figure]:
    figures: dict[str, Figure] = {
        "right": fmean(stage.right),
        "right_held_out": fmean(stage.right_held_out),
        "epochs": stage.epochs,
        "seconds": stage.seconds,
        "note": stage.note,
        "first": _beginning(stage.text),
        "drawn": _beginning(stage.drawn),
        "own": _beginning(stage.own),
    }
    if last := stage.last:
        figures |= {"train": last.train_loss, "held_out": last.held_out_loss}
        figures["mean"] = last.train_loss / stage.vocabulary
    return figures


def _verdict(last: Mapping[str, Stage]) -> str:
    """Whether any run has learned more than how frequent characters are."""
    best = max(last, key=lambda name: fmean(last[name].right_held_out))
    right, guessed = fmean(last[best].right_held_out), last[best].commonest
    return (
        f"{best} is right most often: at {right:.1%} of the held-out places, where always the most frequent "
        f"character is right at {guessed:.1%}. To know frequencies only gives a held-out loss of "
        f"{last[best].guess:.4f}; its own is {_told(last[best])}."
    )


def _told(stage: Stage) -> str:
    return f"{stage.last.held_out_loss:.4f}" if stage.last else "not a number"


def _drawings(last: Mapping[str, Stage]) -> list[Drawing]:
    runs = {name: stage for name, stage in last.items() if stage.history}
    losses = [
        Line(name, [row.epoch for row in one.history], [row.train_loss for row in one.history])
        for name, one in runs.items()
    ]
    places = [Line(name, _percents(len(one.right)), one.right) for name, one in last.items()]
    levels = {"the commonest": next(iter(last.values())).commonest}
    first = next(iter(last))
    right = draw_lines(
        f"{first}-places",
        "Right, place by place",
        PLACES,
        places,
        levels=levels,
        xlabel="place in the block, %",
        ylabel="share",
    )
    if not losses:
        return [right]
    label = "loss, nats a place"
    return [
        draw_lines(
            f"{first}-losses", "Training loss of blocks", LOSSES, losses, xlabel="epoch", ylabel=label
        ),
        right,
    ]


def _percents(places: int) -> list[float]:
    return [100 * place / places for place in range(1, places + 1)]


def _samples(name: str, stages: Sequence[Stage]) -> Samples:
    texts = [f"{stage.epochs:,.0f} epochs, likeliest: {_beginning(stage.text)}" for stage in stages]
    drawn = f"{stages[-1].epochs:,.0f} epochs, by chance: {_beginning(stages[-1].drawn)}"
    own = [f"from what it wrote itself: {_beginning(one.own)}" for one in stages[-1:] if one.own]
    return Samples(
        name,
        [*texts, drawn, *own],
        "What it predicts from each of the first blocks of the text that it has read; nothing was chosen.",
    )


def _beginning(text: str) -> str:
    return text[:SHOWN].strip() or "nothing but spaces"
