"""What requests bring along, read strictly: drafts by number, revisions, lists, where to go back to."""

import re
from dataclasses import asdict
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

from fastapi import Depends, Form, Path, Query, Request

from bot.records import Listing, Sort, Status
from bot.web.office import Office

MOST = 2**63 - 1  # what a database takes for a number
SKIPPED = 300  # drafts that are remembered as passed over, the latest
PLACE = re.compile(r"/[a-z0-9/]*(\?[A-Za-z0-9=&%._+,*-]*)?(#[a-z0-9-]*)?")
LONGEST = 20_000  # characters of a text that somebody writes
SEARCHED = 200


def office(request: Request) -> Office:
    found: Office = request.app.state.office
    return found


Rooms = Annotated[Office, Depends(office)]
DraftId = Annotated[int, Path(ge=1, le=MOST)]
BotName = Annotated[str, Query(max_length=64)]
Skipped = Annotated[str, Query(max_length=20 * SKIPPED, pattern="^[0-9,]*$")]
Revision = Annotated[str, Form(pattern="^[0-9a-f]{64}$")]
Was = Annotated[Status, Form()]
Sight = Annotated[str, Form(pattern="^([0-9a-f]{64})?$")]
Flag = Annotated[bool, Form()]
Words = Annotated[str, Form(max_length=LONGEST)]
Back = Annotated[str, Form(max_length=8000)]


def read_ids(listed: str) -> list[int]:
    """`3,14,15` as numbers."""
    return [int(id) for id in listed.split(",") if id and int(id) <= MOST][-SKIPPED:]


def place(asked: str) -> str:
    """Where a form leads back to: a page of ours, whatever was asked for."""
    return asked if PLACE.fullmatch(asked) and not asked.startswith("//") else "/review"


def lines(text: str) -> str:
    """With line ends as we have them; browsers send others."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def listing(
    status: Annotated[str, Query(pattern=f"^(|all|{'|'.join(get_args(Status))})$")] = "pending",
    bot: BotName = "",
    search: Annotated[str, Query(max_length=SEARCHED)] = "",
    sort: Annotated[Sort, Query()] = "newest",
    starred: Annotated[bool, Query()] = False,
) -> Listing:
    wanted: Any = None if status in ("", "all") else status
    return Listing(wanted, bot or None, search, sort, starred)


Listed = Annotated[Listing, Depends(listing)]


def address(listing: Listing, path: str = "/queue", **more: str | int) -> str:
    """Where a list is found; what is as usual is left out."""
    usual, asked = asdict(Listing()), asdict(listing)
    given = {name: value for name, value in asked.items() if value != usual[name]}
    if "status" in given:
        given["status"] = given["status"] or "all"
    if given.get("starred"):
        given["starred"] = "true"
    query = urlencode(given | more)
    return f"{path}?{query}" if query else path
