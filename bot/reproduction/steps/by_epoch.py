"""What models write as they learn: a row for each checkpoint, a column for each temperature."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.config import Model
from bot.model.checkpoint import Meta, read_meta
from bot.records import Sampling
from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.lab import Lab

LONGEST = 200  # characters of a text that are shown
BETWEEN = " · "
Kept = tuple[Path, Meta]  # a checkpoint
Request = tuple[Sampling, int, Sequence[int]]  # how to sample, the seed, which samples


def models(lab: Lab, models: tuple[str, ...], **_: object) -> Mapping[str, Model]:
    """The same models; every checkpoint of theirs is kept."""
    return {name: _keeping(lab.house.model(name)) for name in models}


def _keeping(model: Model) -> Model:
    training = model.training.model_copy(update={"keep_checkpoints": True})
    return model.model_copy(update={"training": training})


def step(
    lab: Lab,
    models: tuple[str, ...],
    temperatures: tuple[float, ...] = (0.2, 0.6, 1.0),
    max_length: int = 100,
    count: int = 3,
    rows: int = 12,
    seed: int = 1,
    title: str = "Epoch by epoch",
) -> Section:
    """So many texts of each checkpoint at each temperature; of more than `rows`, some evenly between.

    A checkpoint is made at every evaluation. Figures: MODEL.kept, how many there are; MODEL.best, the epoch
    of the one with the lowest held-out loss.
    """
    note = (
        f"{count} of each, divided by{BETWEEN.rstrip()}, at most {max_length} tokens, seed {seed}; nothing "
        "was chosen. Held-out loss: nats per token. *: the checkpoint that other sections sample."
    )
    columns = ("epoch", "step", "held-out loss", *(f"at {one:g}" for one in temperatures))
    requests = [(Sampling((one, one), max_length), seed, range(count)) for one in temperatures]
    tables: list[Table] = []
    figures: dict[str, Figure] = {}
    for model in (name for name in models if not lab.trained(name).failed):
        kept = [(folder, read_meta(folder)) for folder in lab.checkpoints(model)]
        found = [_row(lab, *one, requests) for one in _thinned(kept, rows)]
        tables.append(Table(model, columns, found))
        figures |= _figures(model, kept)
    return Section(title=title, prose=[note], tables=tables, figures=figures)


def _figures(model: str, kept: Sequence[Kept]) -> dict[str, Figure]:
    best = min((meta for _, meta in kept), key=lambda meta: meta.held_out_loss)
    return {f"{model}.kept": float(len(kept)), f"{model}.best": best.epoch}


def _thinned(kept: Sequence[Kept], most: int) -> Sequence[Kept]:
    """At most so many, the last and, of several, the first among them."""
    if len(kept) <= most:
        return kept
    last, gaps = len(kept) - 1, max(1, most - 1)
    return [kept[last - round(at * last / gaps)] for at in reversed(range(most))]


def _row(lab: Lab, folder: Path, meta: Meta, requests: Sequence[Request]) -> Sequence[Cell]:
    mark = "*" if folder == lab.checkpoint(meta.model) else ""
    drawn = lab.house.sampler(meta.model, folder.name).sample_many(requests)
    cells = [BETWEEN.join(_short(one.text) for one in texts) for texts in drawn]
    return [f"{meta.epoch:.2f}{mark}", float(meta.step), f"{meta.held_out_loss:.4f}", *cells]


def _short(text: str) -> str:
    """On one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
