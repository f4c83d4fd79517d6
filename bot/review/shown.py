"""What the review in the terminal shows: a card, a list, a line that is asked for.

It decides nothing. What it shows is read afresh each time.
"""

from collections.abc import Callable

from rich.console import RenderableType
from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Footer, Input, Static

from bot.records import Delivery, Draft
from bot.review.ahead import Ahead, Card, Measures, make_card
from bot.review.card import marked, where, why
from bot.review.decisions import Desk
from bot.review.editor import Editor, Grows
from bot.review.found import Found
from bot.review.outgoing import Outgoing
from bot.review.shortlist import Shortlist
from bot.review.view import TABS, View
from bot.store.drafts import Drafts


class Shown(App[None]):
    """The drafts of one bot, or of all.

    outgoing: where what is on its way is decided on; grows: who goes on with a text; measures: of a text at
    its targets.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "terminal.tcss"

    def __init__(
        self,
        drafts: Drafts,
        desk: Desk,
        shortlist: Shortlist,
        bot: str | None = None,
        outgoing: Outgoing | None = None,
        grows: Grows | None = None,
        measures: Measures = lambda bot, text: {},
    ):
        super().__init__()
        self._drafts, self._desk, self._bot, self._outgoing = drafts, desk, bot, outgoing
        self._grows, self._measures = grows, measures
        self._ahead = Ahead(desk, shortlist, measures)
        self._view = View(drafts, outgoing, bot)
        self._card: Card | None = None  # that is shown
        self._overridable = False  # the gate forbade the card's text, and a person may insist
        self._skipped: set[int] = set()
        self._then: Callable[[str], None] | None = None  # what is done with what was asked for
        self._liked: Draft | None = None  # what is listed are the drafts nearest to this one
        self._undoable = False
        self._decided = ""  # the bot that was decided on in a list: there is something to learn

    def compose(self) -> ComposeResult:
        yield Static(id="lists")
        with VerticalScroll(id="card"):
            yield Static(id="text")
            yield Editor(self._grows, id="editor")
            with Vertical(id="about"):
                yield Static(id="why")
                yield Static(id="where")
        yield Found(id="found")
        yield Input(id="asked")
        yield Static(id="notice")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.theme = "gruvbox"
        for hidden in ("#editor", "#found", "#asked"):
            self.query_one(hidden).display = False
        self._show_next()

    def on_unmount(self) -> None:
        """A thread that waits for the model would keep the screen from ending."""
        if self._grows is not None:
            self._grows.close()

    # what keys are about

    @property
    def _in_list(self) -> bool:
        return bool(self.query_one(Found).display)

    @property
    def _reviewing(self) -> bool:
        """Whether what is pending is shown card by card, as the shortlist has it."""
        return self._view.tab == "pending" and not self._view.narrowed and self._liked is None

    @property
    def _editing(self) -> bool:
        return bool(self.query_one(Editor).display)

    @property
    def _asking(self) -> bool:
        return bool(self.query_one("#asked").display)

    @property
    def _typing(self) -> bool:
        return self._editing or self._asking

    @property
    def _draft(self) -> Draft | None:
        """The one that keys decide on."""
        if not self._in_list:
            return self._card.draft if self._card else None
        current = self.query_one(Found).current
        return current if isinstance(current, Draft) else None

    @property
    def _doubt(self) -> Delivery | None:
        current = self.query_one(Found).current
        return current if isinstance(current, Delivery) else None

    # asking for a line

    def _ask(self, what: str, then: Callable[[str], None], text: str = "") -> None:
        asked = self.query_one("#asked", Input)
        self._then, asked.border_title, asked.value, asked.display = then, what, text, True
        asked.focus()
        self.refresh_bindings()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        then, self._then = self._then, None
        self._stop_asking()
        if then is not None:
            then(message.value.strip())

    def _stop_asking(self) -> None:
        self.query_one("#asked").display = False
        self.set_focus(self.query_one(Found) if self._in_list else None)
        self.refresh_bindings()

    # what is shown

    def _show_next(self, decided: str = "") -> None:
        """The one that the shortlist has next, of those that were not skipped; then make the one after it."""
        card = self._ahead.take(self._bot, self._skipped)
        self._show(card)
        self._prepare(card.draft if card else None, decided)

    def _show_again(self) -> None:
        """The card that lists were opened from, as it is now; the next one, if that was decided on."""
        decided, self._decided = self._decided, ""
        now = self._drafts.get(self._card.draft.id) if self._card else None
        if now is None or now.status != "pending":
            self._show_next(decided)
        else:
            self._show(make_card(self._desk, self._measures, now))
            self._prepare(now, decided)

    def _prepare(self, shown: Draft | None, decided: str) -> None:
        """Make the card after the one that is shown, in a thread, and learn from what was decided."""
        taken = self._skipped | ({shown.id} if shown else set())
        self.run_worker(lambda: self._ahead.prepare(self._bot, taken, decided), thread=True, group="ahead")

    def _show(self, card: Card | None) -> None:
        self._card, self._overridable = card, False
        self.query_one("#card").display = True
        self._say("")
        self._count()
        if card is None:
            self._show_nothing()
        else:
            self._draw(card)
        self.query_one("#about").display = card is not None
        self.refresh_bindings()

    def _draw(self, card: Card) -> None:
        draft, box = card.draft, self.query_one("#card", VerticalScroll)
        self._skipped.discard(draft.id)
        status = "" if draft.status == "pending" else f", {draft.status}"
        box.border_title = f"{'★ ' if draft.starred else ''}draft {draft.id}{status}"
        box.border_subtitle = f"{draft.bot}, revision {draft.revision}"
        box.scroll_home(animate=False)
        self._write("#text", marked(draft))
        self._write("#why", why(draft))
        shown = Text(card.trouble, "yellow") if card.trouble else where(draft, card.outlets, card.measures)
        self._write("#where", shown)

    def _show_nothing(self) -> None:
        card = self.query_one("#card")
        card.border_title = card.border_subtitle = ""
        line = f"Nothing to review: `bot fill {self._bot or 'BOT'}` brings new drafts."
        if self._skipped:
            line = f"Nothing else to review; skipped: {len(self._skipped)}. Start again to see them."
        self._write("#text", Text(line))

    def _show_card_of(self, id: int) -> None:
        self.query_one(Found).display = False
        self._show(make_card(self._desk, self._measures, self._drafts.get(id)))

    def _show_found(self) -> None:
        found = self.query_one(Found)
        found.display, self.query_one("#card").display = True, False
        self.set_focus(found)
        self.refresh_bindings()

    def _open_editor(self, open: bool) -> None:
        self.query_one(Editor).display, self.query_one("#text").display = open, not open
        if not open:
            self.set_focus(None)
        self._say("")
        self.refresh_bindings()

    def _count(self) -> None:
        """How many drafts each list has, the empty ones left out; and whether there is something to undo."""
        self._undoable = bool(self._drafts.last_of(self._desk.actor))
        counts = self._drafts.counts(self._bot)
        line = Text.assemble((f" {self._bot or 'all bots'} ", "bold reverse"))
        for name, count in ((name, counts[name]) for name in TABS):
            if count or name == self._view.tab:
                style = "reverse" if name == self._view.tab and not self._liked else ""
                line.append("  ").append(f" {count} {name} ", style)
        self._write("#lists", line)

    def _say(self, line: str, style: str = "yellow") -> None:
        self._write("#notice", Text(line, style))

    def _write(self, where: str, what: RenderableType) -> None:
        self.screen_stack[0].query_one(where, Static).update(what)
