"""One decision on all drafts that match: first how many they are, then the same ones, one by one.

Each is a decision of its own, of the revision it has; they are undone together.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from bot.errors import Conflict
from bot.records import Draft, Listing, Outlet
from bot.review import reasons
from bot.review.decisions import Desk

Chosen = tuple[Draft, Sequence[Outlet]]  # a draft as it was looked at, and where it would go
TOGETHER = 100  # in one transaction: posting waits no longer than for these


@dataclass(frozen=True)
class Selection:
    """What a listing matched when somebody looked: so many, none newer than `newest`."""

    listing: Listing
    count: int
    newest: int


@dataclass(frozen=True)
class Bulk:
    """What became of them: drafts that were decided on, and those that were left, with the reason."""

    decided: Sequence[int]
    left: Sequence[tuple[int, str]]


def select(desk: Desk, listing: Listing) -> Selection:
    """How many drafts match now."""
    ids = desk.drafts.matching_ids(listing)
    return Selection(listing, len(ids), max(ids, default=0))


def approve_all(desk: Desk, selection: Selection) -> Bulk:
    """Approve what the gate allows; what it or a filter asks a person about is left to be looked at.

    Raises Conflict if other drafts match than were counted, StoreError if the bot has no target.
    """
    left: list[tuple[int, str]] = []
    chosen: list[Chosen] = []
    for draft in _selected(desk, selection):
        if reason := _objection(desk, draft):
            left.append((draft.id, reason))
        else:
            chosen.append((draft, desk.outlets(draft.bot, draft.text)))
    return _decided(desk, "approve", chosen, left)


def reject_all(desk: Desk, selection: Selection, reason: str = "", remark: str = "") -> Bulk:
    """Reject them all for one reason. Raises Conflict if other drafts match than were counted."""
    reasons.check(reason)
    chosen: list[Chosen] = [(draft, ()) for draft in _selected(desk, selection)]
    return _decided(desk, "reject", chosen, [], reason, remark.strip())


def _selected(desk: Desk, selection: Selection) -> Sequence[Draft]:
    drafts = [it for it in desk.drafts.matching(selection.listing) if it.id <= selection.newest]
    if len(drafts) != selection.count:
        msg = f"{len(drafts)} drafts match by now, and {selection.count} did when you looked: look again"
        raise Conflict(msg, select(desk, selection.listing))
    return drafts


def _objection(desk: Desk, draft: Draft) -> str:
    """What keeps a draft from being approved unseen, "" if nothing does."""
    verdicts = [*draft.doubts, *desk.gate(draft.bot, draft.text, draft.id)]
    doubts = [it for it in verdicts if it.outcome in ("ask", "reject")]
    return "; ".join(dict.fromkeys(it.reason or it.filter for it in doubts))


def _decided(
    desk: Desk,
    verdict: Literal["approve", "reject"],
    chosen: Sequence[Chosen],
    left: list[tuple[int, str]],
    reason: str = "",
    remark: str = "",
) -> Bulk:
    batch, decided = secrets.token_hex(8), list[int]()
    for some in _parts(chosen):
        done, conflicts = desk.drafts.decide_many(some, verdict, desk.actor, reason, remark, batch)
        decided += done
        left += conflicts
    return Bulk(decided, left)


def _parts(chosen: Sequence[Chosen]) -> Iterator[list[Chosen]]:
    rest = iter(chosen)
    while part := list(islice(rest, TOGETHER)):
        yield part
