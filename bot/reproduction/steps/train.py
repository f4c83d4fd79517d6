"""Trains models and shows them side by side: losses, time, what the watch said, all curves in a figure."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from bot.reports.curves import Line, draw_lines
from bot.reports.drawing import Drawing
from bot.reports.sections import Figure, Samples, Section, Table
from bot.reproduction.estimate import told
from bot.reproduction.lab import Lab, Outcome

COLUMNS = (
    "run",
    "cell",
    "parameters",
    "steps",
    "epochs",
    "training loss",
    "held-out loss",
    "5-gram",
    "time",
    "CPU time",
    "how it ended",
)
NOTE = (
    "Losses are nats per token, the end of an item counted. Training: mean of the last steps. Held out: the "
    "lowest, on items that it never saw; the 5-gram has read and is tested on the same items."
)
TRAINING = "Training loss: mean since the point before, on what the model learns from. Lower is better."
HELD_OUT = "Held-out loss: on items that the model never saw. Lower is better."
SIMILAR = 0.05  # nats per token up to which losses are called similar, if a recipe does not say
REMARKS = 12  # of one run that are told


def step(lab: Lab, models: tuple[str, ...], similar: float = SIMILAR, title: str = "Training") -> Section:
    """Train these; losses that differ by at most `similar` are called so.

    Figures, for each model: MODEL.train, MODEL.held_out, MODEL.steps, MODEL.epochs, MODEL.parameters,
    MODEL.units, MODEL.seconds, MODEL.step_seconds, MODEL.note, MODEL.said (by the watch); MODEL.against and
    MODEL.held_out_against, in words beside the first model's losses as far as both went; of all: 5gram,
    spread (of the training losses), verdict, remarks.
    """
    outcomes = [lab.trained(model) for model in models]
    return Section(
        title=title,
        prose=[verdict(outcomes, similar), *remarks(outcomes)],
        tables=[Table("Runs", COLUMNS, [row(outcome) for outcome in outcomes], NOTE)],
        drawings=curves(outcomes),
        samples=early(outcomes),
        figures=figures(outcomes) | beside(outcomes, similar) | {"verdict": verdict(outcomes, similar)},
    )


def row(outcome: Outcome) -> tuple[str | float | None, ...]:
    """One run of the table."""
    last, best = outcome.history[-1] if outcome.history else None, outcome.best
    return (
        outcome.model,
        outcome.setting.cell.name,
        outcome.parameters,
        last.step if last else None,
        f"{last.epoch:.2f}" if last else None,
        f"{last.train_loss:.4f}" if last else None,
        f"{best.held_out_loss:.4f}" if best else None,
        None if outcome.ngram_loss is None else f"{outcome.ngram_loss:.4f}",
        told(outcome.seconds),
        told(outcome.cpu_seconds),
        ending(outcome),
    )


def ending(outcome: Outcome) -> str:
    """How the run ended, FAILED or PARTIAL where it is."""
    if outcome.failed:
        return f"FAILED: {outcome.note}"
    if outcome.share < 1:
        return f"PARTIAL: {outcome.share:.1%} of {outcome.goal}"
    return outcome.note


def figures(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """By name, see `step`."""
    found: dict[str, Figure] = {}
    for outcome in outcomes:
        name = outcome.model
        found |= {f"{name}.parameters": float(outcome.parameters), f"{name}.note": ending(outcome)}
        found |= {f"{name}.seconds": outcome.seconds, f"{name}.said": said(outcome)}
        found[f"{name}.units"] = float(outcome.setting.hidden_size)
        if outcome.ngram_loss is not None:
            found["5gram"] = outcome.ngram_loss
        if outcome.best:
            last = outcome.history[-1]
            found |= {
                f"{name}.train": last.train_loss,
                f"{name}.held_out": outcome.best.held_out_loss,
                f"{name}.steps": float(last.step),
                f"{name}.step_seconds": outcome.seconds / max(1, last.step),
                f"{name}.epochs": last.epoch,
            }
    found["remarks"] = " ".join(remarks(outcomes)) or "The watch had nothing to say."
    losses = [outcome.history[-1].train_loss for outcome in outcomes if outcome.history]
    if losses:
        found["spread"] = max(losses) - min(losses)
    return found


def verdict(outcomes: Sequence[Outcome], similar: float) -> str:
    """Whether the training losses come to the same, in plain words."""
    whole = [outcome for outcome in outcomes if outcome.history and not outcome.failed]
    if len(whole) < 2:
        return _of_one(whole[0]) if whole else "No run came to an end."
    losses = {outcome.model: outcome.history[-1].train_loss for outcome in whole}
    spread = max(losses.values()) - min(losses.values())
    each = ", ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
    if spread <= similar:
        return f"Similar: the last training losses lie within {spread:.3f} nats of each other ({each})."
    lowest = min(losses, key=losses.__getitem__)
    return f"Different: the last training losses span {spread:.3f} nats, {lowest} has the lowest ({each})."


def beside(outcomes: Sequence[Outcome], similar: float) -> dict[str, Figure]:
    """Each model's losses beside the first one's, by name, see `step`."""
    first, *others = outcomes
    whole = [other for other in others if other.history and first.history]
    return {
        f"{other.model}.{name}": _against(first, other, similar, loss)
        for other in whole
        for name, loss in (("against", "train_loss"), ("held_out_against", "held_out_loss"))
    }


def _against(first: Outcome, other: Outcome, similar: float, loss: str) -> str:
    """At the last measurements that both came to: what was trained longer is no better for that."""
    common = min(first.history[-1].step, other.history[-1].step)
    there, here = (min(one.history, key=lambda row: abs(row.step - common)) for one in (first, other))
    off = getattr(here, loss) - getattr(there, loss)
    at = f"step {here.step:,}" + (f", {first.model} at {there.step:,}" if here.step != there.step else "")
    said = f"{abs(off):.3f} nats {'above' if off > 0 else 'below'} {first.model} ({at})"
    return f"{'Similar' if abs(off) <= similar else 'Different'}: {said}."


def _of_one(outcome: Outcome) -> str:
    best = outcome.best
    return f"{outcome.model}: held-out loss {best.held_out_loss:.3f}." if best else outcome.note


def remarks(outcomes: Sequence[Outcome]) -> list[str]:
    """What the watch of the training loop said, run by run."""
    return [
        f"The watch on {outcome.model}: {said(outcome)}."
        for outcome in outcomes
        if outcome.remarks or outcome.failed
    ]


def said(outcome: Outcome) -> str:
    """What the watch said of one run."""
    notes = [_at(steps, text) for text, steps in _together(outcome.remarks)]
    if len(notes) > REMARKS:
        notes = [*notes[:REMARKS], f"and {len(notes) - REMARKS} more"]
    if outcome.failed:
        notes.append(f"failed: {outcome.note}")
    return "; ".join(notes) or "nothing to say"


def _together(remarks: Sequence[tuple[int, str]]) -> Iterator[tuple[str, list[int]]]:
    """What was said of steps that follow one another, once."""
    for text, same in groupby(remarks, key=itemgetter(1)):
        yield text, [step for step, _ in same]


def _at(steps: Sequence[int], text: str) -> str:
    where = f"step {steps[0]:,}" if len(steps) == 1 else f"{len(steps)} times from step {steps[0]:,}"
    return f"{where}: {text}"


def curves(outcomes: Sequence[Outcome], prefix: str = "") -> list[Drawing]:
    """Training losses of all runs in one figure, held-out losses in another. prefix: of their files."""
    runs = [outcome for outcome in outcomes if outcome.history]
    if not runs:
        return []
    baseline = next((run.ngram_loss for run in runs if run.ngram_loss is not None), None)
    levels = {} if baseline is None else {"5-gram": baseline}
    return [
        draw_lines(f"{prefix}training-loss", "Training loss", TRAINING, _lines(runs, "train_loss")),
        draw_lines(
            f"{prefix}held-out-loss", "Held-out loss", HELD_OUT, _lines(runs, "held_out_loss"), levels=levels
        ),
    ]


def _lines(runs: Sequence[Outcome], loss: str) -> list[Line]:
    return [
        Line(run.model, [row.step for row in run.history], [getattr(row, loss) for row in run.history])
        for run in runs
    ]


def early(outcomes: Sequence[Outcome]) -> list[Samples]:
    """What each wrote while it was trained, one text a measurement."""
    return [
        Samples(
            f"{outcome.model} while it was trained",
            [f"step {step:,}: {texts[0]}" for step, texts in outcome.samples if texts],
            "One text at each measurement, at temperature 0.8; nothing was chosen.",
            folded=True,
        )
        for outcome in outcomes
        if outcome.samples
    ]
