"""The commands gathered, and what they share. Nothing heavy is imported before a command runs."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import __version__

if TYPE_CHECKING:
    from bot.house import House

app = typer.Typer(
    name="bot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

HERE = Path("config.yaml")
ConfigPath = Annotated[Path, typer.Option("--config", envvar="BOT_CONFIG", help="The settings to work with.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
BotName = Annotated[str, typer.Argument(metavar="BOT", help="A bot of the configuration.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="A model of the configuration.")]
DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The folder that the corpus's paths begin at.")
]
Which = Annotated[
    str, typer.Option("--checkpoint", metavar="NAME", help="best, latest or a checkpoint's name.")
]
MOST = 2**63 - 1  # what a database takes for a number
Id = Annotated[int, typer.Argument(metavar="ID", max=MOST, help="The draft.")]
Ids = Annotated[
    list[int], typer.Argument(metavar="ID...", max=MOST, help="Drafts by their number in `bot queue`.")
]


@app.callback(invoke_without_command=True)
def settings(
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings to work with, for any command.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False,
) -> None:
    """Invents texts with small recurrent networks, lets you choose, and posts on schedule, exactly once."""
    if version:
        print(f"wormhorn {__version__}")
        raise typer.Exit
    if config is not None:
        os.environ["BOT_CONFIG"] = str(config)  # the default of every command's own --config


@contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """What Ctrl-C and SIGTERM set, within the block, instead of ending the process."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def open_house(config: Path, data: Path | None = None) -> "House":
    """The rooms of a configuration file. Raises ConfigError."""
    from bot.config import load
    from bot.house import House

    return House(load(config), data=data)


def say(line: str) -> None:
    """A line for the person, on stderr: stdout is for data."""
    print(line, file=sys.stderr)


@contextmanager
def stdout_kept_for_data() -> Iterator[None]:
    """What child processes print meanwhile goes to stderr."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def print_json(records: Any) -> None:
    print(json.dumps(_plain(records), indent=2, ensure_ascii=False, default=str))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


for group in (
    "setup",
    "models",
    "reproduce",
    "compare",
    "corpus",
    "sampling",
    "drafts",
    "export",
    "taste",
    "running",
    "stopping",
    "web",
    "storage",
):  # each adds its commands, in the order of `bot --help`
    import_module(f"bot.cli.{group}")
