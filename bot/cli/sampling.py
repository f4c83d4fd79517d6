"""sample, calibrate: texts of a model made as asked for, and how surprising they are at which temperature."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.app import HERE, AsJson, ConfigPath, ModelName, Which, app, open_house, print_json, say
from bot.errors import BotError
from bot.records import Mirostat, Rule, Sampling, Sources


class Weights(StrEnum):
    FLOAT32 = "float32"
    INT8 = "int8"


def _numbers(text: str) -> tuple[float, ...]:
    """One number, or two with a comma between them."""
    try:
        numbers = tuple(map(float, text.split(",")))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2):
        msg = f"expected a number, or two with a comma between them, not {text!r}"
        raise typer.BadParameter(msg)
    return numbers


def _rule(text: str) -> Rule:
    """A constraint as it is typed: its name and, in JSON, its options."""
    name, _, options = text.partition("=")
    try:
        found = json.loads(options or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = f'expected NAME, or NAME={{"OPTION": VALUE}} in JSON, not {text!r}'
        raise typer.BadParameter(msg)
    return Rule(name, found)


def _option(help: str, metavar: str | None = None) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(help=help, metavar=metavar)
    return option


@app.command()
def sample(
    model: ModelName,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many.")] = 20,
    which: Which = "best",
    temperature: Annotated[str, _option("Higher is wilder, 0.8 if not given.", "NUMBER[,HIGHEST]")] = "",
    band: Annotated[str, _option("Instead of a temperature: safe, balanced or wild.")] = "",
    seed: Annotated[int, _option("The same seed gives the same texts.")] = 1,
    prefix: Annotated[str, _option("What every text begins with.")] = "",
    stop: Annotated[list[str] | None, _option("A text to end before; may be given again.")] = None,
    min_length: Annotated[int, _option("Do not end before so many tokens.")] = 0,
    max_length: Annotated[int, _option("Cut after so many tokens.")] = 200,
    repetition_penalty: Annotated[float, _option("Make what is written less likely: 1.2, say.")] = 1.0,
    no_repeat_ngram: Annotated[int, _option("Write so many tokens in a row only once.")] = 0,
    top_k: Annotated[int, _option("Choose among so many likeliest tokens.")] = 0,
    top_p: Annotated[float, _option("Among the likeliest of this share.")] = 1.0,
    min_p: Annotated[float, _option("Among those so near the likeliest.")] = 0.0,
    typical_p: Annotated[float, _option("Among those of usual surprise of this share.")] = 1.0,
    eta: Annotated[float, _option("Among those of this probability, less where much is possible.")] = 0.0,
    mirostat: Annotated[
        str | None, _option("Keep the surprise near this: nats a token.", "NATS[,RATE]")
    ] = None,
    constraints: Annotated[
        list[str] | None,
        typer.Option("--constraint", metavar="NAME[={...}]", help="What every text is; options in JSON."),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="NAME", help="Write as this source of a model with tags; again for more."
        ),
    ] = None,
    switch: Annotated[float, _option("How probably a word's end leads to another of these sources.")] = 0.6,
    weights: Annotated[Weights, _option("int8 is quicker.")] = Weights.FLOAT32,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Sample a model; nothing is filtered or queued."""
    from bot.pipeline import sample as draw

    if band and temperature:
        msg = "give a temperature or a band, not both"
        raise BotError(msg)
    temperatures = _numbers(temperature or "0.8")
    sampling = Sampling(
        (temperatures[0], temperatures[-1]),
        max_length,
        band=band,
        min_length=min_length,
        prefix=prefix,
        stop=tuple(stop or ()),
        repetition_penalty=repetition_penalty,
        no_repeat_ngram=no_repeat_ngram,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        typical_p=typical_p,
        eta=eta,
        mirostat=Mirostat(*_numbers(mirostat)) if mirostat else None,
        weights=weights.value,
        constraints=tuple(map(_rule, constraints or ())),
        sources=Sources(tuple(sources), switch) if sources else None,
    )
    candidates = draw(open_house(config), model, sampling, seed, count, which)
    if as_json:
        print_json(candidates)
        return
    _show([one.text for one in candidates])
    warmth = " to ".join(f"{one:.3g}" for one in dict.fromkeys(candidates[0].sampling.temperature))
    say(f"{count} of {candidates[0].checkpoint}, temperature {warmth}, seed {seed}; not filtered")


@app.command()
def calibrate(
    model: ModelName,
    count: Annotated[int, typer.Option("-n", "--samples", min=1, help="At each temperature.")] = 2000,
    which: Which = "best",
    config: ConfigPath = HERE,
) -> None:
    """Measure anew which temperature surprises how much: what bands are looked up in."""
    from bot.curation.bands import bands_of
    from bot.pipeline import calibrate as sweep

    house = open_house(config)
    if not house.owns(folder := house.checkpoint(model, which)):
        there = house.config.checkpoints_folder / model
        say(f"Shown, not stored: {folder} came with the program; copy it to {there}, which can be written")
    print("temperature  surprise  band", flush=True)

    def told(temperature: float, surprise: float) -> None:
        print(f"{temperature:11.2f}  {surprise:8.3f}  {', '.join(bands_of(surprise))}".rstrip(), flush=True)

    if stored := sweep(house, model, which, count, told):
        say(f"Stored in {stored / 'meta.json'}; `band:` goes by it from now on")


def _show(texts: list[str]) -> None:
    from rich.text import Text

    from bot.cli.plain import plain

    show = plain if sys.stdout.isatty() else Text  # a file gets the text itself, a terminal nothing it obeys
    for text in texts:
        print(show(text).plain)
