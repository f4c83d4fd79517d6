"""The lists of the review in the terminal: searched, sorted, decided on as a whole; what is on its way."""

from collections.abc import Callable
from typing import Literal

from textual.widgets import OptionList

from bot.errors import BotError
from bot.records import Delivery
from bot.review import bulk
from bot.review.found import Found
from bot.review.outgoing import Outgoing
from bot.review.shown import Shown


class Lists(Shown):
    """The keys that work on lists."""

    def action_list(self, by: int) -> None:
        self._view.go(by)
        self._look_around()

    def action_search(self) -> None:
        def search(text: str) -> None:
            self._view.search = text
            self._look_around()

        self._ask(f"search {self._view.tab}", search, self._view.search)

    def action_favourites(self) -> None:
        self._view.starred = not self._view.starred
        self._look_around()

    def action_sort(self) -> None:
        self._view.sort_otherwise()
        self._show_list()

    def action_like(self) -> None:
        if (draft := self._draft) is not None:
            self._liked = draft
            self._show_list()

    def action_close(self) -> None:
        """One step back: from a card to its list, from a search to all of it, from there to the review."""
        if self._asking:
            self._then = None
            self._stop_asking()
        elif not self._in_list and not self._reviewing:
            self._show_found()
        elif self._liked is not None or self._view.narrowed:
            self._view.widen()
            self._look_around()
        elif not self._reviewing:
            self._view.tab = "pending"
            self._look_around()

    def action_all(self, verdict: str) -> None:
        selection = bulk.select(self._desk, self._view.listing)

        def decide(answer: str) -> None:
            if answer.casefold() in ("y", "yes"):
                self._say(f"deciding on {selection.count} ...", "dim")
                self.run_worker(lambda: self._decide_all(verdict, selection), thread=True)

        if selection.count:
            self._ask(f"{verdict} all {selection.count} that are {self._view.title}? yes or no", decide)

    def _decide_all(self, verdict: str, selection: bulk.Selection) -> None:
        """In a thread: the gate looks at each."""
        decide = bulk.approve_all if verdict == "approve" else bulk.reject_all
        try:
            done = decide(self._desk, selection)
        except BotError as error:
            told = str(error)
        else:
            left = "".join(f" Left: draft {id}: {reason}." for id, reason in done.left[:3])
            more = f" And {len(done.left) - 3} more were left." if len(done.left) > 3 else ""
            told = f"{len(done.decided)} decided.{left}{more} u takes all of it back."
        if self.is_running:
            self.call_from_thread(self._told_of_all, told)

    def _told_of_all(self, told: str) -> None:
        self._show_list()
        self._say(told)

    def action_move(self, to: Literal["up", "down", "first"]) -> None:
        draft, found = self._draft, self.query_one(Found)
        if draft is None or self._outgoing is None:
            return
        try:
            self._outgoing.move(draft.id, to)
        except BotError as error:
            self._say(str(error))
        waiting = self._view.first()
        found.fill(waiting, next((n for n, it in enumerate(waiting) if it.id == draft.id), 0))

    def action_was_posted(self) -> None:
        if (doubt := self._doubt) is not None:
            self._ask(
                f"where is draft {doubt.draft} on {doubt.target}? its address or id",
                lambda at: self._settle(lambda way, it: way.was_posted(it.id, at, it.fence)),
            )

    def action_was_not_posted(self) -> None:
        self._settle(lambda way, it: way.was_not_posted(it.id, it.fence))

    def action_give_up(self) -> None:
        self._settle(lambda way, it: way.cancel(it.id, it.fence))

    def _settle(self, settle: Callable[[Outgoing, Delivery], Delivery]) -> None:
        if (doubt := self._doubt) is None or self._outgoing is None:
            return
        try:
            settled = settle(self._outgoing, doubt)
        except BotError as error:
            self._say(str(error))
            return
        self.query_one(Found).drop(doubt)
        self._count()
        self._say(f"Draft {doubt.draft} on {doubt.target}: {settled.state}.", "dim")

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A line of the list: its card."""
        if (draft := self._draft) is not None:
            self._show_card_of(draft.id)
        elif (doubt := self._doubt) is not None:
            self._show_card_of(doubt.draft)

    def on_option_list_option_highlighted(self) -> None:
        self.refresh_bindings()

    def on_found_more(self) -> None:
        if self._liked is None:
            self.query_one(Found).add(self._view.more())

    def _look_around(self) -> None:
        """Show what the view says: a list, or the review."""
        self._liked = None
        if self._reviewing:
            self.query_one(Found).display = False
            self.set_focus(None)
            self._show_again()
        else:
            self._show_list()

    def _show_list(self) -> None:
        if self._reviewing:
            self._look_around()
            return
        found = self.query_one(Found)
        items = self._desk.like(self._liked) if self._liked else self._view.first()
        found.border_title = f"like draft {self._liked.id}" if self._liked else self._view.title
        found.border_subtitle = "nearest first" if self._liked else self._view.subtitle
        found.fill(items, found.highlighted or 0)
        self._show_found()
        self._count()
        self._say("" if items else "There is none.", "dim")
