"""Whether trainings with the same settings and the same seed come to the same losses, step by step."""

from collections.abc import Sequence

from bot.errors import ConfigError
from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab

NOTE = "The loss of every single step, compared as the numbers they are, to the last digit."


def step(lab: Lab, models: tuple[str, ...], title: str = "The same seed again") -> Section:
    """All others against the first; one that goes less far is compared as far as it goes.

    Figures: answer; for each but the first MODEL.steps, how many were compared, and MODEL.same, how many of
    these have the same loss. Raises ConfigError for models that are set otherwise.
    """
    first, *others = models
    for name in others:
        _check(lab, first, name)
    losses = {name: lab.losses(name) for name in models}
    found = {name: _same(losses[first], losses[name]) for name in others}
    answers = [_answer(first, name, *counts) for name, counts in found.items()]
    figures: dict[str, Figure] = {"answer": " ".join(answers)}
    for name, (steps, same) in found.items():
        figures |= {f"{name}.steps": float(steps), f"{name}.same": float(same)}
    rows = [(name, steps, same) for name, (steps, same) in found.items()]
    columns = (f"against {first}", "steps compared", "with the same loss")
    return Section(title=title, prose=answers, tables=[Table("Losses", columns, rows, NOTE)], figures=figures)


def _check(lab: Lab, first: str, name: str) -> None:
    if lab.key(first) != lab.key(name):
        msg = f"models.{name}: it is set otherwise than {first}, so that other losses would say nothing"
        raise ConfigError(msg)


def _same(ours: Sequence[float], theirs: Sequence[float]) -> tuple[int, int]:
    """Steps that both have made, and how many of them have the same loss."""
    pairs = [
        pair for pair in zip(ours, theirs, strict=False) if pair[0] == pair[0] or pair[1] == pair[1]
    ]  # where neither made a loss, both are not a number
    return len(pairs), sum(one == other for one, other in pairs)


def _answer(first: str, name: str, steps: int, same: int) -> str:
    if not steps:
        return f"{name}: no step was made that could be compared with {first}."
    if same == steps:
        return f"{name} and {first}: all {steps:,} losses are the same to the last digit."
    return f"{name} and {first} differ: {steps - same:,} of {steps:,} losses are not the same."
