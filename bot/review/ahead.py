"""The next card, made while the one before it is read: no decision waits for it.

It knows no screen. What a draft will look like at its targets may take a while: it is asked for here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from bot.errors import BotError, NotFound
from bot.records import Draft, Measure, Outlet
from bot.review.decisions import Desk
from bot.review.shortlist import Picked, Shortlist
from bot.store.payload import sight

Measures = Callable[[str, str], Mapping[str, Measure]]


@dataclass(frozen=True)
class Card:
    """A draft and what a person is shown of it.

    seen: the `sight` of its outlets. trouble: why there are none.
    """

    draft: Draft
    outlets: Sequence[Outlet] = ()
    measures: Mapping[str, Measure] | None = None
    seen: str = ""
    trouble: str = ""
    picked: Picked | None = None


def make_card(desk: Desk, measures: Measures, draft: Draft, picked: Picked | None = None) -> Card:
    """A draft of a bot that is gone has a card too: it can still be rejected."""
    try:
        outlets = desk.outlets(draft.bot, draft.text)
        measured = measures(draft.bot, draft.text)
    except BotError as error:
        return Card(draft, trouble=str(error), picked=picked)
    return Card(draft, outlets, measured, sight(outlets), picked=picked)


class Ahead:
    """Any thread may call it; `prepare` is for one that nobody waits for."""

    def __init__(self, desk: Desk, shortlist: Shortlist, measures: Measures):
        self._desk, self._shortlist, self._measures = desk, shortlist, measures
        self._ready: Card | None = None
        self._lock = Lock()  # the shortlist is for one thread at a time

    def take(self, bot: str | None, skipped: Collection[int]) -> Card | None:
        """The next card, as it is now; None if nothing waits that was not skipped."""
        ready, self._ready = self._ready, None
        if ready is None or ready.draft.id in skipped or not self._is_as_it_was(ready.draft):
            with self._lock:
                ready = self._pick(bot, skipped)
        if ready is not None and ready.picked is not None:
            self._shortlist.note(ready.picked)
        return ready

    def put_back(self, card: Card) -> None:
        """It was not decided on: it is the next."""
        self._ready = card

    def prepare(self, bot: str | None, skipped: Collection[int], decided: str = "") -> None:
        """Make the next card, then learn from what was decided on a bot's draft."""
        with self._lock:
            if self._ready is None:
                self._ready = self._pick(bot, skipped)
            if decided:
                self._shortlist.catch_up(decided)

    def _pick(self, bot: str | None, skipped: Collection[int]) -> Card | None:
        picked = self._shortlist.pick(bot, skipped)
        return picked and make_card(self._desk, self._measures, picked.draft, picked)

    def _is_as_it_was(self, draft: Draft) -> bool:
        """But for its score, which every decision on another changes."""
        try:
            return replace(self._desk.drafts.get(draft.id), score=draft.score) == draft
        except NotFound:
            return False
