"""Copies of a PostgreSQL database, by its own programs: pg_dump and pg_restore.

They are found on the path and must be as new as the server. A password goes to them by their environment,
never on a command line, where everybody on the machine could read it.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from bot.errors import StoreError
from bot.store.copies import Copy, Restored
from bot.store.database import Database
from bot.store.lineage import Lineage
from bot.store.mark import sync_folder

LONGEST = 300  # characters of what a program complains about


def back_up(address: URL, file: Path) -> Copy:
    """Dump a database, in use or not, and read the dump through. Raises StoreError."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with _complete(file, fresh):
            _run(address, "pg_dump", "--format=custom", "--no-owner", f"--file={fresh}")
            copy = look_at(fresh)
    finally:
        fresh.unlink(missing_ok=True)
    return Copy(file, copy.schema, copy.rows)


def look_at(file: Path) -> Copy:
    """Read all of a dump. Raises StoreError if it is none of this program's database."""
    if not file.is_file():
        raise StoreError(f"{file}: there is no such file")
    schema, rows = "", Counter[str]()
    table = ""
    for line in _data(file):
        if line.startswith("COPY public."):
            table = line.split()[1].removeprefix("public.")
            rows[table] += 0
        elif line.startswith("\\."):
            table = ""
        elif table == "alembic_version":
            schema = line.strip()
        elif table:
            rows[table] += 1
    if not schema:
        raise StoreError(f"{file}: it is no dump of this program's database")
    return Copy(file, schema, dict(rows))


def restore(address: URL, file: Path, now: datetime, folder: Path) -> Restored:
    """Replace what the database holds by a dump, in one transaction; before it, what it holds is dumped.

    Nobody else may use the database. Raises StoreError, and nothing has changed then.
    """
    look_at(file)
    kept = folder / f"{address.database}.replaced-{now:%Y%m%d-%H%M%S}.dump"
    _run(address, "pg_dump", "--format=custom", "--no-owner", f"--file={kept}")
    words = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
    _run(address, "pg_restore", *words, f"--dbname={address.database}", str(file))
    with Database(address.render_as_string(hide_password=False)) as database:
        lineage = Lineage(database, folder)
        lineage.examine()
        told = lineage.doubt()  # what other machines have posted, only their marks know
        copy = look_at(file)
        return Restored(Copy(Path(database.name), copy.schema, copy.rows), kept, told)


def _data(file: Path) -> Iterator[str]:
    """The rows of a dump as text, line by line."""
    command = [_program("pg_restore"), "--data-only", "--file=-", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        yield from process.stdout
        said = process.stderr.read()
    if process.returncode:
        raise StoreError(f"{file}: it cannot be read: {_line(said)}")


def _run(address: URL, program: str, *words: str) -> None:
    """Let one of PostgreSQL's programs work on the database."""
    given = {
        "PGHOST": address.host or address.query.get("host"),
        "PGPORT": address.port or address.query.get("port"),
        "PGUSER": address.username,
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
        "PGSSLMODE": address.query.get("sslmode"),
    }
    environment = os.environ | {name: str(value) for name, value in given.items() if value}
    done = subprocess.run(
        [_program(program), *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StoreError(f"{address.render_as_string()}: {program} failed: {_line(done.stderr)}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise StoreError(
            f"{name} is not on the path: install PostgreSQL's client (package postgresql-client)"
        )
    return found


def _line(said: str) -> str:
    return " ".join(said.split())[:LONGEST]


@contextmanager
def _complete(file: Path, fresh: Path) -> Iterator[None]:
    """Give what is whole and on the disk its name."""
    try:
        yield
        with fresh.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(fresh, file)
        sync_folder(file.parent)
    except OSError as error:
        raise StoreError(f"{file}: it cannot be written: {error.strerror}") from error
