"""What the pages are handed: what they show, and whom they ask for a decision.

It makes nothing of it; `bot.page` does. The protocols are what a page reads of the records of later rooms.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from math import inf
from threading import Lock
from typing import Protocol

from bot.curation.taste.arms import Arm
from bot.curation.taste.measures import Share
from bot.records import Check, Draft, Judged, Outlet, Slot, Status, Suggestion
from bot.review.decisions import Desk
from bot.review.outgoing import Outgoing
from bot.review.shortlist import Shortlist
from bot.store.deliveries import Deliveries
from bot.store.drafts import Drafts
from bot.store.fills import Fill
from bot.store.switches import Switches

COUNTED = 1.0  # seconds


@dataclass(frozen=True)
class Preview:
    """What one target would be given. length: in its own measure; limit: None if any will do.

    objection: why it would not take the text, "" if it would.
    """

    outlet: Outlet
    length: int
    limit: int | None
    objection: str = ""

    @property
    def fits(self) -> bool:
        return not self.objection and (self.limit is None or self.length <= self.limit)


@dataclass(frozen=True)
class Curve:
    """A checkpoint's losses by step, in nats per token, beside those of an n-gram."""

    model: str
    checkpoint: str
    steps: Sequence[int]
    train: Sequence[float]
    held_out: Sequence[float]
    ngram: float | None


class Coming(Protocol):
    """A slot to come and what fills it; text "" if nothing does."""

    @property
    def slot(self) -> Slot: ...
    @property
    def at(self) -> datetime: ...
    @property
    def draft(self) -> int | None: ...
    @property
    def text(self) -> str: ...
    @property
    def targets(self) -> Sequence[str]: ...
    @property
    def cost(self) -> float | None: ...
    @property
    def missed(self) -> bool: ...
    @property
    def again(self) -> bool: ...


class Outlook(Protocol):
    """What a bot's coming slots will bring as things are."""

    @property
    def bot(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def ends(self) -> date | None: ...
    @property
    def slots(self) -> Sequence[Coming]: ...
    @property
    def left(self) -> int: ...
    @property
    def dry(self) -> Slot | None: ...
    @property
    def cost(self) -> float | None: ...


class Standing(Protocol):
    """How one bot stands."""

    @property
    def bot(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def drafts(self) -> Mapping[Status, int]: ...
    @property
    def last_post(self) -> str: ...
    @property
    def last_post_at(self) -> datetime | None: ...
    @property
    def next_slot(self) -> datetime | None: ...
    @property
    def zone(self) -> str: ...


class Growing(Protocol):
    """The model, for whoever edits. Both raise BotError where it cannot go on so."""

    def continuations(self, draft: Draft, prefix: str) -> Sequence[Judged]: ...
    def suggestions(self, draft: Draft, prefix: str) -> Sequence[Suggestion]: ...


@dataclass(frozen=True)
class Office:
    """bots: of the configuration. desk, outgoing: where a person decides.

    previews: of a draft as it is now; raises BotError if its bot is gone. outlook: of a bot for so many days;
    raises BotError if it has no schedule. last_fill: what became of a bot's last batch. earned: approved of
    decided, by way to sample. media: an attachment's bytes by their sha256; raises NotFound. health: all that
    must be well.
    """

    bots: Sequence[str]
    clock: Callable[[], datetime]
    drafts: Drafts
    deliveries: Deliveries
    desk: Callable[[str], Desk]
    outgoing: Callable[[str], Outgoing]
    shortlist: Shortlist
    previews: Callable[[Draft], Sequence[Preview]]
    outlook: Callable[[str, int], Outlook]
    standings: Callable[[], Sequence[Standing]]
    last_fill: Callable[[str], Fill | None]
    earned: Callable[[str], Mapping[Arm, Share]]
    curves: Callable[[], Sequence[Curve]]
    media: Callable[[str], bytes]
    health: Callable[[], Sequence[Check]]
    switches: Switches
    growing: Growing
    _one_at_a_time: Lock = field(default_factory=Lock)
    _counted: dict[str | None, tuple[float, Mapping[Status, int]]] = field(default_factory=dict)

    def counts(self, bot: str | None) -> Mapping[Status, int]:
        """How many drafts have each status, or had COUNTED seconds ago: that is half of a page."""
        at, found = self._counted.get(bot, (-inf, {}))
        if time.monotonic() - at > COUNTED:
            found = self.drafts.counts(bot)
            self._counted[bot] = time.monotonic(), found
        return found

    def recount(self) -> None:
        """Something was decided here: who decided shall see it counted."""
        self._counted.clear()

    def next_draft(self, bot: str | None, skipped: Collection[int]) -> Draft | None:
        """The one to decide on next."""
        with self._one_at_a_time:
            return self.shortlist.next(bot, skipped)

    def learn(self, bot: str) -> None:
        """Let what was decided tell which draft comes next; nobody waits for it."""
        with self._one_at_a_time:
            self.shortlist.catch_up(bot)
