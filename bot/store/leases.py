"""What one process at a time does: it holds a lease, and renews it; who waits takes over when it is over.

Leases are counted by the database's own time, so no clock that is set ends one.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, insert, select

from bot.store.database import Database
from bot.store.elapsed import keep_time
from bot.store.tables import leases


class Leases:
    def __init__(self, database: Database):
        self._database = database

    def take(self, name: str, owner: str, seconds: float, dead: Callable[[str], bool | None]) -> str | None:
        """Take a lease or renew it; whose it is if it is another's, None if it is the owner's now.

        dead: whether an owner has surely ended, for then nobody waits for its lease.
        """
        with self._database.write() as connection:
            now = keep_time(connection, self._database)
            held = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
            if held and held.owner != owner and held.until > now and dead(held.owner) is not True:
                other: str = held.owner
                return other
            connection.execute(delete(leases).where(leases.c.name == name))
            until = now + timedelta(seconds=seconds)
            connection.execute(insert(leases).values(name=name, owner=owner, until=until))
            return None

    def give_up(self, name: str, owner: str) -> None:
        """Let others take it at once."""
        mine = (leases.c.name == name) & (leases.c.owner == owner)
        with self._database.write() as connection:
            connection.execute(delete(leases).where(mine))
