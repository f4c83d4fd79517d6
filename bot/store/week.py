"""No two similar drafts in one week: which approved draft a slot gets.

It reads, inside the transaction it is given; what is similar is bot.curation's affair.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from bot.curation.similarity import WEEK, Used, allot
from bot.records import Draft
from bot.store.rows import draft_rows, read_drafts, status
from bot.store.tables import deliveries, drafts, revisions

MOST = 1000  # posts of a week that are looked at, the newest


def approved(connection: Connection, bot: str) -> list[Draft]:
    """The bot's drafts that a slot may take, the first approved first."""
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
        .order_by(first.c.since)
    )
    return read_drafts(connection, rows)


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
