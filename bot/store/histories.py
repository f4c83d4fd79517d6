"""What became of all drafts of a bot at once: their decisions, their texts, their posts. It only reads."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from bot.records import Decision
from bot.store.database import Database
from bot.store.tables import decisions, deliveries, drafts, events, revisions


class Posted(NamedTuple):
    """When a delivery was known to be there. url: "" where the target has told none."""

    target: str
    at: datetime
    url: str = ""


@dataclass
class History:
    """Of one draft. decisions: all, those undone too. texts: of its revisions, by their SHA-256."""

    decisions: list[Decision] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    posts: list[Posted] = field(default_factory=list)


class Histories:
    """Every method is one transaction."""

    def __init__(self, database: Database):
        self._database = database

    def of(self, bot: str) -> Mapping[int, History]:
        """By the drafts' ids; each in order."""
        found = defaultdict[int, History](History)
        with self._database.read() as connection:
            _read_decisions(connection, bot, found)
            _read_texts(connection, bot, found)
            _read_posts(connection, bot, found)
        return dict(found)


def _read_decisions(connection: Connection, bot: str, found: Mapping[int, History]) -> None:
    columns = [decisions.c[name] for name in Decision.__dataclass_fields__]
    rows = select(*columns).join(drafts, drafts.c.id == decisions.c.draft).where(drafts.c.bot == bot)
    for row in connection.execute(rows.order_by(decisions.c.id)):
        found[row.draft].decisions.append(Decision(**row._mapping))


def _read_texts(connection: Connection, bot: str, found: Mapping[int, History]) -> None:
    columns = revisions.c.draft, revisions.c.sha256, revisions.c.text
    rows = select(*columns).join(drafts, drafts.c.id == revisions.c.draft).where(drafts.c.bot == bot)
    for draft, sha256, text in connection.execute(rows.order_by(revisions.c.id)):
        found[draft].texts[sha256] = text


def _read_posts(connection: Connection, bot: str, found: Mapping[int, History]) -> None:
    rows = (
        select(deliveries.c.draft, deliveries.c.target, events.c.at, deliveries.c.url)
        .join(events, events.c.delivery == deliveries.c.id)
        .join(drafts, drafts.c.id == deliveries.c.draft)
        .where(drafts.c.bot == bot, events.c.new == "sent")
        .order_by(events.c.id)
    )
    for draft, target, at, url in connection.execute(rows):
        found[draft].posts.append(Posted(target, at, url))
