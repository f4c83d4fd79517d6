"""The loss of every single step of some trainings as one figure, and where it leapt."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.reports.curves import Line, draw_lines
from bot.reports.drawing import Drawing
from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab

POINTS = 400  # of a line; each is the highest loss of the steps that it stands for: no leap is smoothed away
CAPTION = "Loss of each step; a point is the highest of the steps it stands for, so that every leap is seen."


def step(lab: Lab, models: tuple[str, ...], title: str = "Loss per iteration") -> Section:
    """Figures, for each model: MODEL.steps, MODEL.mean, MODEL.last (mean of the last tenth), MODEL.highest
    (of its second half), MODEL.at (the step of that one)."""
    losses = {name: np.array(lab.losses(name)) for name in models}
    made = {name: found for name, found in losses.items() if np.isfinite(found).any()}
    figures = {
        f"{name}.{what}": value for name, found in made.items() for what, value in _summary(found).items()
    }
    columns = ("run", "steps", "mean", "last tenth", "highest after the first half", "at step")
    rows = [(name, *_summary(found).values()) for name, found in made.items()]
    return Section(
        title=title, tables=[Table("Losses", columns, rows)], drawings=_drawn(made), figures=figures
    )


def _summary(losses: NDArray[np.float64]) -> dict[str, Figure]:
    later = len(losses) // 2
    peak = later + int(np.nanargmax(losses[later:])) if np.isfinite(losses[later:]).any() else 0
    return {
        "steps": float(len(losses)),
        "mean": float(np.nanmean(losses)),
        "last": float(np.nanmean(losses[-max(1, len(losses) // 10) :])),
        "highest": float(losses[peak]),
        "at": float(peak + 1),
    }


def _drawn(made: dict[str, NDArray[np.float64]]) -> list[Drawing]:
    lines = [Line(name, *_thinned(losses)) for name, losses in made.items()]
    return [draw_lines("iterations", "Loss per iteration", CAPTION, lines)] if lines else []


def _thinned(losses: NDArray[np.float64]) -> tuple[Sequence[float], Sequence[float]]:
    """Steps and losses of so few points that they can be seen; those of no number are left out."""
    at = [part for part in np.array_split(np.flatnonzero(np.isfinite(losses)), POINTS) if len(part)]
    return [float(part[-1] + 1) for part in at], [float(losses[part].max()) for part in at]
