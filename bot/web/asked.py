"""What requests bring along, read strictly: drafts by number, revisions, where to go back to."""

import re
from typing import Annotated

from fastapi import Depends, Form, Path, Query, Request

from bot.web.office import Office

MOST = 2**63 - 1  # what a database takes for a number
SKIPPED = 300  # drafts that are remembered as passed over, the latest
PLACE = re.compile(r"/[a-z]*(\?[A-Za-z0-9=&%._+,-]*)?")


def office(request: Request) -> Office:
    found: Office = request.app.state.office
    return found


Rooms = Annotated[Office, Depends(office)]
DraftId = Annotated[int, Path(ge=1, le=MOST)]
Revision = Annotated[str, Form(alias="sha256", pattern="^[0-9a-f]{64}$")]
BotName = Annotated[str, Query(max_length=64)]
Skipped = Annotated[str, Query(max_length=20 * SKIPPED, pattern="^[0-9,]*$")]
Back = Annotated[str, Form(max_length=8000)]


def read_ids(listed: str) -> list[int]:
    """`3,14,15` as numbers."""
    return [int(id) for id in listed.split(",") if id and int(id) <= MOST][-SKIPPED:]


def place(asked: str) -> str:
    """Where a form leads back to: a page of ours, whatever was asked for."""
    return asked if PLACE.fullmatch(asked) else "/review"
