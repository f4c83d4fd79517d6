"""The field a text is changed in, in the terminal, and below it how the text could go on from the cursor.

What the model says comes from a thread; what was asked while it thought is asked anew when it has answered.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static, TextArea
from textual.widgets.option_list import Option

from bot.errors import BotError
from bot.records import Draft, Judged, Suggestion
from bot.review.card import show

FEW = 6  # suggestions in a line, and texts to choose from
TRIED = 16  # texts, of which the filters drop some


class Grows(Protocol):
    """What goes on with a text: the model host, behind whatever it takes to ask it. Both raise BotError."""

    def suggestions(self, draft: Draft, prefix: str, count: int = 8) -> Sequence[Suggestion]: ...

    def continuations(self, draft: Draft, prefix: str, count: int = 5) -> Sequence[Judged]: ...

    def close(self) -> None:
        """Nobody waits for an answer any more."""


class Field(TextArea):
    """Enter saves, ctrl+j breaks the line, escape gives up; tab takes the likeliest token."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "save", priority=True),
        Binding("escape", "leave", "leave it as it was", priority=True),
        Binding("ctrl+j", "break_line", "new line", priority=True),
        Binding("ctrl+g", "grow", "regrow from here", priority=True),
        Binding("tab", "complete", "take the first", priority=True),
    ]

    class Asked(Message):
        """what: save, leave, grow or complete."""

        def __init__(self, what: str):
            super().__init__()
            self.what = what

    def action_save(self) -> None:
        self.post_message(self.Asked("save"))

    def action_leave(self) -> None:
        self.post_message(self.Asked("leave"))

    def action_grow(self) -> None:
        self.post_message(self.Asked("grow"))

    def action_complete(self) -> None:
        self.post_message(self.Asked("complete"))

    def action_break_line(self) -> None:
        self.insert("\n")

    @property
    def prefix(self) -> str:
        """The text before the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)


class Grown(OptionList):
    """Texts to choose from; escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "back", priority=True)]

    class Back(Message):
        """Nothing was chosen."""

    def action_back(self) -> None:
        self.post_message(self.Back())


