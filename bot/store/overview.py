"""What can be known of all deliveries together, at little cost however many there are, for bot.health.

It only reads, through indexes: by number, by state, by slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from bot.records import DeliveryState
from bot.store.database import Database
from bot.store.elapsed import read_time
from bot.store.fuses import MONTH
from bot.store.tables import deliveries, drafts, events, metadata, revisions, slots, spent

OPEN = ("planned", "claimed", "sending", "uncertain")


@dataclass(frozen=True, slots=True)
class Change:
    """A step of one delivery. slot_at: when the slot of its draft came, None without one."""

    id: int
    delivery: int
    draft: int
    bot: str
    target: str
    old: DeliveryState | None
    new: DeliveryState
    reason: str
    at: datetime
    slot_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The deliveries of one bot to one target that are in one state.

    oldest: when the first of them is due, or its lease ends. waiting: how many have no such time.
    """

    bot: str
    target: str
    account: str
    state: DeliveryState
    count: int
    oldest: datetime | None
    waiting: int


class Overview:
    def __init__(self, database: Database):
        self._database = database

    def probe(self) -> None:
        """Raises StoreError unless the database can be read and written now; it changes nothing."""
        with self._database.write() as connection:
            connection.execute(select(func.max(events.c.id)))

    def newest(self) -> int:
        """The number of the newest change; 0 before the first."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(events.c.id))) or 0

    def changes(self, after: int, most: int) -> Sequence[Change]:
        """The first `most` changes with a number over `after`."""
        rows = (
            select(
                events.c.id,
                events.c.delivery,
                deliveries.c.draft,
                drafts.c.bot,
                deliveries.c.target,
                events.c.old,
                events.c.new,
                events.c.reason,
                events.c.at,
                slots.c.at.label("slot_at"),
            )
            .join(deliveries, deliveries.c.id == events.c.delivery)
            .join(drafts, drafts.c.id == deliveries.c.draft)
            .outerjoin(slots, slots.c.draft == deliveries.c.draft)
            .where(events.c.id > after)
            .order_by(events.c.id)
            .limit(most)
        )
        with self._database.read() as connection:
            return [Change(**row._mapping) for row in connection.execute(rows)]

    def newest_texts(self, most: int) -> Sequence[str]:
        """Of drafts, edits and approvals."""
        with self._database.read() as connection:
            return [
                found
                for table in (revisions, deliveries)
                for found in connection.scalars(select(table.c.text).order_by(table.c.id.desc()).limit(most))
            ]

    def sizes(self) -> dict[str, int]:
        """The rows of each table, and the step of the migrations that made them."""
        with self._database.read() as connection:
            step = connection.scalar(text("SELECT version_num FROM alembic_version"))
            tables = {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in metadata.sorted_tables
            }
            return {"schema": int(step), **tables}

    def unfinished(self) -> Sequence[Unfinished]:
        """All that is not over; of what is planned, what has a time."""
        due = deliveries.c.due_at
        since: Any = func.min(func.coalesce(deliveries.c.lease_until, due))
        rows = (
            select(
                drafts.c.bot,
                deliveries.c.target,
                deliveries.c.account,
                deliveries.c.state,
                func.count().label("count"),
                since.label("oldest"),
                (func.count() - func.count(due)).label("waiting"),
            )
            .join(drafts, drafts.c.id == deliveries.c.draft)
            .where(deliveries.c.state.in_(OPEN), (deliveries.c.state != "planned") | due.is_not(None))
            .group_by(drafts.c.bot, deliveries.c.target, deliveries.c.account, deliveries.c.state)
        )
        with self._database.read() as connection:
            return [Unfinished(**row._mapping) for row in connection.execute(rows)]

    def stock(self) -> dict[str, int]:
        """How many approved drafts of each bot wait for a slot."""
        rows = (
            select(drafts.c.bot, func.count(deliveries.c.draft.distinct()))
            .join(drafts, drafts.c.id == deliveries.c.draft)
            .where(deliveries.c.state == "planned", deliveries.c.due_at.is_(None))
            .group_by(drafts.c.bot)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(rows)}

    def spent(self) -> dict[str, float]:
        """What each account has cost within a month, or may have, in USD; nothing for those that are free."""
        with self._database.read() as connection:
            since = read_time(connection, self._database) - MONTH
            dear = select(spent.c.account, func.sum(spent.c.cost)).where(spent.c.cost > 0, spent.c.at > since)
            return {row[0]: row[1] for row in connection.execute(dear.group_by(spent.c.account))}

    def newest_slot(self, bot: str) -> tuple[datetime, int | None] | None:
        """When the bot's newest slot that was taken came, and the draft it got."""
        mine = (slots.c.bot == bot) & (slots.c.at <= self._database.now())
        rows = select(slots.c.at, slots.c.draft).where(mine).order_by(slots.c.at.desc()).limit(1)
        with self._database.read() as connection:
            found = connection.execute(rows).one_or_none()
            return found and (found.at, found.draft)
