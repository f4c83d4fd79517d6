"""Which list of the queue somebody looks at, narrowed how and sorted how; it reads it page by page."""

from collections.abc import Sequence
from typing import get_args

from bot.records import Delivery, Draft, Listing, Sort, Status
from bot.review.outgoing import Outgoing
from bot.store.drafts import Drafts

TABS: tuple[Status, ...] = (
    *("pending", "snoozed", "approved", "scheduled", "posting", "posted"),
    *("uncertain", "refused", "rejected"),
)
PAGE = 50


class View:
    """bot: one bot's lists, or those of all."""

    def __init__(self, drafts: Drafts, outgoing: Outgoing | None, bot: str | None):
        self._drafts, self._outgoing, self._bot = drafts, outgoing, bot
        self._next = ""
        self.tab: Status = "pending"
        self.sort: Sort = "newest"
        self.search, self.starred = "", False

    @property
    def listing(self) -> Listing:
        return Listing(self.tab, self._bot, self.search, self.sort, self.starred)

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.starred)

    @property
    def in_order(self) -> bool:
        """Whether it is the queue of approved drafts as slots take them, bot by bot."""
        return self.tab == "approved" and not self.narrowed and bool(self._outgoing)

    @property
    def title(self) -> str:
        parts = [str(self.tab)]
        if self.search:
            parts.append(f"with “{self.search}”")
        if self.starred:
            parts.append("favourites")
        return " · ".join(parts)

    @property
    def subtitle(self) -> str:
        if self.in_order:
            return "as slots take them"
        by = {"score": "by probable approval", "surprise": "by surprise"}
        return by.get(self.sort, f"{self.sort} first")

    def go(self, by: int) -> None:
        """To a list beside it, all of it."""
        self.tab = TABS[(TABS.index(self.tab) + by) % len(TABS)]
        self.widen()

    def widen(self) -> None:
        self.search, self.starred = "", False

    def sort_otherwise(self) -> None:
        sorts = get_args(Sort)
        self.sort = sorts[(sorts.index(self.sort) + 1) % len(sorts)]

    def first(self) -> Sequence[Draft | Delivery]:
        self._next = ""
        if self.tab == "uncertain" and self._outgoing and not self.narrowed:
            return self._outgoing.uncertain(self._bot)
        if self.in_order and self._outgoing:
            return self._outgoing.waiting(self._bot)
        return self._page()

    def more(self) -> Sequence[Draft]:
        return self._page() if self._next else ()

    def _page(self) -> Sequence[Draft]:
        page = self._drafts.page(self.listing, self._next, PAGE)
        self._next = page.next
        return page.drafts
