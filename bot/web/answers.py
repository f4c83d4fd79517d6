"""How an answer is said: a sentence as a page, or as JSON where the script asks.

The script shows it beside the card; without it, it is a page of its own.
"""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from bot.errors import BotError, Conflict, NotFound, StoreError
from bot.web.pages import render

STATUSES: Mapping[type[BotError], int] = {NotFound: 404, Conflict: 409, StoreError: 503, BotError: 422}


def wants_json(request: Request) -> bool:
    return request.headers.get("accept") == "application/json"


def say(request: Request, status: int, line: str) -> Response:
    if wants_json(request):
        return JSONResponse({"said": line}, status)
    return render("said.html", status, line=line)


def status_of(error: Exception) -> int:
    """503 is our affair, the others are the asker's."""
    return next(status for kind, status in STATUSES.items() if isinstance(error, kind))
