"""Favourites that have been posted, and copies of them that go out again.

A copy is a draft of its own, with a decision and deliveries of its own; `recycled_from` names the first one.
It works inside the transaction it is given.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, case, exists, func, insert, select

from bot.records import Draft, Favourite
from bot.store.listing import UNDER_WAY
from bot.store.rows import draft_rows, moment, read_draft, read_drafts, status
from bot.store.tables import deliveries, drafts, events, revisions

FRESH = {  # of a copy, whatever the first one has become
    "state": "pending",
    "revision": 1,
    "attempt_group": 0,
    "starred": False,
    "note": "",
    "snoozed_until": None,
    "place": None,
}


def is_no_kin(id: int) -> ColumnElement[bool]:
    """What is neither this draft, nor its first one, nor a copy of the same."""
    other = drafts.alias()
    first = select(func.coalesce(other.c.recycled_from, other.c.id)).where(other.c.id == id).scalar_subquery()
    return func.coalesce(drafts.c.recycled_from, drafts.c.id) != first


def favourites(connection: Connection, bot: str) -> Sequence[Favourite]:
    """The bot's, with what was last heard of each, copies included; that of the longest silence first.

    One of which a copy is under way is left out.
    """
    copy = drafts.alias()
    family = (copy.c.id == drafts.c.id) | (copy.c.recycled_from == drafts.c.id)
    waiting = exists().where(family, deliveries.c.draft == copy.c.id, deliveries.c.state.in_(UNDER_WAY))
    known = (
        select(func.max(case((copy.c.id == drafts.c.id, events.c.at), else_=copy.c.created_at)))
        .select_from(copy)
        .outerjoin(deliveries, deliveries.c.draft == copy.c.id)
        .outerjoin(events, (events.c.delivery == deliveries.c.id) & (events.c.new == "sent"))
        .where(family)
        .correlate(drafts)
        .scalar_subquery()
    )
    mine = (drafts.c.bot == bot) & drafts.c.starred & drafts.c.recycled_from.is_(None)
    rows = select(drafts.c.id, known.label("at")).where(
        mine, drafts.c.state == "approved", status == "posted", ~waiting
    )
    heard = {row.id: row.at for row in connection.execute(rows, moment(connection))}
    found = read_drafts(connection, draft_rows().where(drafts.c.id.in_(heard)))
    return sorted((Favourite(draft, heard[draft.id]) for draft in found), key=lambda it: (it.at, it.draft.id))


def copied(connection: Connection, id: int) -> Draft:
    """A pending copy of a draft at its current revision, as if it had been sampled so."""
    first = connection.execute(select(drafts).where(drafts.c.id == id)).one()._mapping
    revision = (revisions.c.draft == id) & (revisions.c.number == first["revision"])
    text = connection.execute(select(revisions).where(revision)).one()._mapping
    count = connection.scalar(select(func.count()).where(drafts.c.recycled_from == id)) or 0
    now = moment(connection)["now"]
    values = {**first, **FRESH, "origin": f"{first['origin']}+{count + 1}", "recycled_from": id}
    del values["id"]
    values["created_at"] = now
    copy = connection.scalar(insert(drafts).values(values).returning(drafts.c.id))
    values = {**text, "draft": copy, "number": 1, "created_at": now}
    del values["id"]
    connection.execute(insert(revisions).values(values))
    return read_draft(connection, copy)
