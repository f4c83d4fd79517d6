"""The review: one card a draft, the next one there before it is asked for.

It shows, and decides nothing (`decisions` does).
"""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.errors import BotError
from bot.records import Draft
from bot.web.asked import BotName, DraftId, Rooms, Skipped, read_ids
from bot.web.door import Person
from bot.web.office import Office, Preview
from bot.web.pages import render, written
from bot.web.sessions import Session

router = APIRouter()


@router.get("/")
def start() -> Response:
    return RedirectResponse("/review", 303)


@router.get("/review")
def show_review(rooms: Rooms, session: Person, bot: BotName = "", skip: Skipped = "") -> Response:
    """The next card, of one bot or of all; skip: drafts that were passed over."""
    draft = rooms.next_draft(bot or None, read_ids(skip))
    return page(rooms, session, draft, bot, skip)


@router.get("/review/card")
def show_card(rooms: Rooms, session: Person, bot: BotName = "", skip: Skipped = "") -> Response:
    """The card alone, for the script; empty if none is left."""
    draft = rooms.next_draft(bot or None, read_ids(skip))
    return HTMLResponse("" if draft is None else card(rooms, session, draft, bot, skip))


@router.get("/drafts/{id}")
def show_draft(request: Request, rooms: Rooms, session: Person, id: DraftId) -> Response:
    """One draft, whatever became of it."""
    return page(rooms, session, rooms.drafts.get(id), "", "")


def page(
    rooms: Office,
    session: Session,
    draft: Draft | None,
    bot: str,
    skip: str,
    notice: str = "",
    status: int = 200,
) -> HTMLResponse:
    said, session.notice = notice or session.notice, ""
    shown = "" if draft is None else card(rooms, session, draft, bot, skip)
    return render(
        "review.html",
        status,
        session=session,
        card=shown,
        bots=rooms.bots,
        bot=bot,
        skip=skip,
        notice=said,
        at="review",
    )


def card(
    rooms: Office, session: Session, draft: Draft, bot: str, skip: str, overridable: bool = False
) -> str:
    previews, fault = _previews(rooms, draft)
    return written(
        "card.html",
        draft=draft,
        previews=previews,
        fault=fault,
        csrf=session.csrf,
        back=f"/review?{urlencode({'bot': bot, 'skip': skip})}",
        skipped=f"/review?{urlencode({'bot': bot, 'skip': ','.join(filter(None, [skip, str(draft.id)]))})}",
        overridable=overridable,
    )


def _previews(rooms: Office, draft: Draft) -> tuple[list[Preview], str]:
    """What its targets would be given, or why nobody knows: such a draft can still be rejected."""
    try:
        return list(rooms.previews(draft)), ""
    except BotError as error:
        return [], str(error)
