"""train, sample: what works on a model."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import HERE, AsJson, ConfigPath, ModelName, app, open_house, print_json, say


@app.command()
def train(
    model: ModelName,
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder that the corpus's paths begin at.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew instead of going on with an unfinished run.")
    ] = False,
    config: ConfigPath = HERE,
) -> None:
    """Train a model; Ctrl-C stops it, the same command goes on."""
    house = open_house(config, data)
    from bot.cli.training_screen import train_on_screen

    train_on_screen(house, model, fresh)


@app.command()
def sample(
    model: ModelName,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 20,
    temperature: Annotated[float, typer.Option(min=0.01, max=5, help="Higher is wilder.")] = 0.8,
    seed: Annotated[int, typer.Option(help="The same seed gives the same texts.")] = 1,
    max_length: Annotated[int, typer.Option(min=1, help="Cut after so many tokens.")] = 200,
    top_k: Annotated[int, typer.Option(min=0, help="Choose among so many likeliest tokens.")] = 0,
    top_p: Annotated[float, typer.Option(max=1, help="Among the likeliest of this share.")] = 1.0,
    min_p: Annotated[float, typer.Option(min=0, max=1, help="Among those so near the likeliest.")] = 0.0,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Sample a model; nothing is filtered or queued."""
    from rich.text import Text

    from bot.cli.show import plain
    from bot.pipeline import sample as draw
    from bot.records import Sampling

    house = open_house(config)
    sampling = Sampling((temperature, temperature), max_length, top_k=top_k, top_p=top_p, min_p=min_p)
    candidates = draw(house, model, sampling, seed, count)
    if as_json:
        print_json(candidates)
        return
    show = plain if sys.stdout.isatty() else Text  # a file gets the text itself, a terminal nothing it obeys
    for candidate in candidates:
        print(show(candidate.text).plain)
    say(f"{count} of {candidates[0].checkpoint}, temperature {temperature:g}, seed {seed}; not filtered")
