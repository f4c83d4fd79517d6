"""A sweep as a person sees it: each training as ever, and at the end a table of all, the best first."""

from collections.abc import Mapping
from functools import partial

from rich.console import Console
from rich.table import Table

from bot.cli.profile_table import duration
from bot.cli.training_screen import watched
from bot.config import Model
from bot.house import House
from bot.sweep import Point, in_order, sweep


def sweep_on_screen(house: House, models: Mapping[str, Model], quiet: bool) -> list[Point]:
    """The points so far, the best first. quiet: without the table on stdout."""
    console, points = Console(highlight=False, stderr=True), list[Point]()
    console.print(f"{len(models)} combinations.")
    for point in sweep(house, models, partial(watched, console)):
        console.print(_line(point))
        points.append(point)
    ordered = in_order(points)
    if not quiet:
        Console(highlight=False).print(_table(ordered))
    if len(points) < len(models) or not points[-1].note:
        console.print("Interrupted: the same command goes on from here.")
    return ordered


def _line(point: Point) -> str:
    loss = "no loss" if point.held_out is None else f"held-out loss {point.held_out:.4f}"
    return f"{point.name}: {_ended(point)}, {loss}"


def _ended(point: Point) -> str:
    return f"FAILED: {point.note}" if point.failed else point.note or "interrupted"


def _table(points: list[Point]) -> Table:
    table = Table("model", box=None)
    for column in ("held out", "training", "steps", "time"):
        table.add_column(column, justify="right")
    table.add_column("how it ended")
    for point in points:
        losses = ("–" if loss is None else f"{loss:.4f}" for loss in (point.held_out, point.train))
        table.add_row(point.name, *losses, f"{point.steps:,}", duration(point.seconds), _ended(point))
    return table
