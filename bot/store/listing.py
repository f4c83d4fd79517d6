"""Lists of the queue: what a status means to the database, pages without counting what came before, counts.

It only reads, inside the transaction it is given.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, tuple_, union

from bot.errors import BotError
from bot.records import DeliveryState, Listing, Page, Sort, Status
from bot.store.rows import NOW, asleep, draft_rows, moment, read_drafts, status
from bot.store.tables import deliveries, drafts

# Where to look for a status that comes from deliveries: not among all that were ever posted.
BORNE_BY: Mapping[Status, tuple[DeliveryState, ...]] = {
    "approved": ("planned",),
    "scheduled": ("planned",),
    "posting": ("planned", "claimed", "sending"),
    "uncertain": ("uncertain",),
    "refused": ("refused", "cancelled"),
}
OF_TEXT: tuple[Status, ...] = ("pending", "snoozed", "rejected")  # what no delivery has to do with
UNDER_WAY: tuple[DeliveryState, ...] = ("planned", "claimed", "sending", "uncertain")
FEW = 1000  # that a search finds
MOST = 2**63 - 1  # what a database takes for a number
ORDERS: Mapping[Sort, tuple[Any, ...]] = {
    "oldest": (drafts.c.id,),
    "newest": (drafts.c.id,),
    "score": (drafts.c.score, drafts.c.id),
    "surprise": (drafts.c.surprise, drafts.c.id),
}


def narrow(rows: Select[Any], wanted: Status | None, bot: str | None) -> Select[Any]:
    """Only drafts of a status and a bot."""
    if bot is not None:
        rows = rows.where(drafts.c.bot == bot)
    if wanted is None:
        return rows
    if wanted in OF_TEXT:
        return _of_text(rows, wanted)
    rows = rows.where(drafts.c.state == "approved", status == wanted)
    if wanted in BORNE_BY:
        bearing = select(deliveries.c.draft).where(deliveries.c.state.in_(BORNE_BY[wanted]))
        rows = rows.where(drafts.c.id.in_(bearing))
    return rows


def matching(wanted: Listing) -> Select[Any]:
    """The ids of a listing's drafts, in no order."""
    rows = narrow(select(drafts.c.id), wanted.status, wanted.bot)
    if wanted.starred:
        rows = rows.where(drafts.c.starred)
    if wanted.search:
        rows = rows.where(_has(wanted.search))
    return rows


def page(connection: Connection, wanted: Listing, after: str, limit: int) -> Page:
    order = ORDERS[wanted.sort]
    ids = matching(wanted).add_columns(*order[:-1])
    if wanted.search and (few := _few(connection, wanted)) is not None:
        ids = ids.where(drafts.c.id.in_(few))
    place = tuple_(*order)
    if after:
        mark = tuple_(*_read(after, order))
        ids = ids.where(place > mark if wanted.sort == "oldest" else place < mark)
    ordered = [it if wanted.sort == "oldest" else it.desc() for it in order]
    found = connection.execute(ids.order_by(*ordered).limit(limit + 1), moment(connection)).all()
    shown = found[:limit]
    rows = draft_rows().where(drafts.c.id.in_([row.id for row in shown]))
    by_id = {draft.id: draft for draft in read_drafts(connection, rows)}
    next = _mark(shown[-1]) if len(found) > limit else ""
    return Page(tuple(by_id[row.id] for row in shown if row.id in by_id), next)


def _few(connection: Connection, wanted: Listing) -> list[int] | None:
    """Those that a search finds, if they are few; then they are sorted, and not looked for in their order.

    They are found in an index that has nothing but what is searched.
    """
    rows = _of(select(drafts.c.id), wanted.bot).where(_has(wanted.search))
    if wanted.status is not None:
        state = "pending" if wanted.status == "snoozed" else wanted.status
        rows = rows.where(drafts.c.state == (state if wanted.status in OF_TEXT else "approved"))
    found = list(connection.scalars(rows.limit(FEW + 1)))
    return found if len(found) <= FEW else None


def _has(search: str) -> ColumnElement[bool]:
    return drafts.c.folded.contains(search.casefold(), autoescape=True)


def counts(connection: Connection, bot: str | None) -> dict[Status, int]:
    """Only what is under way or failed is looked at one by one: the rest of what was approved is posted."""
    found: dict[Status, int] = dict.fromkeys(get_args(Status), 0)
    by_state = _of(select(drafts.c.state, func.count()).group_by(drafts.c.state), bot)
    for state, count in connection.execute(by_state):
        found["posted" if state == "approved" else state] = count
    snoozed = _of(select(func.count()).select_from(drafts).where(asleep), bot)
    found["snoozed"] = connection.scalar(snoozed, moment(connection)) or 0
    found["pending"] -= found["snoozed"]
    states = (*UNDER_WAY, *BORNE_BY["refused"])
    bearing = union(*(select(deliveries.c.draft).where(deliveries.c.state == state) for state in states))
    rows = select(status).where(drafts.c.state == "approved", drafts.c.id.in_(bearing))
    for name, count in Counter(connection.scalars(_of(rows, bot), moment(connection))).items():
        if name != "posted":
            found[name] = count
            found["posted"] -= count
    return found


def _of(rows: Select[Any], bot: str | None) -> Select[Any]:
    return rows if bot is None else rows.where(drafts.c.bot == bot)


def _of_text(rows: Select[Any], wanted: Status) -> Select[Any]:
    """By columns that the indexes of lists have: so no row is looked at that is not shown."""
    if wanted == "rejected":
        return rows.where(drafts.c.state == "rejected")
    until = drafts.c.snoozed_until
    awake = or_(until.is_(None), until <= NOW)
    return rows.where(drafts.c.state == "pending", awake if wanted == "pending" else until > NOW)


def _mark(row: Any) -> str:
    """Where a page ended: what it was sorted by, and the id."""
    return "_".join([*map(repr, row[1:]), str(row.id)])


def _read(after: str, order: tuple[Any, ...]) -> list[float | int]:
    *values, id = after.split("_")
    try:
        if len(values) + 1 != len(order) or not 0 <= int(id) <= MOST:
            raise ValueError
        return [*map(float, values), int(id)]
    except ValueError as error:
        msg = f"no page ends at {after!r}"
        raise BotError(msg) from error
