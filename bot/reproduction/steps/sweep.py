"""A model in all combinations of some settings: what each came to, the best first."""

from collections.abc import Sequence
from typing import Any

from bot.config import Model
from bot.config.grid import grid
from bot.reports.sections import Section, Table
from bot.reproduction.lab import Lab, Outcome
from bot.reproduction.steps.train import COLUMNS, NOTE, curves, row


def models(lab: Lab, model: str, settings: dict[str, list[Any]], title: str = "") -> dict[str, Model]:
    """One for each combination, named by it."""
    return grid(model, lab.models[model], settings)


def step(lab: Lab, model: str, settings: dict[str, list[Any]], title: str = "Swept") -> Section:
    """settings: values by the dotted name of a setting of the model.

    Figures: runs, failed, best (the name), best_held_out.
    """
    outcomes = in_order([lab.trained(name) for name in models(lab, model, settings)])
    best = outcomes[0]
    found = {} if best.best is None else {"best_held_out": best.best.held_out_loss}
    return Section(
        title=title,
        prose=[f"{len(outcomes)} combinations, the lowest held-out loss first: {best.model}."],
        tables=[Table("Combinations", COLUMNS, [row(one) for one in outcomes], NOTE)],
        drawings=curves(outcomes, prefix="swept-"),
        figures={
            "runs": float(len(outcomes)),
            "failed": float(sum(one.failed for one in outcomes)),
            "best": best.model,
            **found,
        },
    )


def in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The lowest held-out loss first, failed ones last."""
    return sorted(
        outcomes,
        key=lambda one: (one.failed, one.best is None, one.best.held_out_loss if one.best else 0.0),
    )
