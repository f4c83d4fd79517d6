"""web: the review page."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import HERE, ConfigPath, app, asked_to_end, open_house, say
from bot.errors import BotError


@app.command()
def web(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of web.port; 0: any free one.")
    ] = None,
    set_password: Annotated[
        bool, typer.Option("--set-password", help="Ask for a password and store its hash; nothing is served.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose password, with --set-password [default: you].")
    ] = None,
    config: ConfigPath = HERE,
) -> None:
    """Serve the review page alone, until Ctrl-C; `bot run` can serve it beside its work."""
    if set_password:
        _set_password(config, name or getpass.getuser())
        return
    from bot.page import serve

    with asked_to_end() as stop, serve(open_house(config), port) as link:
        say("The review page; a link lets in whoever opens it first, within a day. Ctrl-C ends it.")
        print(link, flush=True)
        stop.wait()


def _set_password(config: Path, name: str) -> None:
    from bot.page import passwords_of

    house = open_house(config)
    password = _asked()
    passwords_of(house).set(name, password)
    say(f"{name} can log in with it; its hash stands in {house.config.folder / house.config.web.passwords}")


def _asked() -> str:
    """Typed twice in a terminal, or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        msg = "the two differ; nothing was changed"
        raise BotError(msg)
    return password
