"""What one process at a time does: it holds a lease and renews it, and who waits takes over.

It knows no time: whether a lease is over, who asks for it decides, by how long it has seen no renewal.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from bot.store.database import Database
from bot.store.tables import leases


class Held(NamedTuple):
    """Whose a lease is, and until when by that one's clock: what changes with every renewal."""

    owner: str
    until: datetime


class Leases:
    def __init__(self, database: Database):
        self._database = database

    def take(self, name: str, owner: str, seconds: float, over: Callable[[Held], bool]) -> Held | None:
        """Take a lease or renew it; who holds it instead, None if the owner does now.

        over: whether what another holds is over.
        """
        mine = leases.c.name == name
        with self._database.write() as connection:
            row = connection.execute(select(leases.c.owner, leases.c.until).where(mine)).one_or_none()
            held = Held(*row) if row else None
            if held and held.owner != owner and not over(held):
                return held
            connection.execute(delete(leases).where(mine))
            until = self._database.now() + timedelta(seconds=seconds)
            connection.execute(insert(leases).values(name=name, owner=owner, until=until))
            return None

    def give_up(self, name: str, owner: str) -> None:
        """Let others take it at once."""
        mine = (leases.c.name == name) & (leases.c.owner == owner)
        with self._database.write() as connection:
            connection.execute(delete(leases).where(mine))
