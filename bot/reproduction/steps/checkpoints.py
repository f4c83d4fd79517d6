"""Every checkpoint of a training with its losses; the one of lowest held-out loss is chosen, not the last."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.model import checkpoint
from bot.model.watch import Measurement
from bot.reports.curves import Line, draw_lines
from bot.reports.drawing import Drawing
from bot.reports.sections import Figure, Section, Table
from bot.reproduction.lab import Lab, Outcome

CHOSEN = "lowest: chosen"
COLUMNS = ("iteration", "epoch", "training loss", "held-out loss", "checkpoint", "")
NOTE = "Losses are nats per token; training loss: mean of the iterations since the row before."
RUNS = (
    "One run each: what chance makes of a loss was not measured. Iterations a second of wall time and of CPU "
    "time, evaluations and all: where others compute as well, only the latter says something."
)
CURVES = "Both losses at each checkpoint; the dashed line is the lowest held-out loss."


@dataclass(frozen=True)
class Run:
    """A training with its checkpoints' names by iteration. test_loss: None where nothing was kept apart."""

    outcome: Outcome
    best: Measurement
    names: Mapping[int, str]
    test_loss: float | None

    @property
    def last(self) -> Measurement:
        return self.outcome.history[-1]

    @property
    def rate(self) -> float:
        """Iterations a second of wall time."""
        return self.last.step / max(self.outcome.seconds, 1e-9)

    @property
    def cpu_rate(self) -> float:
        """Iterations a second of CPU time."""
        return self.last.step / max(self.outcome.cpu_seconds, 1e-9)


def step(lab: Lab, models: tuple[str, ...], title: str = "Checkpoints") -> Section:
    """Of each model a table and a figure; where there are several, the others against the first.

    Figures, for each model: MODEL.lowest, MODEL.at (its iteration), MODEL.name (its checkpoint's, without the
    digest), MODEL.last, MODEL.worse (the last less the lowest), MODEL.iterations, MODEL.kept (how many
    checkpoints), MODEL.rate and MODEL.cpu_rate (iterations a second), MODEL.parameters, MODEL.test,
    MODEL.verdict; for all but the first MODEL.against.
    """
    outcomes = [lab.trained(name) for name in models]
    runs = {one.model: run for one in outcomes if (run := _run(one))}
    lost = [f"{one.model}: no checkpoint was made: {one.note}." for one in outcomes if one.model not in runs]
    first, *others = runs or [""]
    against = {name: _against(runs[name], runs[first]) for name in others}
    figures = {f"{name}.{what}": value for name, run in runs.items() for what, value in _figures(run)}
    return Section(
        title=title,
        prose=[*(_verdict(run) for run in runs.values()), *against.values(), *lost],
        tables=[_runs(runs), *(_table(run) for run in runs.values())],
        drawings=[_drawn(run) for run in runs.values()],
        figures=figures | {f"{name}.against": said for name, said in against.items()},
    )


def _run(outcome: Outcome) -> Run | None:
    """With what lies on the model's shelf, other trainings' left out."""
    if outcome.checkpoint is None or outcome.best is None:
        return None
    shelf = outcome.checkpoint.parent
    metas = {name: checkpoint.read_meta(shelf / name) for name in checkpoint.names(shelf.parent, shelf.name)}
    measured = {(row.step, row.held_out_loss) for row in outcome.history}
    names = {one.step: name for name, one in metas.items() if (one.step, one.held_out_loss) in measured}
    return Run(outcome, outcome.best, names, checkpoint.read_meta(outcome.checkpoint).test_loss)


def _verdict(run: Run) -> str:
    """Whether the lowest is the last one, in plain words."""
    lowest = f"{run.outcome.model}: the lowest held-out loss, {run.best.held_out_loss:.4f}, is "
    if run.best == run.last:
        return f"{lowest}the last one, at iteration {run.last.step:,}."
    worse = run.last.held_out_loss - run.best.held_out_loss
    return (
        f"{lowest}not the last one but that of iteration {run.best.step:,} of {run.last.step:,}; the last is "
        f"{worse:.4f} nats worse."
    )


def _against(run: Run, first: Run) -> str:
    off = run.best.held_out_loss - first.best.held_out_loss
    way = "lower than" if off < 0 else "higher than" if off else "off"
    return (
        f"{run.outcome.model}: its lowest held-out loss is {abs(off):.4f} nats {way} that of "
        f"{first.outcome.model}."
    )


def _runs(runs: Mapping[str, Run]) -> Table:
    columns = ("run", "batch", "iterations", "lowest held-out loss", "at iteration", "last", "tested with")
    rows = [
        (
            name,
            run.outcome.setting.training.batch_size,
            run.last.step,
            f"{run.best.held_out_loss:.4f}",
            run.best.step,
            f"{run.last.held_out_loss:.4f}",
            None if run.test_loss is None else f"{run.test_loss:.4f}",
            f"{run.rate:.1f}",
            f"{run.cpu_rate:.1f}",
        )
        for name, run in runs.items()
    ]
    return Table("Runs", (*columns, "a second", "a CPU second"), rows, RUNS)


def _table(run: Run) -> Table:
    rows = [
        (
            row.step,
            f"{row.epoch:.2f}",
            f"{row.train_loss:.4f}",
            f"{row.held_out_loss:.4f}",
            run.names.get(row.step),
            CHOSEN if row == run.best else "",
        )
        for row in run.outcome.history
    ]
    return Table(f"Checkpoints of {run.outcome.model}", COLUMNS, rows, NOTE)


def _drawn(run: Run) -> Drawing:
    history = run.outcome.history
    steps = [row.step for row in history]
    lines = [
        Line("training", steps, [row.train_loss for row in history]),
        Line("held out", steps, [row.held_out_loss for row in history]),
    ]
    name, levels = run.outcome.model, {"lowest": run.best.held_out_loss}
    return draw_lines(
        f"checkpoints-{name}", f"Losses of {name}", CURVES, lines, levels=levels, xlabel="iteration"
    )


def _figures(run: Run) -> Iterator[tuple[str, Figure]]:
    yield "lowest", run.best.held_out_loss
    yield "at", float(run.best.step)
    yield "last", run.last.held_out_loss
    yield "worse", run.last.held_out_loss - run.best.held_out_loss
    yield "iterations", float(run.last.step)
    yield "kept", float(len(run.names))
    yield "rate", run.rate
    yield "cpu_rate", run.cpu_rate
    yield "parameters", float(run.outcome.parameters)
    yield "verdict", _verdict(run)
    if run.best.step in run.names:
        yield "name", run.names[run.best.step].rpartition("_")[0]
    if run.test_loss is not None:
        yield "test", run.test_loss
