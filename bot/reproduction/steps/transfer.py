"""What a model forgets of one source while it goes on with another: its held-out losses, stage by stage."""

from collections.abc import Mapping, Sequence

from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.lab import Lab

NOTE = (
    "Held-out loss on the items of each source, nats per token. Forgotten: by how much it rose on what was "
    "learned first, from the first stage to this one."
)


def step(lab: Lab, chains: dict[str, tuple[str, ...]], title: str = "From one source to another") -> Section:
    """chains: of a source what is learned after it: the model that learned it alone, then those that went on.

    Figures, of each source and model: SOURCE.MODEL.forgotten, SOURCE.MODEL.OTHER (the loss on a source).
    """
    rows: list[Sequence[Cell]] = []
    figures: dict[str, Figure] = {}
    for source, (first, *others) in chains.items():
        losses = {model: lab.loss_by_source(model, first) for model in (first, *others)}
        rows += [(source, model, *_cells(losses[first], one, source)) for model, one in losses.items()]
        figures |= _figures(source, losses, first)
    sources = sorted({name for first, *_ in chains.values() for name in lab.corpus(first).sources})
    columns = ("first learned", "model", *sources, "forgotten")
    prose = [_said(source, chain, figures) for source, chain in chains.items()]
    return Section(title=title, prose=prose, tables=[Table("", columns, rows, NOTE)], figures=figures)


def _cells(before: Mapping[str, float], now: Mapping[str, float], source: str) -> list[Cell]:
    return [*(f"{now[name]:.4f}" for name in sorted(now)), f"{now[source] - before[source]:+.4f}"]


def _figures(source: str, losses: Mapping[str, Mapping[str, float]], first: str) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for model, one in losses.items():
        found |= {f"{source}.{model}.{name}": loss for name, loss in one.items()}
        found[f"{source}.{model}.forgotten"] = one[source] - losses[first][source]
    return found


def _said(source: str, chain: Sequence[str], figures: Mapping[str, Figure]) -> str:
    told = ", ".join(f"{model} {figures[f'{source}.{model}.forgotten']:+.3f}" for model in chain[1:])
    return f"First {source}, by {chain[0]}; what went on from there has forgotten of it, in nats: {told}."
