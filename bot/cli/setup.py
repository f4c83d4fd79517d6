"""init, doctor, plugins, schema: what sets a bot up and says what is wrong with it."""

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import HERE, AsJson, ConfigPath, app, open_house, print_json, say
from bot.errors import BotError


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new bot's folder.")]) -> None:
    """Make a new bot's folder, ready to run.

    It holds config.yaml with every setting explained, plugins/ and checkpoints/.
    """
    from bot.config import shipped

    config = folder / "config.yaml"
    if config.exists():
        msg = f"{config} is there already; choose another folder"
        raise BotError(msg)
    for name in ("plugins", "checkpoints"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped() / "config.yaml", config)
    print(f"{config} is a bot that works at once with the shipped model. Next:")
    print(f"  cd {folder}")
    print("  bot fill metal      sample, filter, queue")
    print("  bot review metal    decide")
    print("  bot run             post on schedule (to files in this folder, until you give it other targets)")


@app.command()
def doctor(as_json: AsJson = False, config: ConfigPath = HERE) -> None:
    """Say what is wrong and how to mend it.

    It looks at configuration, database, checkpoints, filters and targets, and changes nothing.
    """
    from bot.doctor import examine

    findings = examine(config)
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            print(f"{'ok ' if finding.ok else 'BAD'}  {finding.what}: {finding.text}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def plugins(as_json: AsJson = False, config: ConfigPath = HERE) -> None:
    """What was loaded, from where, and what failed and why."""
    from bot.cli.show import Screen
    from bot.registry import Registry

    registry = open_house(config).registry if config.exists() else Registry(None, Path.cwd())
    reports = registry.reports()
    if as_json:
        print_json(reports)
    else:
        Screen().plugins(reports)


@app.command()
def schema(
    output: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Write here, not to stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of config.yaml, for editors.

    With it they check and complete as you type.
    """
    from bot.config import schema as make_schema

    text = json.dumps(make_schema(), indent=2) + "\n"
    if output is None:
        print(text, end="")
        return
    output.write_text(text, encoding="utf-8")
    say(f"{output}: for config.yaml beside it, put this on its first line:")
    say(f"# yaml-language-server: $schema={output.name}")
