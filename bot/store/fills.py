"""What became of each bot's last batch of samples, for who looks at it later: numbers, none of its texts."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, select

from bot.curation.chain import Funnel
from bot.store.database import Database
from bot.store.tables import fills

_FUNNEL = TypeAdapter(Funnel)


class Fill(NamedTuple):
    """When a batch was queued, and what each filter dropped of it."""

    at: datetime
    funnel: Funnel


class Fills:
    """The newest of each bot."""

    def __init__(self, database: Database):
        self._database = database

    def keep(self, bot: str, funnel: Funnel) -> None:
        drops = tuple(replace(drop, examples=()) for drop in funnel.drops)
        counts = asdict(replace(funnel, drops=drops))
        with self._database.write() as connection:
            connection.execute(delete(fills).where(fills.c.bot == bot))
            connection.execute(insert(fills).values(bot=bot, at=self._database.now(), funnel=counts))

    def last(self, bot: str) -> Fill | None:
        """None where it was never filled."""
        with self._database.read() as connection:
            row = connection.execute(select(fills.c.at, fills.c.funnel).where(fills.c.bot == bot)).first()
        return Fill(row.at, _FUNNEL.validate_python(row.funnel)) if row else None
