"""What a model forgets of one source while it goes on with another: its held-out losses, stage by stage."""

from collections.abc import Mapping, Sequence

from bot.config import Model
from bot.config.places import alternatives
from bot.errors import ConfigError
from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.lab import Lab

NOTE = (
    "Held-out loss on the items of each source, nats per token. Forgotten: by how much it rose on what was "
    "learned first, from the first stage to this one."
)
Losses = Mapping[str, Mapping[str, float]]  # of models, on each source


def models(lab: Lab, chains: dict[str, tuple[str, ...]], **_: object) -> Mapping[str, Model]:
    """All that stand in a chain, each after what it begins with."""
    return {name: lab.house.model(name) for chain in chains.values() for name in chain}


def step(lab: Lab, chains: dict[str, tuple[str, ...]], title: str = "From one source to another") -> Section:
    """chains: of a source what is learned after it: the model that learned it alone, then those that went on.

    What failed has no row. Figures, of each source and model: SOURCE.MODEL.forgotten, SOURCE.MODEL.OTHER (the
    loss on a source).
    """
    for source, chain in chains.items():
        _check(lab, source, chain)
    sources = sorted({name for first, *_ in chains.values() for name in lab.corpus(first).sources})
    found = {source: _losses(lab, chain) for source, chain in chains.items()}
    rows = [row for source, losses in found.items() for row in _rows(source, losses, sources)]
    return Section(
        title=title,
        prose=[_said(source, chains[source], losses) for source, losses in found.items()],
        tables=[Table("Held-out losses", ("first learned", "model", *sources, "forgotten"), rows, NOTE)],
        figures={name: value for source, losses in found.items() for name, value in _figures(source, losses)},
    )


def _check(lab: Lab, source: str, chain: Sequence[str]) -> None:
    """Raises ConfigError for a source that there is not, and for a chain that goes nowhere."""
    where = f"{lab.recipe.file}: chains.{source}"
    if len(chain) < 2:
        msg = f"{where}: name the model that learns it alone, then those that go on from there"
        raise ConfigError(msg)
    if source not in (there := lab.corpus(chain[0]).sources):
        msg = f"{where}: {chain[0]} has no source {source!r}{alternatives(source, there)}"
        raise ConfigError(msg)


def _losses(lab: Lab, chain: Sequence[str]) -> Losses:
    """Of each model that came to an end; none if the first did not."""
    first, *others = chain
    if lab.trained(first).failed:
        return {}
    whole = [first, *(model for model in others if not lab.trained(model).failed)]
    return {model: lab.loss_by_source(model, first) for model in whole}


def _rows(source: str, losses: Losses, sources: Sequence[str]) -> list[Sequence[Cell]]:
    """Nothing where a source has no item that is held out."""
    forgotten = _forgotten(source, losses)
    cells = {
        model: [f"{one[name]:.4f}" if name in one else None for name in sources]
        for model, one in losses.items()
    }
    return [(source, model, *cells[model], f"{forgotten[model]:+.4f}") for model in losses]


def _forgotten(source: str, losses: Losses) -> dict[str, float]:
    before = next((one[source] for one in losses.values()), 0.0)
    return {model: one[source] - before for model, one in losses.items()}


def _figures(source: str, losses: Losses) -> list[tuple[str, Figure]]:
    by_source = [
        (f"{source}.{model}.{name}", loss) for model, one in losses.items() for name, loss in one.items()
    ]
    forgotten = _forgotten(source, losses).items()
    return [*by_source, *((f"{source}.{model}.forgotten", value) for model, value in forgotten)]


def _said(source: str, chain: Sequence[str], losses: Losses) -> str:
    first, *others = chain
    forgotten = _forgotten(source, losses)
    told = ", ".join(
        f"{model} {forgotten[model]:+.3f}" if model in forgotten else f"{model} FAILED" for model in others
    )
    if first not in losses:
        return f"First {source}: {first} FAILED, and nothing went on from there."
    return f"First {source}, by {first}; what went on from there has forgotten of it, in nats: {told}."
