"""stop, resume: the stop switch."""

import getpass
from typing import Annotated

import typer

from bot.cli.app import HERE, ConfigPath, app, open_house

SomeBot = Annotated[str | None, typer.Argument(metavar="[BOT]", help="A bot of the configuration; else all.")]


@app.command()
def stop(
    bot: SomeBot = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks.")] = "",
    config: ConfigPath = HERE,
) -> None:
    """Post nothing more, of one bot or all, until `bot resume`.

    A file STOP beside config.yaml does the same.
    """
    house = open_house(config)
    if bot is not None:
        house.bot(bot)
    house.switches.stop(bot, getpass.getuser(), reason)
    print(f"Stopped: {bot or 'all bots'}. Nothing is lost; go on with: bot resume{f' {bot}' if bot else ''}")


@app.command()
def resume(bot: SomeBot = None, config: ConfigPath = HERE) -> None:
    """Post again: lift the stop of a bot, or of all, and what lets their accounts rest."""
    from bot.store.holding import told

    house = open_house(config)
    accounts = () if bot is None else house.accounts(bot)
    lifted = house.switches.resume(bot, accounts, getpass.getuser())
    for halt in lifted:
        print(f"Lifted: {told(halt)}")
    if not lifted:
        print(f"{bot or 'No bot'} was {'not ' if bot else ''}stopped.")
