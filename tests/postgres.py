"""A PostgreSQL server of the tests' own, on a socket in a temporary folder; it listens on no port."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from bot.store import Database

WHERE = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # Debian's place
USER = "postgres" if os.geteuid() == 0 else None  # the server refuses root; Debian's package makes this user
ROOM = 4_000_000_000  # bytes that a file system in memory must have free
MISSING = "PostgreSQL is not installed: install the package postgresql"


@dataclass
class Server:
    """A running server; every test gets a database of its own, a copy of one with its tables made."""

    socket: Path
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._create("template")
        Database(self.url("template")).close()

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.socket}"

    def fresh(self) -> str:
        """The address of a new database with its tables and nothing in them."""
        name = f"bot{next(self.numbers)}"
        self._create(name, "template")
        return self.url(name)

    def empty(self) -> str:
        """The address of a new database without tables."""
        name = f"bot{next(self.numbers)}"
        self._create(name)
        return self.url(name)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """A fresh one that is dropped behind: a thousand would be gigabytes, and minutes to remove."""
        url = self.fresh()
        yield url
        self._do(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _create(self, name: str, template: str = "template1") -> None:
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")

    def _do(self, statement: str) -> None:
        """On a connection of its own: one that stays open would be shared with the forks of a test."""
        where = f"host={self.socket} user=postgres dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """A server that ends with the block; its data are not synced, since they end with it too."""
    data = folder / "data"
    if USER:
        shutil.chown(folder, USER)
    run("initdb", "-U", "postgres", "-D", str(data), "-A", "trust", "-N")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield Server(folder)
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def memory() -> str | None:
    """A folder in memory with room for a server: its databases are made three times as fast there."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > ROOM else None


def is_installed() -> bool:
    return bool(WHERE)


def run(program: str, *words: str) -> None:
    done = subprocess.run(
        [str(WHERE[-1] / program), *words], user=USER, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
