"""The command `bot`: one file a group of commands. What is wrong prints as one line; the exit code is 1."""

import io
import sys

from bot.errors import BotError
from bot.records import Secret


def main() -> None:
    """The console script's entry point."""
    from bot.cli.app import app
    from bot.logs import guard, redacted_traceback

    guard()
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a letter is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except BotError as error:
        sys.exit(Secret.redact(f"bot: {error}"))
    except Exception as error:
        from bot.registry.plugins import blame

        if line := blame(error):  # a plugin of the user's own: its line says more than our traceback
            sys.exit(Secret.redact(f"bot: {line}"))
        sys.exit(redacted_traceback(error).rstrip())  # the hook for it is typer's here, which knows no secret
