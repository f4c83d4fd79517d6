"""train, import, figures: what works on a model."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import (
    HERE,
    AsJson,
    ConfigPath,
    DataFolder,
    ModelName,
    Which,
    app,
    open_house,
    print_json,
    say,
)


@app.command()
def train(
    model: ModelName,
    data: DataFolder = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew instead of going on with the run there is.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Make 50 steps, keep nothing, and say where the time goes.")
    ] = False,
    config: ConfigPath = HERE,
) -> None:
    """Train a model; Ctrl-C stops it, the same command goes on."""
    house = open_house(config, data)
    from bot.cli.training_screen import profile_on_screen, train_on_screen

    if profile:
        profile_on_screen(house, model)
    else:
        train_on_screen(house, model, fresh)


@app.command("sweep")
def sweep_settings(
    model: ModelName,
    settings: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="SETTING=VALUES", help="As training.learning_rate=0.001,0.005; again for more."
        ),
    ],
    data: DataFolder = None,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Train a model in all combinations of some settings; Ctrl-C stops it, the same command goes on."""
    from bot.config.grid import choices, grid

    house = open_house(config, data)
    models = grid(model, house.model(model), choices(settings))
    from bot.cli.sweep_screen import sweep_on_screen

    points = sweep_on_screen(house, models, quiet=as_json)
    if as_json:
        print_json(points)


@app.command("import")
def bring_in(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What torch.save wrote of nn.RNN, nn.GRU or nn.LSTM.")
    ],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="What it shall be called here.")],
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Its tokens by id: a JSON list or mapping, one a line, or a text of just these characters.",
        ),
    ] = None,
    end: Annotated[str, typer.Option(help=r"The token that ends a text, as '\n'.")] = "",
    start: Annotated[str, typer.Option(help="The token that stands before a text [default: --end]")] = "",
    relu: Annotated[bool, typer.Option("--relu", help="Its nn.RNN has nonlinearity='relu'.")] = False,
    config: ConfigPath = HERE,
) -> None:
    """Bring a checkpoint of another program in; nothing in the file is run.

    The corpus of models.MODEL in the configuration, if there is one, is what copies are told by.
    """
    house = open_house(config)
    from bot.importing import bring_in as read_and_publish
    from bot.model.foreign.adopting import Marks

    marks = Marks(_unescaped(start), _unescaped(end))
    imported = read_and_publish(house, file, model, vocabulary, marks, "relu" if relu else "tanh")
    meta = imported.meta
    print(imported.folder)
    say(
        f"{meta.num_layers} x {meta.cell.name} of {meta.hidden_size} units, {meta.vocabulary_size - 3} tokens"
    )
    if not end:
        say("It knows no end: its texts are cut at max_length. Name the token that ends one with --end")
    if imported.unread:
        say(f"Copies of what it has read cannot be told: {imported.unread}. Mend that, then import it again")
    elif not imported.known_items:
        say(f"Copies of what it has read cannot be told: set models.{model}.corpus, then import it again")
    if imported.before:
        say(f"{model}'s best was {imported.before}; it is still there, for a bot's `checkpoint:` to name")
    say(f"Next: bot sample {model}")


def _unescaped(token: str) -> str:
    return token.replace(r"\n", "\n").replace(r"\t", "\t")


@app.command()
def figures(
    model: ModelName,
    which: Which = "best",
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to [default: figures/MODEL/NAME]")
    ] = None,
    text: Annotated[str, typer.Option(help="What its gates are shown reading [default: its own words]")] = "",
    config: ConfigPath = HERE,
) -> None:
    """Draw a checkpoint's losses, how far back it learns, and what its gates do while it reads."""
    from bot.figures import Figures, write

    drawn = Figures(open_house(config), model, which, text)
    folder = output or Path("figures") / model / drawn.folder.name
    for drawing in drawn.draw():
        print(write(drawing, folder))
        say(f"  {drawing.title}")
