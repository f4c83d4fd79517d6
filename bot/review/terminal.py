"""The queue in the terminal: one card a draft, one key a decision.

It draws and listens; what a decision does is the desk's affair. It keeps nothing: every card is read afresh,
and whoever else decides at the same time is noticed by the revision the card shows.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Footer, Static, TextArea

from bot.errors import BotError, Conflict, GateError
from bot.records import Draft, Outlet
from bot.review.card import marked, where, why
from bot.review.decisions import Desk
from bot.review.shortlist import Shortlist
from bot.store.drafts import Drafts
from bot.store.payload import sight


def review(drafts: Drafts, desk: Desk, shortlist: Shortlist, bot: str | None = None) -> None:
    """Show the pending drafts until the person leaves."""
    Review(drafts, desk, shortlist, bot).run()


class Editor(TextArea):
    """Enter saves, ctrl+j breaks the line, escape gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "save", priority=True),
        Binding("escape", "leave", "leave it as it was", priority=True),
        Binding("ctrl+j", "break_line", "new line", priority=True),
    ]

    class Done(Message):
        """text: what is to be saved, None if nothing."""

        def __init__(self, text: str | None):
            super().__init__()
            self.text = text

    def action_save(self) -> None:
        self.post_message(self.Done(self.text))

    def action_leave(self) -> None:
        self.post_message(self.Done(None))

    def action_break_line(self) -> None:
        self.insert("\n")


