"""The review: one card a draft, the next one there before it is asked for.

It shows, and decides nothing (`decisions` does).
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.curation.bands import bands_of
from bot.errors import BotError
from bot.records import Draft
from bot.review.decisions import REASONS
from bot.store.deciding import OPEN
from bot.store.payload import sight
from bot.web.asked import BotName, DraftId, Rooms, Skipped, read_ids
from bot.web.door import Person
from bot.web.office import Office, Preview
from bot.web.pages import render, written
from bot.web.sessions import Session

router = APIRouter()


@dataclass(frozen=True)
class View:
    """For whom something is shown, in which review: of one bot or all, without what was passed over."""

    rooms: Office
    session: Session
    bot: str = ""
    skip: str = ""
    overridable: bool = False
    in_review: bool = False

    def after(self, draft: Draft) -> str:
        """The review without this draft."""
        return self._address(",".join(filter(None, [self.skip, str(draft.id)])))

    @property
    def address(self) -> str:
        return self._address(self.skip)

    def _address(self, skip: str) -> str:
        query = urlencode(
            {name: value for name, value in [("bot", self.bot), ("skip", skip)] if value}, safe=","
        )
        return f"/review?{query}" if query else "/review"


@router.get("/")
def start() -> Response:
    return RedirectResponse("/review", 303)


@router.get("/review")
def show_review(rooms: Rooms, session: Person, bot: BotName = "", skip: Skipped = "") -> Response:
    """The next card, of one bot or of all; skip: drafts that were passed over."""
    draft = rooms.next_draft(bot or None, read_ids(skip))
    return page(View(rooms, session, bot, skip, in_review=True), draft)


@router.get("/review/card")
def show_card(rooms: Rooms, session: Person, bot: BotName = "", skip: Skipped = "") -> Response:
    """The card alone, for the script; empty if none is left."""
    draft = rooms.next_draft(bot or None, read_ids(skip))
    return HTMLResponse("" if draft is None else card(View(rooms, session, bot, skip, in_review=True), draft))


@router.get("/drafts/{id}")
def show_draft(rooms: Rooms, session: Person, id: DraftId) -> Response:
    """One draft, whatever became of it, and its story."""
    return page(View(rooms, session), rooms.drafts.get(id))


def page(view: View, draft: Draft | None, notice: str = "", status: int = 200) -> HTMLResponse:
    """The draft on a page of its own; None: nothing is left."""
    rooms, session = view.rooms, view.session
    said, session.notice = notice or session.notice, ""
    alone = draft if draft and not view.in_review else None
    return render(
        "review.html",
        status,
        session=session,
        card="" if draft is None else card(view, draft),
        view=view,
        counts=rooms.counts(view.bot or None),
        notice=said,
        failed=status >= 400,
        at="review" if view.in_review else "",
        decisions=rooms.drafts.decisions(alone.id) if alone else (),
        steps=rooms.deliveries.steps(alone.id) if alone else (),
        deliveries=rooms.deliveries.list(draft=alone.id) if alone else (),
    )


def card(view: View, draft: Draft) -> str:
    previews, fault = _previews(view.rooms, draft)
    return written(
        "card.html",
        draft=draft,
        view=view,
        previews=previews,
        fault=fault,
        bands=bands_of(draft.candidate.surprise),
        sight=sight([preview.outlet for preview in previews]) if previews else "",
        open=_open(view, draft),
        reasons=REASONS,
    )


def _open(view: View, draft: Draft) -> set[str]:
    """The decisions that can be made on it now."""
    open = {verdict for verdict, statuses in OPEN.items() if draft.status in statuses}
    decided = view.in_review or view.rooms.drafts.decisions(draft.id)
    return open if decided else open - {"undo"}


def _previews(rooms: Office, draft: Draft) -> tuple[list[Preview], str]:
    """What its targets would be given, or why nobody knows: such a draft can still be rejected."""
    try:
        return list(rooms.previews(draft)), ""
    except BotError as error:
        return [], str(error)
