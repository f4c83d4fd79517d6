"""Opens bot.db, brings its tables up to date, and gives transactions.

One writer at a time on either database, so what a transaction has checked still holds when it writes.
It knows no table but the one that says how old the database is.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, inspect, make_url, text

from bot import __version__
from bot.errors import StoreError, Unavailable
from bot.uptime import Machine, following, this_machine

SCHEMA = "0013"  # the newest file in migrations/versions
BUSY_SECONDS = 10
WAL_TURNS = 10
PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")
WRITERS_LOCK = 0x776F726D  # any number, the same in every process

DAMAGED = "it is damaged: put a backup in its place with `bot restore FILE`"
REMEDIES = {
    "SQLITE_CANTOPEN": "it cannot be opened: the folder must exist and be writable",
    "SQLITE_READONLY": "it cannot be written: make the file and its folder writable",
    "SQLITE_NOTADB": "it is not a database: name another file in `database:` or move this one away",
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_BUSY": f"another process has kept it locked for {BUSY_SECONDS} s: let it finish or end it",
    "SQLITE_FULL": "the disk is full: make room and go on",
    "SQLITE_IOERR": "the disk failed to read or write: look at its health and free space",
}


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """An open database with today's tables. Each transaction has one moment: its execution option `now`.

    url: as SQLAlchemy reads it, for instance sqlite:////absolute/path/bot.db.
    clock: the present, an aware datetime. machine: where this process runs; beside a clock that was handed
    in, one whose uptime goes by it. Raises StoreError if it cannot be opened or upgraded.
    """

    def __init__(self, url: str, clock: Callable[[], datetime] = utc_now, machine: Machine | None = None):
        self.now = clock
        self.machine = machine or (this_machine() if clock is utc_now else following(clock))
        address = read_address(url)
        self.name = address.render_as_string(hide_password=True)
        self._identity: tuple[int, int] | None = None
        self._damaged = False
        self.file = file_of(address)  # of SQLite
        if self.file is not None:
            self.name = str(self.file)
        with _one_line(self.name):
            self._engine = _open(address)
        self._upgrade()
        self._identity = _identity(self.name)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed, and on the disk, when the block ends.

        Raises StoreError too when the file is another than was opened: what is written to a file that was
        removed or replaced, nobody will remember, and it would be posted again.
        """
        if self._identity and self._identity != _identity(self.name):
            msg = f"{self.name}: the file was removed or replaced while it was open; start again"
            raise Unavailable(msg)
        engine = self._engine.execution_options(writes=True, now=self.now())
        with _one_line(self.name), engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view that waits for no writer."""
        engine = self._engine.execution_options(now=self.now())
        with _one_line(self.name), engine.begin() as connection:
            yield connection

    def check(self) -> None:
        """Read all of a SQLite file and see whether it is sound. Raises StoreError; once it did, always.

        PostgreSQL looks after its own.
        """
        if self.file is not None and not self._damaged:
            with self.read() as connection:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            self._damaged = found != "ok"
        if self._damaged:
            msg = f"{self.name}: {DAMAGED}"
            raise Unavailable(msg)

    def weakness(self) -> str:
        """What this SQLite is known to do wrong, and what keeps from harm; "" if nothing."""
        if self.file is None or sqlite3.sqlite_version_info >= (3, 51, 3):
            return ""
        return (
            f"SQLite {sqlite3.sqlite_version} is older than 3.51.3: where several processes write, one that "
            "clears the log at the wrong moment can lose pages. One `bot run`, and a command now and "
            "then, are most unlikely to meet that; for several at a time take PostgreSQL or a newer SQLite"
        )

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _upgrade(self) -> None:
        with self.read() as connection:
            if _schema(connection, self.name) == SCHEMA:
                return
        with self.write() as connection:  # whoever waited for the lock may find it done
            if (found := _schema(connection, self.name)) != SCHEMA:
                _migrate(connection, found, self.name)


def read_address(url: str) -> URL:
    """Raises StoreError."""
    try:
        return make_url(url)
    except exc.ArgumentError as error:  # its text is not repeated: a password may be in it
        raise StoreError("database: no address; write sqlite:///bot.db for the file bot.db") from error


def file_of(address: URL) -> Path | None:
    """Where a SQLite database is kept; None of one in memory, and of any other kind."""
    kept = address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:")
    return Path(str(address.database)) if kept else None


def _identity(name: str) -> tuple[int, int] | None:
    """Which file this is; None if there is none by that name."""
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(address: URL) -> Engine:
    if address.get_backend_name() != "sqlite":
        engine = create_engine(address)
        event.listen(engine, "begin", _lock_out_writers)
        return engine
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS, "isolation_level": None})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    _set_wal(connection)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _set_wal(connection: sqlite3.Connection) -> None:
    """Several processes that turn WAL on in a new file fail at once instead of waiting; this one queues."""
    for turns_left in reversed(range(WAL_TURNS)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or not turns_left:
                raise
            connection.execute("BEGIN IMMEDIATE")  # waits until the others have done
            connection.execute("COMMIT")


def _begin(connection: Connection) -> None:
    """SQLite: a writer takes its lock at once; to take it half-way fails under load instead of waiting."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _lock_out_writers(connection: Connection) -> None:
    """PostgreSQL: the same rule, one writer at a time, by a lock that the transaction's end releases."""
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")


def _schema(connection: Connection, name: str) -> str | None:
    """Which step of the migrations the tables stand at; None in an empty database."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        theirs = ", ".join(sorted(tables)[:3])
        msg = f"{name}: it holds another program's tables ({theirs}): name another database"
        raise StoreError(msg)
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: Connection, found: str | None, name: str) -> None:
    from alembic import command  # slow to load, and needed once in a database's life
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    steps = Config(attributes={"connection": connection})
    steps.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        if found is not None:
            ScriptDirectory.from_config(steps).get_revision(found)
    except CommandError as error:
        msg = (
            f"{name}: it was made by a newer version of the program (schema {found}; "
            f"{__version__} knows {SCHEMA}): update the program or name another database"
        )
        raise StoreError(msg) from error
    command.upgrade(steps, SCHEMA)


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """What a database has to say, in one line that names it and says what would be right."""
    try:
        yield
    except exc.IntegrityError:
        raise  # a rule of the tables was broken: a bug
    except ModuleNotFoundError as error:
        msg = f"{name}: the package {error.name} is missing: pip install {error.name}"
        raise StoreError(msg) from error
    except (exc.DBAPIError, exc.ArgumentError, exc.NoSuchModuleError) as error:
        cause = getattr(error, "orig", None) or error
        code = getattr(cause, "sqlite_errorname", "")
        remedy = next((REMEDIES[key] for key in REMEDIES if code.startswith(key)), None)
        msg = f"{name}: {remedy or ' '.join(str(cause).split())}"
        raise Unavailable(msg) from error
