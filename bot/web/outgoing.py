"""What is on its way: the calendar of two weeks, the order of what is approved, and what is in doubt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path
from fastapi.responses import RedirectResponse, Response

from bot.errors import BotError
from bot.records import Draft
from bot.web.asked import MOST, Back, BotName, DraftId, Rooms, place
from bot.web.door import Checked, Person
from bot.web.office import Coming, Office, Outlook
from bot.web.pages import render

router = APIRouter()
DAYS = 14
SHOWN = 200  # slots of a bot: one that posts every minute has more than anybody reads
DeliveryId = Annotated[int, Path(ge=1, le=MOST)]
Fence = Annotated[int, Form(ge=0, le=MOST)]


class Fortnight:
    """One bot's two weeks as a page shows them: by day, in the zone of its schedule."""

    def __init__(self, rooms: Office, bot: str, waiting: Sequence[Draft]):
        self.bot, self.waiting = bot, waiting
        self.outlook: Outlook | None = None
        self.fault = ""
        try:
            self.outlook = rooms.outlook(bot, DAYS)
        except BotError as error:
            self.fault = str(error)

    @property
    def days(self) -> Mapping[str, Sequence[tuple[str, Coming]]]:
        if self.outlook is None:
            return {}
        zone = ZoneInfo(self.outlook.zone)
        timed = [(one.at.astimezone(zone), one) for one in self.outlook.slots[:SHOWN]]
        by_day = groupby(timed, key=lambda pair: f"{pair[0]:%A, %d %B}")
        return {day: [(f"{at:%H:%M}", one) for at, one in pairs] for day, pairs in by_day}

    @property
    def dry(self) -> str:
        """When the first slot passes for which nothing is approved, "" if that comes later."""
        if self.outlook is None or self.outlook.dry is None:
            return ""
        return _when(self.outlook.dry.at, self.outlook.zone)

    def passes(self, one: Coming) -> str:
        """Why a slot passes that gets no draft."""
        dry = self.outlook and self.outlook.dry
        return (
            "nothing approved"
            if dry and one.slot.at >= dry.at
            else "what is approved is like the week's posts"
        )

    def note(self, one: Coming) -> str:
        """What is unusual about a slot, "" if nothing is."""
        if one.missed:
            return "missed, made up"
        return "a favourite, again" if one.again else "held up" if one.at > one.slot.at else ""


@router.get("/calendar")
def show_calendar(rooms: Rooms, session: Person, bot: BotName = "") -> Response:
    """Of one bot, or of all."""
    said, session.notice = session.notice, ""
    chosen = [name for name in rooms.bots if bot in ("", name)]
    outgoing = rooms.outgoing(session.name)
    bots = [Fortnight(rooms, name, outgoing.waiting(name)) for name in chosen]
    return render(
        "calendar.html",
        session=session,
        notice=said,
        at="calendar",
        calendars=bots,
        bots=rooms.bots,
        bot=bot,
        days=DAYS,
        shown=SHOWN,
    )


@router.post("/drafts/{id}/move")
def move(
    rooms: Rooms,
    session: Checked,
    id: DraftId,
    to: Annotated[Literal["up", "down", "first", "last"], Form()],
    back: Back = "",
) -> Response:
    """Let slots take an approved draft sooner or later."""
    moved = rooms.outgoing(session.name).move(id, to)
    session.notice = f"Draft {id} moved {to}." if moved else f"Draft {id} was there already."
    return RedirectResponse(f"{place(back)}#draft-{id}", 303)


@router.post("/deliveries/{id}/posted")
def say_posted(
    rooms: Rooms,
    session: Checked,
    id: DeliveryId,
    fence: Fence,
    where: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Somebody has looked: it is there."""
    delivery = rooms.outgoing(session.name).was_posted(id, where, fence)
    session.notice = f"Noted: draft {delivery.draft} was posted on {delivery.target}."
    return RedirectResponse(f"/drafts/{delivery.draft}", 303)


@router.post("/deliveries/{id}/not-posted")
def say_not_posted(rooms: Rooms, session: Checked, id: DeliveryId, fence: Fence) -> Response:
    """Somebody has looked: it is not there, and is posted again."""
    delivery = rooms.outgoing(session.name).was_not_posted(id, fence)
    session.notice = f"Noted: draft {delivery.draft} is posted on {delivery.target} again."
    return RedirectResponse(f"/drafts/{delivery.draft}", 303)


@router.post("/deliveries/{id}/cancel")
def give_up(rooms: Rooms, session: Checked, id: DeliveryId, fence: Fence) -> Response:
    """It shall not be tried again, whether it is there or not."""
    delivery = rooms.outgoing(session.name).cancel(id, fence)
    session.notice = f"Draft {delivery.draft} is not tried on {delivery.target} again."
    return RedirectResponse(f"/drafts/{delivery.draft}", 303)


def _when(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%A, %d %B, %H:%M}"
