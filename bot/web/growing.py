"""How a text could go on from the cursor: what the model that wrote it would write. It changes nothing."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response

from bot.records import Judged
from bot.web.answers import wants_json
from bot.web.asked import LONGEST, DraftId, Rooms, lines
from bot.web.door import Checked
from bot.web.pages import render
from bot.web.review import View

router = APIRouter()


@router.post("/drafts/{id}/regrow")
def regrow(
    request: Request,
    rooms: Rooms,
    session: Checked,
    id: DraftId,
    text: Annotated[str, Form(max_length=LONGEST)] = "",
) -> Response:
    """text: up to the cursor. For the script also the likeliest next tokens. Raises NotFound, BotError."""
    draft, prefix = rooms.drafts.get(id), lines(text)
    grown = rooms.growing.continuations(draft, prefix)
    if not wants_json(request):
        view = View(rooms, session)
        return render("grown.html", session=session, at="review", view=view, draft=draft, grown=grown)
    hints = rooms.growing.suggestions(draft, prefix)
    said = f"{len(grown)} ways to go on." if grown else "Nothing came of it."
    texts = [{"text": one.candidate.text, "why": _objections(one)} for one in grown]
    next = [{"token": hint.token or "(end)", "text": hint.text} for hint in hints]
    return JSONResponse({"said": said, "texts": texts, "next": next})


def _objections(judged: Judged) -> str:
    said: Sequence[str] = [
        it.reason or it.filter for it in judged.verdicts if it.outcome in ("ask", "reject")
    ]
    return "; ".join(said)
