"""Decisions: one form each, on exactly the revision that its card showed.

What one does is the desk's affair. Whoever is not agreed with is shown the draft as it is now.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bot.errors import BotError, GateError
from bot.records import Draft
from bot.web.answers import status_of, wants_json
from bot.web.asked import Back, DraftId, Revision, Rooms, place
from bot.web.door import Checked
from bot.web.office import Office
from bot.web.review import card, page
from bot.web.sessions import Session

router = APIRouter()
LONGEST = 20_000  # characters of a text that somebody writes


@router.post("/drafts/{id}/approve")
def approve(
    request: Request,
    rooms: Rooms,
    session: Checked,
    after: BackgroundTasks,
    id: DraftId,
    sha256: Revision,
    override: Annotated[bool, Form()] = False,
    back: Back = "",
) -> Response:
    return _decide(
        request,
        rooms,
        session,
        id,
        back,
        after,
        lambda: rooms.desk(session.name).approve(id, sha256, override),
    )


@router.post("/drafts/{id}/reject")
def reject(
    request: Request,
    rooms: Rooms,
    session: Checked,
    after: BackgroundTasks,
    id: DraftId,
    sha256: Revision,
    back: Back = "",
) -> Response:
    return _decide(
        request, rooms, session, id, back, after, lambda: rooms.desk(session.name).reject(id, sha256)
    )


@router.post("/drafts/{id}/edit")
def edit(
    request: Request,
    rooms: Rooms,
    session: Checked,
    after: BackgroundTasks,
    id: DraftId,
    sha256: Revision,
    text: Annotated[str, Form(min_length=1, max_length=LONGEST)],
    back: Back = "",
) -> Response:
    lines = text.replace("\r\n", "\n")  # as browsers send what has line ends
    return _decide(
        request, rooms, session, id, back, after, lambda: rooms.desk(session.name).edit(id, lines, sha256)
    )


@router.post("/drafts/{id}/undo")
def undo(
    request: Request, rooms: Rooms, session: Checked, after: BackgroundTasks, id: DraftId, back: Back = ""
) -> Response:
    return _decide(request, rooms, session, id, back, after, lambda: rooms.desk(session.name).undo(id))


def _decide(
    request: Request,
    rooms: Office,
    session: Session,
    id: int,
    back: str,
    after: BackgroundTasks,
    decision: Callable[[], Draft],
) -> Response:
    try:
        draft = decision()
    except BotError as error:
        return _disagree(request, rooms, session, id, error)
    after.add_task(rooms.learn, draft.bot)
    said = f"Draft {id} is {draft.status}."
    if wants_json(request):
        return JSONResponse(
            {"said": said, "id": id, "status": draft.status, "card": card(rooms, session, draft, "", "")}
        )
    session.notice = said
    return RedirectResponse(place(back), 303)


def _disagree(request: Request, rooms: Office, session: Session, id: int, error: BotError) -> Response:
    """The draft as it is now, and why it was not decided on. Raises NotFound."""
    draft, said, status = rooms.drafts.get(id), str(error), status_of(error)
    if wants_json(request):
        overridable = isinstance(error, GateError) and error.overridable
        shown = card(rooms, session, draft, "", "", overridable)
        return JSONResponse({"said": said, "id": id, "status": draft.status, "card": shown}, status)
    return page(rooms, session, draft, "", "", said, status)
