"""No two similar drafts in one week: which approved draft a slot gets, and in what order they wait.

It works inside the transaction it is given; what is similar is bot.curation's affair.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, case, func, select, update

from bot.curation.similarity import WEEK, Used, allot
from bot.records import Draft
from bot.store.rows import draft_rows, read_drafts, status
from bot.store.tables import deliveries, drafts, revisions

MOST = 1000  # posts of a week that are looked at, the newest


def approved(connection: Connection, bot: str) -> list[Draft]:
    """The bot's drafts that a slot may take: the first approved first, unless they were moved."""
    first = (
        select(deliveries.c.draft, func.min(deliveries.c.id).label("since"))
        .where(deliveries.c.state == "planned")
        .group_by(deliveries.c.draft)
        .subquery()
    )
    rows = (
        draft_rows()
        .join(first, first.c.draft == drafts.c.id)
        .where(drafts.c.bot == bot, drafts.c.state == "approved", status == "approved")
        .order_by(None)
        .order_by(func.coalesce(drafts.c.place, first.c.since), drafts.c.id)
    )
    return read_drafts(connection, rows)


def move(connection: Connection, bot: str, draft: int, to: Literal["up", "down", "first", "last"]) -> bool:
    """Give a draft another place among the approved; False if it is none of them or has that place."""
    ids = [one.id for one in approved(connection, bot)]
    if draft not in ids:
        return False
    at = ids.index(draft)
    new = {"up": max(0, at - 1), "down": min(len(ids) - 1, at + 1), "first": 0, "last": len(ids) - 1}[to]
    moved = ids[:at] + ids[at + 1 :]
    moved.insert(new, draft)
    for place, (id, before) in zip(_places(connection, ids), zip(moved, ids, strict=True), strict=True):
        if id != before:
            connection.execute(update(drafts).where(drafts.c.id == id).values(place=place))
    return new != at


def _places(connection: Connection, ids: Sequence[int]) -> list[float]:
    """What they are ordered by, ascending: these same numbers are handed out anew."""
    since = select(func.min(deliveries.c.id)).where(
        deliveries.c.draft == drafts.c.id, deliveries.c.state == "planned"
    )
    place = func.coalesce(drafts.c.place, since.correlate(drafts).scalar_subquery())
    return sorted(connection.scalars(select(place).where(drafts.c.id.in_(ids))))


def for_moments(connection: Connection, bot: str, moments: Sequence[datetime]) -> list[Draft | None]:
    """The draft that each slot would get, None where it would pass."""
    if not moments:
        return []
    waiting = approved(connection, bot)
    chosen = allot([draft.text for draft in waiting], moments, _used(connection, bot, min(moments)))
    return [None if number is None else waiting[number] for number in chosen]


def _used(connection: Connection, bot: str, at: datetime) -> list[Used]:
    """What the bot has posted or scheduled since a week before; what is in doubt, as long as it is."""
    same = (revisions.c.draft == deliveries.c.draft) & (revisions.c.sha256 == deliveries.c.revision_sha256)
    alive = deliveries.c.state.not_in(["refused", "cancelled"])
    in_doubt = deliveries.c.state == "uncertain"
    lately = (deliveries.c.due_at > at - WEEK) | in_doubt
    when, doubtful = func.max(deliveries.c.due_at), func.max(case((in_doubt, 1), else_=0))
    rows = (
        select(revisions.c.text, when.label("at"), doubtful.label("doubtful"))
        .join(drafts, drafts.c.id == revisions.c.draft)
        .join(deliveries, same)
        .where(drafts.c.bot == bot, alive, lately)
        .group_by(revisions.c.id, revisions.c.text)
        .order_by(func.max(deliveries.c.id).desc())
        .limit(MOST)
    )
    return [Used(None if row.doubtful else row.at, row.text) for row in connection.execute(rows)]
