"""run, post, status, postmortem, calendar: what works on the schedule."""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from bot.cli.app import (
    HERE,
    AsJson,
    BotName,
    ConfigPath,
    app,
    asked_to_end,
    open_house,
    print_json,
    say,
    stdout_kept_for_data,
)
from bot.errors import BotError, Stalled

if TYPE_CHECKING:
    from bot.house import House
    from bot.records import Delivery


def stdout_for_lines() -> TextIO:
    """Where the log's lines go; what targets and plugins print from here on goes to stderr."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(2, 1)
    return kept


class LogForm(StrEnum):
    TEXT = "text"
    JSON = "json"


@app.command()
def run(
    demo: Annotated[
        bool,
        typer.Option("--demo", help="The shipped model in seconds instead of days; posts to ./demo only."),
    ] = False,
    log: Annotated[
        LogForm, typer.Option("--log", help="What goes to stdout: text for people, or a JSON object a line.")
    ] = LogForm.TEXT,
    config: ConfigPath = HERE,
) -> None:
    """Keep the queues filled and post what is due, until Ctrl-C."""
    from bot.cli.journal import write_down
    from bot.cli.show import DemoScreen, QuietScreen, Screen
    from bot.logs import close_logs, open_logs, write_crash
    from bot.page import serve_beside
    from bot.pipeline import run as run_bots
    from bot.pulse import tell_all

    house = open_demo() if demo else open_house(config)
    if not house.config.bots:
        msg = f"{house.config.file}: there is no bot to run; give it one under `bots:`"
        raise BotError(msg)
    as_json, folder = log is LogForm.JSON, house.config.run_folder
    screen = QuietScreen() if as_json else DemoScreen(house) if demo else Screen()
    screen.open(house)
    open_logs(folder, stdout_for_lines() if as_json else sys.stderr, as_json)
    try:
        with asked_to_end() as stop, serve_beside(house, say):
            run_bots(house, tell_all(screen.show, write_down), stop)
    except Exception as error:
        write_crash(folder, error)
        if isinstance(error, Stalled):
            say(f"bot: {error}")
            os._exit(1)  # a thread that hangs would keep the process alive
        raise
    finally:
        close_logs()
    screen.close(house)


def open_demo() -> "House":
    """The shipped demo, at work in ./demo."""
    from bot.config import load, shipped
    from bot.house import House

    Path("demo").mkdir(exist_ok=True)
    return House(load(shipped() / "recipes" / "demo.yaml", folder=Path.cwd()))


@app.command()
def post(
    bot: BotName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be posted where.")] = False,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Post the oldest approved draft now; slots are `bot run`'s affair."""
    from bot import pipeline
    from bot.cli.show import Screen

    house = open_house(config)
    house.bot(bot)
    approved = house.deliveries.next_approved(bot)
    if approved is None:
        msg = f"bot {bot}: no draft is approved; decide with: bot review {bot}"
        raise BotError(msg)
    if dry_run:
        _say_what_would_go(house.deliveries.list(state="planned", draft=approved.id), as_json)
        return
    with stdout_kept_for_data() if as_json else nullcontext():
        posted = pipeline.post_now(house, bot, (lambda event: None) if as_json else Screen().show)
    if as_json and posted:
        print_json(house.deliveries.list(draft=posted.id))
    if posted and posted.status != "posted":
        why = pipeline.held_back(house, bot)
        msg = f"draft {posted.id} is {posted.status}" + (f" and waits: {why}" if why else "")
        raise BotError(msg)


def _say_what_would_go(deliveries: Sequence["Delivery"], as_json: bool) -> None:
    if as_json:
        print_json(deliveries)
    else:
        for delivery in deliveries:
            print(f"{delivery.target}: {delivery.text}")
    say("Nothing was posted.")


@app.command()
def status(as_json: AsJson = False, config: ConfigPath = HERE) -> None:
    """How the bots stand: queue, last post, next slot, and what fails; exit code 1 if anything does."""
    from bot.cli.show import Screen
    from bot.health import Examiner
    from bot.status import standing

    house = open_house(config)
    health = Examiner(house).examine()
    bots = [standing(house, name) for name in house.config.bots] if health.readable else []
    if as_json:
        print_json({"ok": health.ok, "at": health.at, "checks": health.checks, "bots": bots})
    else:
        if health.readable:
            Screen().status(bots)
        Screen().checks(health.checks)
    if not health.ok:
        raise typer.Exit(1)


@app.command()
def postmortem(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zip to write.")] = Path("postmortem.zip"),
    texts: Annotated[bool, typer.Option("--texts", help="Leave in what the bots have written.")] = False,
    config: ConfigPath = HERE,
) -> None:
    """Gather in one zip what somebody needs who asks what went wrong; it holds no secret."""
    from bot.postmortem import gather

    gather(open_house(config), file, texts)
    print(f"{file} holds state, log, last crash, deliveries, versions, settings. Look before you send it.")


@app.command()
def calendar(
    bot: BotName,
    days: Annotated[int, typer.Option(min=1, max=3660, help="How far to look.")] = 30,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Show the coming slots, the draft that each will get, and when the queue runs dry."""
    from bot.outlook import outlook

    coming = outlook(open_house(config), bot, days)
    if as_json:
        print_json(coming)
        return
    from bot.cli.calendar import calendar as drawn
    from bot.cli.show import Screen

    Screen().console.print(drawn(coming))
