"""What a decision does to a draft: which ones a status permits, what one records, how it is taken back.

It works inside the transaction it is given. It judges no text and posts nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, FromClause, Row, insert, select, update

from bot.errors import Conflict, StoreError
from bot.records import Draft, Outlet, Status
from bot.store.deliveries import cancel, plan
from bot.store.rows import moment, read_draft
from bot.store.tables import decisions, drafts, marks, revisions, slots

# What each status permits. Once a delivery was claimed nothing does, until all are settled.
OPEN: Mapping[str, tuple[Status, ...]] = {
    "approve": ("pending", "snoozed", "rejected", "refused"),
    "reject": ("pending", "snoozed", "approved", "scheduled"),
    "edit": ("pending", "snoozed", "approved", "scheduled", "rejected", "refused"),
    "snooze": ("pending", "snoozed"),
    "undo": ("pending", "snoozed", "approved", "scheduled", "rejected"),
}
PAST = {
    "approve": "approved",
    "reject": "rejected",
    "edit": "edited",
    "snooze": "snoozed",
    "undo": "undone",
}
UNDONE_WITHIN = timedelta(hours=24)


def look_up(
    connection: Connection, id: int, verdict: str, sha256: str | None = None, was: Status | None = None
) -> Draft:
    """The draft, if its status permits the decision and it is still as when it was looked at.

    sha256, was: the revision and the status it had then. Raises Conflict with the draft as it is now.
    """
    draft = look_at(connection, id, sha256)
    if draft.status not in OPEN[verdict]:
        already = " already" if draft.status == PAST[verdict] else f": it cannot be {PAST[verdict]}"
        msg = f"draft {id} is {draft.status}{already}"
        raise Conflict(msg, draft)
    if was not in (None, draft.status):
        msg = f"draft {id} is {draft.status} by now, and was {was} when you looked at it"
        raise Conflict(msg, draft)
    return draft


def look_at(connection: Connection, id: int, sha256: str | None) -> Draft:
    """The draft, if it still reads as when it was looked at."""
    draft = read_draft(connection, id)
    if sha256 not in (None, draft.sha256):
        msg = f"draft {id} has changed since you looked at it: look again, then decide"
        raise Conflict(msg, draft)
    return draft


def decide(
    connection: Connection,
    draft: Draft,
    verdict: Literal["approve", "reject"],
    actor: str,
    outlets: Sequence[Outlet],
    **said: Any,
) -> Draft:
    """Approve or reject it; whoever calls has looked it up. said: further columns of the decision."""
    if verdict == "approve":
        _plan_approval(connection, draft, outlets, actor)
    else:
        withdraw(connection, draft, actor)
    record(connection, draft, verdict, actor, **said)
    return change(connection, draft.id, state=PAST[verdict], snoozed_until=None)


def _plan_approval(connection: Connection, draft: Draft, outlets: Sequence[Outlet], actor: str) -> None:
    if not outlets:
        msg = (
            f"draft {draft.id}: bot {draft.bot!r} has no target, so an approved draft would never be "
            f"posted. Give it one in bots.{draft.bot}.targets"
        )
        raise StoreError(msg)
    connection.execute(update(slots).where(slots.c.draft == draft.id).values(draft=None))
    connection.execute(
        update(drafts).where(drafts.c.id == draft.id).values(place=None)
    )  # the last in the queue
    plan(connection, draft, outlets, actor, moment(connection)["now"])


def withdraw(connection: Connection, draft: Draft, actor: str) -> None:
    """Take an approval back that another decision is about to replace."""
    if draft.status in ("approved", "scheduled"):
        take_back(connection, draft, actor)


def take_back(connection: Connection, draft: Draft, actor: str) -> Draft:
    """Make it as it was before the last decision that stands."""
    *before, last = standing(connection, draft.id)
    record(connection, draft, "undo", actor, undoes=last.id)
    now = moment(connection)["now"]
    cancel(connection, draft.id, actor, f"{last.verdict} undone", now)
    edits = [row.revision_sha256 for row in before if row.verdict == "edit"]
    which = revisions.c.sha256 == edits[-1] if edits else revisions.c.number == 1
    number = connection.scalar(select(revisions.c.number).where(revisions.c.draft == draft.id, which))
    newest = before[-1] if before else None
    state = {"approve": "approved", "reject": "rejected"}.get(newest.verdict if newest else "", "pending")
    until = newest.until if newest else None
    return change(connection, draft.id, state=state, revision=number, snoozed_until=until)


def last_of(connection: Connection, actor: str) -> Sequence[int]:
    """The drafts of the last decision that a person can still undo, several if it was one on many.

    It is theirs, stands, is a day old at most, and nobody has decided on the draft since.
    """
    later = decisions.alias()
    since = select(later.c.id).where(
        later.c.draft == decisions.c.draft, later.c.id > decisions.c.id, _stands(later)
    )
    mine = (
        select(decisions.c.draft, decisions.c.batch)
        .where(
            decisions.c.actor == actor,
            decisions.c.policy == "",
            decisions.c.at >= moment(connection)["now"] - UNDONE_WITHIN,
            _stands(decisions),
            ~since.exists(),
        )
        .order_by(decisions.c.id.desc())
    )
    last = connection.execute(mine.limit(1)).one_or_none()
    if last is None:
        return []
    if not last.batch:
        return [last.draft]
    return list(connection.scalars(mine.where(decisions.c.batch == last.batch)))


def _stands(decision: FromClause) -> ColumnElement[bool]:
    """Whether it is a decision that has not been undone."""
    undo = decisions.alias()
    undone = select(undo.c.id).where(undo.c.undoes == decision.c.id).exists()
    return (decision.c.verdict != "undo") & ~undone


def standing(connection: Connection, id: int) -> list[Row[Any]]:
    """The decisions that have not been undone, in order."""
    rows = select(decisions).where(decisions.c.draft == id, _stands(decisions)).order_by(decisions.c.id)
    return list(connection.execute(rows))


def record(connection: Connection, draft: Draft, verdict: str, actor: str, **values: Any) -> None:
    row = {"policy": "", "override": False} | values
    row |= {"draft": draft.id, "revision_sha256": draft.sha256, "verdict": verdict, "actor": actor}
    connection.execute(insert(decisions).values(row | {"at": moment(connection)["now"]}))


def mark(connection: Connection, draft: Draft, kind: str, text: str, actor: str) -> None:
    """Keep who starred a draft, or noted what."""
    row = {"draft": draft.id, "revision_sha256": draft.sha256, "kind": kind, "text": text, "actor": actor}
    connection.execute(insert(marks).values(row | {"at": moment(connection)["now"]}))


def change(connection: Connection, id: int, **values: Any) -> Draft:
    """Set these columns; what is searched follows the revision."""
    if "revision" in values:
        mine = (revisions.c.draft == id) & (revisions.c.number == values["revision"])
        values["folded"] = connection.scalars(select(revisions.c.text).where(mine)).one().casefold()
    connection.execute(update(drafts).where(drafts.c.id == id).values(values))
    return read_draft(connection, id)