class Editor(Vertical):
    """grows: None where no model can be asked."""

    class Done(Message):
        """text: what is to be saved, None if nothing."""

        def __init__(self, text: str | None):
            super().__init__()
            self.text = text

    def __init__(self, grows: Grows | None, id: str | None = None):
        super().__init__(id=id)
        self._grows = grows
        self._draft: Draft | None = None
        self._suggested: Sequence[Suggestion] = ()
        self._texts: list[str] = []  # of the continuations that are shown
        self._wanted: str | None = None  # the prefix to ask about next
        self._asking = False

    def compose(self) -> ComposeResult:
        yield Field(soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
        yield Static(id="hints")
        yield Grown(id="grown")

    @property
    def field(self) -> Field:
        return self.query_one(Field)

    def open(self, draft: Draft, regrow: bool) -> None:
        """Edit a draft; regrow: with the cursor before its last word, and ways to go on from there."""
        self._draft, self._suggested, field = draft, (), self.field
        field.text = draft.text
        end = draft.text.rstrip().rfind(" ") + 1 if regrow else len(draft.text)
        before = draft.text[:end].split("\n")
        field.move_cursor((len(before) - 1, len(before[-1])))
        self.query_one(Grown).display = False
        self.query_one("#hints").display = self._grows is not None
        self._hint(Text("asking the model ...", "dim"))
        field.focus()
        if regrow:
            self.grow()
        else:
            self.ask()

    def on_field_asked(self, message: Field.Asked) -> None:
        if message.what == "grow":
            self.grow()
        elif message.what == "complete":
            self._complete()
        else:
            self.post_message(self.Done(self.field.text if message.what == "save" else None))

    def on_text_area_selection_changed(self, message: TextArea.SelectionChanged) -> None:
        self.ask()

    def ask(self) -> None:
        """Ask what may follow the cursor; while one question is open, only the newest waits."""
        if self._grows is None or not self.display or self._draft is None:
            return
        self._wanted = self.field.prefix
        if not self._asking:
            self._asking = True
            self.run_worker(self._suggest, thread=True, group="grow")

    def grow(self) -> None:
        """Ask how the text could go on from the cursor."""
        if (grows := self._grows) is None or (draft := self._draft) is None:
            self._hint(Text("no model can be asked here", "yellow"))
            return
        prefix = self.field.prefix
        self._hint(Text("growing ...", "dim"))
        self.run_worker(lambda: self._continue(grows, draft, prefix), thread=True, group="grow")

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.field.text = self._texts[message.option_index]
        self.field.move_cursor(self.field.document.end)
        self._close_grown()

    def on_grown_back(self) -> None:
        self._close_grown()

    # what the threads do

    def _suggest(self) -> None:
        grows, draft = self._grows, self._draft
        while grows is not None and draft is not None and (prefix := self._wanted) is not None:
            self._wanted = None
            try:
                found, trouble = grows.suggestions(draft, prefix, FEW), ""
            except BotError as error:
                found, trouble = (), str(error)
            self._tell(self._show_suggestions, prefix, found, trouble)
        self._asking = False

    def _continue(self, grows: Grows, draft: Draft, prefix: str) -> None:
        try:
            grown = grows.continuations(draft, prefix, TRIED)
        except BotError as error:
            self._tell(self._hint, Text(str(error), "yellow"))
        else:
            self._tell(self._show_grown, prefix, grown)

    def _tell(self, show: Callable[..., None], *what: object) -> None:
        """In the thread that draws, unless the review is over."""
        if self.app.is_running:
            self.app.call_from_thread(show, *what)

    # what is shown

    def _show_suggestions(self, prefix: str, found: Sequence[Suggestion], trouble: str) -> None:
        if prefix == self.field.prefix and not self.query_one(Grown).display:
            self._suggested = found
            self._hint(Text(trouble, "yellow") if trouble else _in_a_line(found))

    def _show_grown(self, prefix: str, grown: Sequence[Judged]) -> None:
        others = {
            one.candidate.text: one for one in grown if one.kept and one.candidate.text != self.field.text
        }
        kept = list(others.values())[:FEW]
        self._texts = [judged.candidate.text for judged in kept]
        choices = self.query_one(Grown)
        choices.clear_options()
        choices.add_options([Option(_grown(prefix, judged)) for judged in kept])
        choices.display = bool(kept)
        self._hint(_dropped(grown, bool(kept)))
        if kept:
            choices.highlighted = 0
            choices.focus()

    def _close_grown(self) -> None:
        self.query_one(Grown).display = False
        self.field.focus()
        self.ask()

    def _complete(self) -> None:
        if self._suggested and self._suggested[0].token:
            self.field.insert(self._suggested[0].token)

    def _hint(self, line: Text) -> None:
        self.query_one("#hints", Static).update(line)


def _in_a_line(found: Sequence[Suggestion]) -> Text:
    line = Text("next  ", "dim")
    for one in found:
        token = (
            show(one.token.replace(" ", "␣").replace("\n", "⏎"), "bold") if one.token else Text("end", "dim")
        )
        line = Text.assemble(line, token, (f" {one.probability:.0%}   ", "dim"))
    line.no_wrap = True
    return line


def _grown(prefix: str, judged: Judged) -> Text:
    """The text, what is new in it standing out, and what speaks against it."""
    text = judged.candidate.text
    doubts = [verdict.reason for verdict in judged.verdicts if verdict.outcome == "ask"]
    surprise = (f"  {judged.candidate.surprise:.2f}", "dim")
    doubt = show("  ? " + "; ".join(doubts), "yellow") if doubts else Text()
    return Text.assemble(show(text[: len(prefix)], "dim"), show(text[len(prefix) :], "bold"), surprise, doubt)


def _dropped(grown: Sequence[Judged], some: bool) -> Text:
    """What the filters did not let through, and why."""
    reasons = [it.reason or it.filter for one in grown for it in one.verdicts if it.outcome == "reject"]
    line = Text(
        "enter takes one, escape goes back" if some else "nothing that the filters let through", "dim"
    )
    if reasons:
        count = sum(not one.kept for one in grown)
        told = "; ".join(dict.fromkeys(reasons))
        line = Text.assemble(line, (f"   dropped {count}: ", "dim"), show(told, "dim"))
    line.truncate(300, overflow="ellipsis")
    return line
