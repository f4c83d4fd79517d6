"""Decisions: one form each, on exactly the revision that its card showed.

What one does is the desk's affair. Whoever is not agreed with is shown the draft as it is now.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bot.errors import BotError, GateError, NotFound
from bot.records import Draft
from bot.review.decisions import Desk
from bot.review.times import moment_of
from bot.web.answers import say, status_of, wants_json
from bot.web.asked import LONGEST, Back, DraftId, Flag, Revision, Rooms, Sight, Was, Words, lines, place
from bot.web.door import Checked
from bot.web.review import View, card, page

router = APIRouter()
MOST_DAYS = 365


class Ask:
    """A decision that somebody asks for, and the answer they get."""

    def __init__(
        self,
        request: Request,
        rooms: Rooms,
        session: Checked,
        after: BackgroundTasks,
        id: DraftId,
        back: Back = "",
    ):
        self.id, self._request, self._rooms, self._session = id, request, rooms, session
        self._after, self._back = after, back

    def answer(self, decide: Callable[[Desk], Draft], said: str = "") -> Response:
        """said: what is told once it is done; the draft's status if "". Raises NotFound."""
        try:
            draft = decide(self._rooms.desk(self._session.name))
        except NotFound:
            raise
        except BotError as error:
            return self._disagree(error)
        self._rooms.recount()
        self._after.add_task(self._rooms.learn, draft.bot)
        said = said or f"Draft {draft.id} is {draft.status}."
        if wants_json(self._request):
            return _as_json(self._view(), draft, said)
        self._session.notice = said
        return RedirectResponse(place(self._back), 303)

    def _disagree(self, error: BotError) -> Response:
        draft = self._rooms.drafts.get(self.id)
        view = self._view(isinstance(error, GateError) and error.overridable)
        if wants_json(self._request):
            return _as_json(view, draft, str(error), status_of(error))
        return page(view, draft, str(error), status_of(error))

    def _view(self, overridable: bool = False) -> View:
        in_review = wants_json(self._request)  # where the script asks
        return View(self._rooms, self._session, overridable=overridable, in_review=in_review)


Asked = Annotated[Ask, Depends()]


def _as_json(view: View, draft: Draft, said: str, status: int = 200) -> Response:
    shown = {"said": said, "id": draft.id, "status": draft.status, "card": card(view, draft)}
    return JSONResponse(shown, status)


@router.post("/drafts/{id}/approve")
def approve(asked: Asked, sha256: Revision, was: Was, seen: Sight = "", override: Flag = False) -> Response:
    """seen: what the card has shown that would go where."""
    return asked.answer(lambda desk: desk.approve(asked.id, sha256, override, seen=seen, was=was))


@router.post("/drafts/{id}/reject")
def reject(
    asked: Asked,
    sha256: Revision,
    was: Was,
    reason: Annotated[str, Form(max_length=32)] = "",
    remark: Words = "",
) -> Response:
    return asked.answer(lambda desk: desk.reject(asked.id, sha256, reason, remark, was))


@router.post("/drafts/{id}/edit")
def edit(
    asked: Asked, sha256: Revision, was: Was, text: Annotated[str, Form(min_length=1, max_length=LONGEST)]
) -> Response:
    return asked.answer(
        lambda desk: desk.edit(asked.id, lines(text), sha256, was),
        f"Draft {asked.id} has a new revision, which needs its own approval.",
    )


@router.post("/drafts/{id}/snooze")
def snooze(
    asked: Asked,
    rooms: Rooms,
    sha256: Revision,
    was: Was,
    days: Annotated[int, Form(ge=1, le=MOST_DAYS)] = 1,
    until: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """until: as a person writes it; if "", so many days."""
    now = rooms.clock()

    def put_off(desk: Desk) -> Draft:
        moment = moment_of(until, now) if until else now + timedelta(days=days)
        return desk.snooze(asked.id, moment, sha256, was)

    return asked.answer(put_off)


@router.post("/drafts/{id}/star")
def star(asked: Asked, sha256: Revision, starred: Flag) -> Response:
    said = f"Draft {asked.id} is {'a favourite' if starred else 'no favourite any more'}."
    return asked.answer(lambda desk: desk.star(asked.id, starred, sha256), said)


@router.post("/drafts/{id}/note")
def note(asked: Asked, sha256: Revision, text: Annotated[str, Form(max_length=2000)] = "") -> Response:
    return asked.answer(
        lambda desk: desk.note(asked.id, lines(text), sha256), f"Noted beside draft {asked.id}."
    )


@router.post("/drafts/{id}/undo")
def undo(asked: Asked, sha256: Revision, was: Was) -> Response:
    """Take the last decision on one draft back."""
    return asked.answer(lambda desk: desk.undo(asked.id, sha256, was))


@router.post("/undo")
def undo_last(request: Request, rooms: Rooms, session: Checked, back: Back = "") -> Response:
    """Take one's own last decision back, on many drafts if it was one on many."""
    try:
        undone = rooms.desk(session.name).undo_last()
    except BotError as error:
        return say(request, status_of(error), str(error))
    rooms.recount()
    first = undone[0]
    said = f"Undone: draft {first.id} is {first.status} again."
    if len(undone) > 1:
        said = f"Undone: {len(undone)} drafts are as they were."
    if wants_json(request):
        return _as_json(View(rooms, session, in_review=True), first, said)
    session.notice = said
    return RedirectResponse(f"/drafts/{first.id}" if len(undone) == 1 else place(back), 303)
