"""The database's own time, which no clock that is set can move. Limits and leases are counted in it.

It goes on with the uptime of the machines that work on the database: never faster than true time. It stands
still while a machine that is new here is the only one; what passed between two boots of one machine is taken
from its clock on the wall, for want of another.
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


def reckon(marks: list[Mark], here: Mark) -> datetime:
    """The database's own time at `here`, by all that was written down before."""
    newest = max((it.reading for it in marks), default=here.wall)
    mine = next((it for it in marks if it.host == here.host), None)
    if mine is None:
        return newest
    same = mine.boot == here.boot
    passed = timedelta(seconds=here.uptime - mine.uptime) if same else here.wall - mine.wall
    return max(newest, mine.reading + max(passed, timedelta()))


def last_reading(database: Database) -> tuple[datetime, float] | None:
    """What this machine's clocks showed, wall and uptime, when they were last written down since its boot."""
    here = database.machine
    with database.read() as connection:
        mine = [it for it in _marks(connection) if (it.host, it.boot) == (here.host, here.boot)]
    return (mine[0].wall, mine[0].uptime) if mine else None


def read_time(connection: Connection, database: Database) -> datetime:
    """The database's own time."""
    return reckon(_marks(connection), mark(database))


def keep_time(connection: Connection, database: Database, always: bool = False) -> datetime:
    """The same, written down if it was not for a while, or `always`."""
    marks, here = _marks(connection), mark(database)
    now = reckon(marks, here)
    mine = next((it for it in marks if (it.host, it.boot) == (here.host, here.boot)), None)
    if always or mine is None or now - mine.reading >= OFTEN:
        connection.execute(delete(clocks).where(clocks.c.host == here.host))
        values = {"host": here.host, "boot": here.boot, "uptime": here.uptime, "wall": here.wall}
        connection.execute(insert(clocks).values(values | {"reading": now}))
    return now


def _marks(connection: Connection) -> list[Mark]:
    return [Mark(**row._mapping) for row in connection.execute(select(clocks))]