class Review(App[None]):
    """The pending drafts of one bot, or of all."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "terminal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "approve"),
        Binding("r", "reject", "reject"),
        Binding("e", "edit", "edit"),
        Binding("s", "skip", "skip"),
        Binding("o", "override", "approve all the same"),
        Binding("u", "undo", "undo"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", show=False, priority=True),
    ]

    def __init__(self, drafts: Drafts, desk: Desk, shortlist: Shortlist, bot: str | None = None):
        super().__init__()
        self._drafts, self._desk, self._shortlist, self._bot = drafts, desk, shortlist, bot
        self._draft: Draft | None = None  # on the card
        self._seen = ""  # what of its outlets was shown
        self._overridable = False  # the gate forbade the card's text, and a person may insist
        self._skipped: set[int] = set()
        self._decided: list[int] = []  # what undo takes back, the newest last

    def compose(self) -> ComposeResult:
        yield Static(id="counts")
        with VerticalScroll(id="card"):
            yield Static(id="text")
            yield Editor(id="editor", soft_wrap=True, show_line_numbers=False)
            with Vertical(id="about"):
                yield Static(id="why")
                yield Static(id="where")
        yield Static(id="notice")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.theme = "gruvbox"
        self.query_one(Editor).display = False
        self._show_next()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something now are shown, and work."""
        if action in ("approve", "reject", "edit", "skip", "override", "undo") and self._editing:
            return False
        if action in ("approve", "reject", "edit", "skip"):
            return self._draft is not None
        if action == "override":
            return self._overridable
        return bool(self._decided) if action == "undo" else True

    # what the keys do

    def action_approve(self, override: bool = False) -> None:
        self._decide(lambda draft: self._desk.approve(draft.id, draft.sha256, override, seen=self._seen))

    def action_override(self) -> None:
        self.action_approve(override=True)

    def action_reject(self) -> None:
        self._decide(lambda draft: self._desk.reject(draft.id, draft.sha256))

    def action_skip(self) -> None:
        if self._draft is not None:
            self._skipped.add(self._draft.id)
            self._show_next()

    def action_undo(self) -> None:
        id = self._decided.pop()
        try:
            draft = self._desk.undo(id)
        except BotError as error:
            self._show_next()
            self._say(str(error))
        else:
            self._show(draft)
            self._say(f"Undone: draft {id} is {draft.status} again.", "dim")

    def action_edit(self) -> None:
        if self._draft is not None:
            editor = self.query_one(Editor)
            editor.text = self._draft.text
            editor.move_cursor(editor.document.end)
            self._open_editor(True)

    def on_editor_done(self, message: Editor.Done) -> None:
        draft = self._draft
        if message.text is None or draft is None or message.text == draft.text:
            self._open_editor(False)
            return
        try:
            edited = self._desk.edit(draft.id, message.text, draft.sha256)
        except GateError as error:
            self._say(str(error))  # and leave the editor open
        except BotError as error:
            self._open_editor(False)
            self._look_again(draft, str(error))
        else:
            self._open_editor(False)
            self._decided.append(draft.id)
            self._show(edited)

    def _decide(self, decision: Callable[[Draft], Draft]) -> None:
        if (draft := self._draft) is None:
            return
        try:
            decided = decision(draft)
        except GateError as error:
            self._overridable = error.overridable
            self._say(str(error))
            self.refresh_bindings()
        except Conflict as error:
            self._look_again(draft, str(error))
        except BotError as error:
            self._say(str(error))
        else:
            self._decided.append(draft.id)
            self._show_next()
            self._say(f"Draft {draft.id} {decided.status}.", "dim")
            self.call_after_refresh(self._shortlist.catch_up, draft.bot)  # while the next card is read

    # what is shown

    def _look_again(self, draft: Draft, reason: str) -> None:
        """Somebody else decided or edited: show the draft as it is now, or the next one."""
        now = self._drafts.get(draft.id)
        if now.status == "pending":
            self._show(now)
        else:
            self._show_next()
        self._say(reason)

    def _show_next(self) -> None:
        """The one that the shortlist has next, of those that were not skipped."""
        self._show(self._shortlist.next(self._bot, self._skipped))

    def _show(self, draft: Draft | None) -> None:
        self._draft, self._overridable, self._seen = draft, False, ""
        self._say("")
        self._count()
        if draft is None:
            self._show_nothing()
        else:
            self._skipped.discard(draft.id)
            self.query_one("#card").border_title = f"draft {draft.id}"
            self.query_one("#card").border_subtitle = f"{draft.bot}, revision {draft.revision}"
            self._write("#text", marked(draft))
            self._write("#why", why(draft))
            self._write("#where", _or_error(lambda: where(draft, self._look(draft))))
        self.query_one("#about").display = draft is not None
        self.refresh_bindings()

    def _look(self, draft: Draft) -> Sequence[Outlet]:
        """Where it will go, and take note that this was looked at."""
        outlets = self._desk.outlets(draft.bot, draft.text)
        self._seen = sight(outlets)
        return outlets

    def _show_nothing(self) -> None:
        card = self.query_one("#card")
        card.border_title = card.border_subtitle = ""
        line = f"Nothing to review: `bot fill {self._bot or 'BOT'}` brings new drafts."
        if self._skipped:
            line = f"Nothing else to review; skipped: {len(self._skipped)}. Start again to see them."
        self._write("#text", Text(line))

    def _count(self) -> None:
        counts = self._drafts.counts(self._bot)
        line = Text.assemble((f" {self._bot or 'all bots'} ", "bold reverse"), "  ")
        line.append("  ".join(f"{count} {name}" for name, count in counts.items() if count))
        self._write("#counts", line)

    def _open_editor(self, open: bool) -> None:
        editor = self.query_one(Editor)
        editor.display, self.query_one("#text").display = open, not open
        self.set_focus(editor if open else None)
        self._say("")
        self.refresh_bindings()

    @property
    def _editing(self) -> bool:
        return bool(self.query_one(Editor).display)

    def _say(self, line: str, style: str = "yellow") -> None:
        self._write("#notice", Text(line, style))

    def _write(self, where: str, what: object) -> None:
        self.query_one(where, Static).update(what)  # type: ignore[arg-type]


def _or_error(part: Callable[[], object]) -> object:
    """A part of the card, or why there is none: a draft of a bot that is gone can still be rejected."""
    try:
        return part()
    except BotError as error:
        return Text(str(error), "yellow")
