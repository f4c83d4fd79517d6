"""The command `bot`: one file a group of commands. What is wrong prints as one line; the exit code is 1."""

import sys

from bot.errors import BotError


def main() -> None:
    """The console script's entry point."""
    from bot.cli.app import app

    try:
        app()
    except BotError as error:
        sys.exit(f"bot: {error}")
