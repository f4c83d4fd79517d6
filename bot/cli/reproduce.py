"""reproduce: the experiments of a document, run again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import app, say
from bot.config.recipe import SCALES, Scale, find_recipe, load_recipe, recipes
from bot.errors import BotError

if TYPE_CHECKING:
    from bot.records import Progress
    from bot.trainer import Trainer


@app.command()
def reproduce(
    recipe: Annotated[
        str, typer.Argument(metavar="[RECIPE]", help="One of the program's, or a file; none: list them.")
    ] = "",
    scale: Annotated[str, typer.Option(help="smoke (two minutes) or document (its own).")] = "smoke",
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where its files lie, there or below.")] = Path(),
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the folder with the report is made.")
    ] = Path("reports"),
    hours: Annotated[
        float,
        typer.Option(min=0.01, help="What the document's trainings may take; the report says what was left."),
    ] = 1.0,
) -> None:
    """Run a document's experiments again and report them beside what it says; the same command goes on."""
    if not recipe:
        _list()
        return
    chosen = load_recipe(find_recipe(recipe), _scale(scale))
    from bot.reproduction import reproduce as run

    page = run(chosen, data, output / f"{chosen.id}-{chosen.scale}", Terminal(), hours)
    print(page)


def _scale(name: str) -> Scale:
    for scale in SCALES:
        if name == scale:
            return scale
    msg = f"there is no scale {name!r} (have {', '.join(SCALES)})"
    raise BotError(msg)


def _list() -> None:
    for path in recipes():
        chosen = load_recipe(path, "smoke")
        print(f"{chosen.id:6} {chosen.title}")
    say("Run one with: bot reproduce ID --data DIR")


class Terminal:
    """What a person sees meanwhile, on stderr."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, stderr=True)

    def tell(self, line: str) -> None:
        self._console.print(line, markup=False)

    def training(self, trainer: "Trainer") -> AbstractContextManager[Callable[["Progress"], None]]:
        from bot.cli.training_screen import watched

        return watched(self._console, trainer)
