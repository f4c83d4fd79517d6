"""Models against the first of them: the same seeds, as many parameters, and whether a difference is shown.

Each seed holds out other items, the same for every model: what is compared are pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bot.config import Model
from bot.reports.curves import Line, draw_lines
from bot.reports.drawing import Drawing
from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.estimate import told
from bot.reproduction.lab import Lab, Outcome
from bot.reproduction.pairing import Difference, difference
from bot.reproduction.sizing import fitting

SEEDS = 5
RUNS = "The lowest held-out loss of each run, nats per token; a seed holds out the same items for all."
PAIRS = (
    "Differences to the first model, seed by seed: mean and 95 % interval by Student's t, in nats per token; "
    "below 0 is better. At equal CPU time: each run up to the time that the quickest of its seed took."
)
CURVES = "Held-out loss of the first seed of each model. Lower is better."


def models(
    lab: Lab, models: tuple[str, ...], seeds: int = SEEDS, matched: bool = True, title: str = ""
) -> dict[str, Model]:
    """One for each model and seed. matched: with the size that comes nearest to the first's parameters."""
    sized = {name: _sized(lab, name, models[0]) if matched else lab.models[name] for name in models}
    return {run(name, seed): _seeded(sized[name], seed) for name in sized for seed in range(1, seeds + 1)}


def step(
    lab: Lab,
    models: tuple[str, ...],
    seeds: int = SEEDS,
    matched: bool = True,
    title: str = "Compared",
) -> Section:
    """Figures: answer; for each model MODEL.held_out (the mean), MODEL.parameters, MODEL.units; for all but
    the first MODEL.difference (with its interval), MODEL.at_equal_time, MODEL.answer."""
    found = {
        name: Runs(name, [lab.trained(run(name, seed)) for seed in range(1, seeds + 1)]) for name in models
    }
    first, *others = found.values()
    pairs = {one.name: one.against(first) for one in others}
    return Section(
        title=title,
        prose=[_answer(name, models[0], one) for name, one in pairs.items()],
        tables=[_runs(found), _pairs(pairs, models[0])],
        drawings=_curves(found),
        figures=_figures(found, pairs),
    )


def run(model: str, seed: int) -> str:
    """What the training of a model with a seed is called."""
    return f"{model}.seed{seed}"


@dataclass(frozen=True)
class Pairs:
    """What a model came to against another. Both are None where no seed has both."""

    whole: Difference | None
    at_equal_time: Difference | None
    failed: int


@dataclass(frozen=True)
class Runs:
    """All trainings of one model, a seed each."""

    name: str
    outcomes: Sequence[Outcome]

    @property
    def losses(self) -> list[float | None]:
        return [loss(one) for one in self.outcomes]

    @property
    def mean(self) -> float | None:
        known = [loss for loss in self.losses if loss is not None]
        return fmean(known) if known else None

    def against(self, other: "Runs") -> Pairs:
        both = list(zip(self.outcomes, other.outcomes, strict=True))
        spans = [min(one.cpu_seconds, another.cpu_seconds) for one, another in both]
        ends = [(loss(one), loss(another)) for one, another in both]
        timed = [
            (loss(one, span), loss(another, span)) for (one, another), span in zip(both, spans, strict=True)
        ]
        return Pairs(_difference(ends), _difference(timed), sum(None in pair for pair in ends))


def loss(outcome: Outcome, seconds: float | None = None) -> float | None:
    """The lowest held-out loss of a run, or what it was after so many CPU seconds; None if it failed."""
    if outcome.failed or not outcome.history:
        return None
    last = outcome.history[-1].step
    done = last if seconds is None else last * seconds / max(outcome.cpu_seconds, 1e-9)
    return min((row.held_out_loss for row in outcome.history if row.step <= done + 0.5), default=None)


def _difference(pairs: Sequence[tuple[float | None, float | None]]) -> Difference | None:
    whole = [(one, other) for one, other in pairs if one is not None and other is not None]
    return difference(*zip(*whole, strict=True)) if whole else None


def _sized(lab: Lab, name: str, first: str) -> Model:
    """The model with as many parameters as the first."""
    if name == first:
        return lab.models[name]
    vocabulary = lab.vocabulary_size(first)

    def count(units: int) -> int:
        return lab.parameters(name, vocabulary, hidden_size=units)

    units = fitting(count, lab.parameters(first, vocabulary))
    return lab.models[name].model_copy(update={"hidden_size": units})


def _seeded(model: Model, seed: int) -> Model:
    return model.model_copy(update={"training": model.training.model_copy(update={"seed": seed})})


def _answer(name: str, first: str, pairs: Pairs) -> str:
    failed = f" {pairs.failed} of its pairs failed." if pairs.failed else ""
    found = pairs.whole
    if found is None:
        return f"{name}: no seed came to an end in both.{failed}"
    if not found.is_shown:
        return f"{name} against {first}: no difference shown over {found.pairs} seeds, {found}.{failed}"
    verdict = f"{'better' if found.mean < 0 else 'worse'} than {first} by {abs(found.mean):.4f} nats"
    return f"{name} is {verdict}: {found}, {found.pairs} seeds.{failed}"


def _runs(found: Mapping[str, Runs]) -> Table:
    rows: list[list[Cell]] = [
        [
            name,
            one.outcomes[0].setting.cell.name,
            one.outcomes[0].setting.hidden_size,
            one.outcomes[0].parameters,
            *(_shown(loss) for loss in one.losses),
            _shown(one.mean),
            told(fmean(outcome.cpu_seconds for outcome in one.outcomes)),
        ]
        for name, one in found.items()
    ]
    seeds = [f"seed {seed}" for seed in range(1, 1 + len(next(iter(found.values())).outcomes))]
    columns = ("model", "cell", "units", "parameters", *seeds, "mean", "CPU time of one")
    return Table("Held-out losses", columns, rows, RUNS)


def _shown(loss: float | None) -> str | None:
    return None if loss is None else f"{loss:.4f}"


def _pairs(pairs: Mapping[str, Pairs], first: str) -> Table:
    rows = [
        (name, *(None if it is None else str(it) for it in (one.whole, one.at_equal_time)))
        for name, one in pairs.items()
    ]
    columns = (f"against {first}", "at equal steps", "at equal CPU time")
    return Table("Differences", columns, rows, PAIRS)


def _curves(found: Mapping[str, Runs]) -> list[Drawing]:
    whole = [(name, one) for name, runs in found.items() for one in runs.outcomes if one.history]
    first = [
        Line(name, [row.step for row in one.history], [row.held_out_loss for row in one.history])
        for name, one in whole
        if one.model == run(name, 1)
    ]
    return [draw_lines("compared", "Held-out loss, seed 1", CURVES, first)] if first else []


def _figures(found: Mapping[str, Runs], pairs: Mapping[str, Pairs]) -> dict[str, Figure]:
    first = next(iter(found))
    figures: dict[str, Figure] = {
        "answer": " ".join(_answer(name, first, one) for name, one in pairs.items())
    }
    for name, runs in found.items():
        figures[f"{name}.parameters"] = float(runs.outcomes[0].parameters)
        figures[f"{name}.units"] = float(runs.outcomes[0].setting.hidden_size)
        if runs.mean is not None:
            figures[f"{name}.held_out"] = runs.mean
    for name, one in pairs.items():
        figures[f"{name}.answer"] = _answer(name, first, one)
        both = {"difference": one.whole, "at_equal_time": one.at_equal_time}
        figures |= {f"{name}.{what}": str(it) for what, it in both.items() if it is not None}
    return figures
