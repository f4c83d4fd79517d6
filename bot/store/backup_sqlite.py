"""Copies of a SQLite database, and the way back from one; bot.store.backup is the door.

A copy is made by the database itself (VACUUM INTO), which gives one moment of it whoever writes meanwhile;
the file alone, copied by cp, lacks what stands in its log. It is looked at before it gets its name.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from bot.errors import StoreError
from bot.store.copies import Copy, Restored
from bot.store.database import REMEDIES, Database
from bot.store.lineage import Lineage
from bot.store.mark import sync_folder
from bot.store.tables import metadata

LOGS = ("-wal", "-shm")  # what SQLite keeps beside a database that is in use


def back_up(database: Path, file: Path) -> Copy:
    """Copy a database, in use or not, to `file`; a copy that is there is replaced by a sound one only.

    Raises StoreError.
    """
    if file.exists():
        if file.samefile(database):
            raise StoreError(f"{file} is the database itself: name another file")
        look_at(file)  # nothing but a copy of such a database is written over
    with _new(file) as fresh:
        before = _copy(database, fresh)
        copy = look_at(fresh)
        if short := [name for name, count in before.items() if copy.rows[name] < count]:
            raise StoreError(f"{file}: the copy lacks rows of {', '.join(short)}: look at the disk's health")
        os.replace(fresh, file)
        sync_folder(file.parent)
    return Copy(file, copy.schema, copy.rows)


def look_at(file: Path) -> Copy:
    """Read all of a copy. Raises StoreError if it is not a sound database of a schema known here."""
    with _open(file) as connection:
        if (found := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise StoreError(f"{file}: it is damaged ({' '.join(found.split())}): take another copy")
        if broken := connection.execute("PRAGMA foreign_key_check").fetchone():
            raise StoreError(
                f"{file}: a row of {broken[0]} belongs to none of {broken[2]}: take another copy"
            )
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "alembic_version" not in tables:
            raise StoreError(f"{file}: it is no database of this program")
        [schema] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return Copy(file, schema, _counts(connection, tables))


def restore(file: Path, place: Path, now: datetime) -> Restored:
    """Put a copy in the place of the database, which is kept beside it.

    No other process may have the database open. Raises StoreError, and nothing has changed then.
    """
    look_at(file)
    if place.exists() and file.samefile(place):
        raise StoreError(f"{file} is the database itself: name a copy of it, made by `bot backup`")
    with _new(place) as fresh:
        _copy(file, fresh)
        told = _begin_anew(file, fresh, place)
        _close_log(fresh)
        copy = look_at(fresh)
        _close_log(place)
        kept = _put_aside(place, now)
        os.replace(fresh, place)
        sync_folder(place.parent)
    return Restored(Copy(place, copy.schema, copy.rows), kept, told)


def _begin_anew(file: Path, fresh: Path, place: Path) -> str:
    """Bring a copy up to date and let it know what it has forgotten, before anybody can open it."""
    try:
        with Database(f"sqlite:///{fresh}") as database:
            _close_log(place)  # and once more at the end: before anything else is done it is refused
            return _met_with_mark(Lineage(database, place.parent, beside=place))
    except StoreError as error:
        raise StoreError(str(error).replace(str(fresh), str(file))) from error


def _met_with_mark(lineage: Lineage) -> str:
    if not lineage.mark.exists():
        return lineage.doubt()
    if not (told := lineage.examine()):
        lineage.raise_epoch()
    return told


def _copy(source: Path, fresh: Path) -> dict[str, int]:
    """Copy to a new file; the rows that were there before."""
    with _open(source) as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        before = _counts(connection, tables)
        connection.execute("VACUUM INTO ?", (str(fresh),))
    shutil.copymode(source, fresh)
    with fresh.open("rb+") as written:
        os.fsync(written.fileno())
    return before


def _counts(connection: sqlite3.Connection, tables: set[str]) -> dict[str, int]:
    ours = sorted(tables & metadata.tables.keys())
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ours}


def _close_log(place: Path) -> None:
    """Bring a database's log home into its file; refused while another process has it open.

    A damaged one is left as it is: its log may hold what can be rescued.
    """
    if not place.exists() or not _is_sound(place):
        return
    try:
        with closing(sqlite3.connect(place, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        msg = f"{place}: another process has it open: end `bot run` and whatever else uses it, then restore"
        raise StoreError(msg) from error


def _is_sound(place: Path) -> bool:
    try:
        with _open(place) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except StoreError:
        return False


def _put_aside(place: Path, now: datetime) -> Path | None:
    """Give the database a second name, log and all; its first one is never free, not even for a moment."""
    if not place.exists():
        return None
    kept = place.with_name(f"{place.name}.replaced-{now:%Y%m%d-%H%M%S}")
    kept.unlink(missing_ok=True)
    os.link(place, kept)
    for log in LOGS:
        with suppress(FileNotFoundError):
            place.with_name(place.name + log).rename(kept.with_name(kept.name + log))
    sync_folder(place.parent)
    return kept


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A name beside `file` for what is not whole yet; it is gone afterwards."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        _remove(fresh)
        yield fresh
    except OSError as error:
        raise StoreError(f"{file}: it cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            _remove(fresh)


def _remove(fresh: Path) -> None:
    for name in ("", *LOGS):
        fresh.with_name(fresh.name + name).unlink(missing_ok=True)


@contextmanager
def _open(file: Path) -> Iterator[sqlite3.Connection]:
    """To read only; what SQLite has to say becomes one line."""
    if not file.is_file():
        raise StoreError(f"{file}: there is no such file")
    try:
        address = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=10)) as connection:
            yield connection
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "")
        said = next((REMEDIES[key] for key in REMEDIES if code.startswith(key)), str(error))
        raise StoreError(f"{file}: {said}") from error
