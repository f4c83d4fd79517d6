"""Copies of the database that can be trusted, and the way back from one.

It knows which kind of database it is; bot.store.backup_sqlite and bot.store.backup_postgres do the work.
"""

from datetime import datetime
from pathlib import Path

from bot.store import backup_postgres, backup_sqlite
from bot.store.copies import Copy, Restored
from bot.store.database import file_of, read_address

__all__ = ["Copy", "Restored", "back_up", "restore"]


def back_up(url: str, file: Path | None, now: datetime) -> Copy:
    """Copy the database to `file`, with the time in its name if None. Raises StoreError."""
    address = read_address(url)
    place = file_of(address)
    if place is None:
        return backup_postgres.back_up(address, file or Path(f"{address.database}-{now:%Y%m%d-%H%M%S}.dump"))
    return backup_sqlite.back_up(place, file or place.with_stem(f"{place.stem}-{now:%Y%m%d-%H%M%S}"))


def restore(url: str, file: Path, now: datetime, folder: Path) -> Restored:
    """Put a copy in the database's place. folder: where the mark is of a database that is no file.

    Raises StoreError, and nothing has changed then.
    """
    address = read_address(url)
    place = file_of(address)
    if place is None:
        return backup_postgres.restore(address, file, now, folder)
    return backup_sqlite.restore(file, place, now)
