"""compare: models trained with the same seeds, and whether one is better."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import HERE, ConfigPath, DataFolder, app, open_house
from bot.config import Choice
from bot.config.recipe import Recipe
from bot.errors import ConfigError


@app.command()
def compare(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL MODEL...", help="Of the configuration; the first is compared to."),
    ],
    seeds: Annotated[int, typer.Option(min=2, max=100, help="Trainings of each.")] = 5,
    matched: Annotated[
        bool, typer.Option(help="Give each so many units that all have as many parameters as the first.")
    ] = True,
    data: DataFolder = None,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the folder with the report is made.")
    ] = Path("reports"),
    hours: Annotated[float, typer.Option(min=0.01, help="What all trainings may take.")] = 1.0,
    config: ConfigPath = HERE,
) -> None:
    """Train models with the same seeds and report whether one is better; the same command goes on."""
    if len(set(models)) != len(models) or len(models) < 2:
        raise ConfigError("compare needs two models or more, each once")
    house = open_house(config, data)
    chosen = {name: house.model(name) for name in models}
    step = Choice("compare", {"models": models, "seeds": seeds, "matched": matched})
    recipe = Recipe(
        title=" and ".join((", ".join(models[:-1]), models[-1])),
        document=f"Models of {config.name}, trained with {seeds} seeds each",
        steps=(step,),
        models=chosen,
    )
    recipe._file = config.absolute()
    from bot.cli.reproduce import Terminal
    from bot.reproduction import reproduce

    folder = output / f"compare-{'-'.join(models)}"[:100]
    print(reproduce(recipe, data or house.config.folder, folder, Terminal(), hours))
