"""backup, restore: copies of the database, and the way back from one."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.app import HERE, ConfigPath, app, open_house, say


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The copy [default: with the time, beside it].")
    ] = None,
    config: ConfigPath = HERE,
) -> None:
    """Copy the database, whoever uses it meanwhile, and look at the copy before it counts.

    A copy of that name is replaced by a sound one only. No secret is in it: put it on another disk.
    """
    from bot.store.backup import back_up

    house = open_house(config)
    if told := house.lineage.examine():
        say(told)
    house.database.close()
    copy = back_up(house.config.database_url, file, house.clock())
    print(f"{copy.file}: sound, schema {copy.schema}, {copy.rows['drafts']} drafts, {copy.total} rows in all")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `bot backup` made.")],
    config: ConfigPath = HERE,
) -> None:
    """Put a copy in the database's place; the replaced one is kept beside it.

    End `bot run` first. What may have been posted since the copy was made is not posted again.
    """
    from bot.store.backup import restore as put_back

    house = open_house(config)
    done = put_back(house.config.database_url, file, house.clock(), house.config.folder)
    print(f"{done.copy.file} is {file} now: {done.copy.rows['drafts']} drafts, {done.copy.total} rows in all")
    if done.kept is not None:
        print(f"What it replaced is kept as {done.kept}")
    say(f"{done.told or 'Nothing was posted that it does not know'}.")
