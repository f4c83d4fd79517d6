"""Lists of the queue: by status, searched, sorted, page by page; and one decision on all that match.

What matches is counted first and shown; the decision is then on the same ones, or on none.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from bot.records import Draft, Page
from bot.review.bulk import Bulk, Selection, approve_all, reject_all, select
from bot.review.decisions import REASONS
from bot.web.asked import MOST, DraftId, Listed, Rooms, address
from bot.web.door import Checked, Person
from bot.web.pages import render
from bot.web.sessions import Session

router = APIRouter()
AT_ONCE = 50  # drafts of a page
SHOWN = 8  # of those that a decision on all left, how many are told
STATUSES = (
    *("pending", "approved", "scheduled", "posting", "posted", "uncertain", "refused", "rejected", "snoozed"),
    "all",
)
SORTS = {
    "newest": "newest first",
    "oldest": "oldest first",
    "score": "best first",
    "surprise": "wildest first",
}


@router.get("/queue")
def show_queue(
    rooms: Rooms, session: Person, listing: Listed, after: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    found = rooms.drafts.page(listing, after, AT_ONCE)
    return _list(rooms, session, listing, found, after)


@router.get("/drafts/{id}/like")
def show_alike(rooms: Rooms, session: Person, id: DraftId) -> Response:
    """The pending drafts nearest to one."""
    draft = rooms.drafts.get(id)
    found = Page(tuple(rooms.desk(session.name).like(draft, AT_ONCE)))
    return _list(rooms, session, None, found, like=draft)


def _list(
    rooms: Rooms,
    session: Session,
    listing: Listed | None,
    found: Page,
    after: str = "",
    like: Draft | None = None,
) -> Response:
    said, session.notice = session.notice, ""
    return render(
        "queue.html",
        session=session,
        notice=said,
        at="queue",
        listing=listing,
        page=found,
        like=like,
        after=after,
        next=address(listing, after=found.next) if listing and found.next else "",
        counts=rooms.counts(listing.bot if listing else None),
        bots=rooms.bots,
        statuses=STATUSES,
        sorts=SORTS,
        address=address,
    )


@router.get("/queue/all")
def show_all(rooms: Rooms, session: Person, listing: Listed) -> Response:
    """How many match, before anything is decided on them."""
    selection = select(rooms.desk(session.name), listing)
    first = rooms.drafts.page(listing, limit=5)
    return render(
        "all.html",
        session=session,
        at="queue",
        selection=selection,
        first=first.drafts,
        reasons=REASONS,
        action=lambda what: address(listing, f"/queue/{what}"),
        back=address(listing),
    )


Count = Annotated[int, Form(ge=0, le=MOST)]


@router.post("/queue/approve")
def approve_them(rooms: Rooms, session: Checked, listing: Listed, count: Count, newest: Count) -> Response:
    done = approve_all(rooms.desk(session.name), Selection(listing, count, newest))
    rooms.recount()
    return _told(session, done, "approved", listing)


@router.post("/queue/reject")
def reject_them(
    rooms: Rooms,
    session: Checked,
    listing: Listed,
    count: Count,
    newest: Count,
    reason: Annotated[str, Form(max_length=32)] = "",
) -> Response:
    done = reject_all(rooms.desk(session.name), Selection(listing, count, newest), reason)
    rooms.recount()
    return _told(session, done, "rejected", listing)


def _told(session: Session, done: Bulk, past: str, listing: Listed) -> Response:
    session.notice = f"{len(done.decided)} drafts {past}; undo takes them all back."
    if done.left:
        some = "; ".join(f"{id}: {why}" for id, why in done.left[:SHOWN])
        session.notice += f" {len(done.left)} were left for you to look at: {some}"
    return RedirectResponse(address(listing), 303)
