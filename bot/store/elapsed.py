"""The database's own time, which no clock that is set can move. Limits are counted in it.

It goes on with the uptime of the machine that works on the database, between two moments that this machine
has written down one after the other: so it is never faster than true time, whoever else works there. What
passed between two boots of one machine is taken from its clock on the wall, for want of another.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from bot.store.database import Database
from bot.store.tables import clocks

OFTEN = timedelta(minutes=10)  # how often it is written down at least


@dataclass(frozen=True, slots=True)
class Mark:
    """What a machine's clocks showed at one moment, and the database's own time then."""

    host: str
    boot: str
    uptime: float
    wall: datetime
    reading: datetime


def mark(database: Database) -> Mark:
    """This moment; its reading is not known yet."""
    here, now = database.machine, database.now()
    return Mark(here.host, here.boot, here.uptime(), now, now)


def reckon(last: Mark | None, here: Mark) -> datetime:
    """The database's own time at `here`, by what was last written down."""
    if last is None:
        return here.wall
    if last.host != here.host:
        return last.reading  # how long ago that was, nobody can say
    same = last.boot == here.boot
    passed = timedelta(seconds=here.uptime - last.uptime) if same else here.wall - last.wall
    return last.reading + max(passed, timedelta())


def last_reading(database: Database) -> tuple[datetime, float] | None:
    """What this machine's clocks showed, wall and uptime, if it has last written them down since its boot."""
    here = database.machine
    with database.read() as connection:
        last = _last(connection)
    return (last.wall, last.uptime) if last and (last.host, last.boot) == (here.host, here.boot) else None


def read_time(connection: Connection, database: Database) -> datetime:
    """The database's own time."""
    return reckon(_last(connection), mark(database))


def keep_time(connection: Connection, database: Database, always: bool = False) -> datetime:
    """The same, written down if another machine did so last, if it was not for a while, or `always`."""
    last, here = _last(connection), mark(database)
    now = reckon(last, here)
    mine = last is not None and (last.host, last.boot) == (here.host, here.boot)
    if always or last is None or not mine or now - last.reading >= OFTEN:
        connection.execute(delete(clocks))
        values = {"host": here.host, "boot": here.boot, "uptime": here.uptime, "wall": here.wall}
        connection.execute(insert(clocks).values(values | {"reading": now}))
    return now


def _last(connection: Connection) -> Mark | None:
    row = connection.execute(select(clocks).order_by(clocks.c.reading.desc()).limit(1)).one_or_none()
    return None if row is None else Mark(**row._mapping)
