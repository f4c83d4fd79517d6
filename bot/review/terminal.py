"""The queue in the terminal: one card a draft, one key a decision, and lists of all that is not pending.

It draws and listens; what a decision does is the desk's affair. What it shows is read afresh, and whoever
else decides at the same time is noticed by the revision and the status that were shown.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from bot.child import prepare
from bot.errors import BotError, Conflict, GateError
from bot.records import Delivery, Draft
from bot.review.ahead import Measures, make_card
from bot.review.decisions import Desk
from bot.review.editor import Editor, Grows
from bot.review.found import Found
from bot.review.help import Help
from bot.review.keys import BY_ACTION
from bot.review.lists import Lists
from bot.review.outgoing import Outgoing
from bot.review.reasons import REASONS
from bot.review.shortlist import Shortlist
from bot.review.times import FORMS, moment_of
from bot.store.deciding import OPEN
from bot.store.drafts import Drafts

SHOWN = ("approve", "reject", "edit", "skip", "undo", "override")  # in the footer; the others are in the help
ALWAYS = ("quit", "help")
ON_CARDS = ("approve", "edit", "regrow", "skip", "override")  # a text is read whole before it is approved
ON_LISTS = ("sort", "favourites", "all", "move", "was_posted", "was_not_posted", "give_up")


def review(
    drafts: Drafts,
    desk: Desk,
    shortlist: Shortlist,
    bot: str | None = None,
    outgoing: Outgoing | None = None,
    grows: Grows | None = None,
    measures: Measures = lambda bot, text: {},
) -> None:
    """Show the queue until the person leaves."""
    prepare()
    Review(drafts, desk, shortlist, bot, outgoing, grows, measures).run()


def _bound(action: str, does: str = "") -> Binding:
    key = BY_ACTION[action]
    return Binding(key.key.replace("/", "slash"), does or action, key.label, show=action in SHOWN)


def _for_a_reason(number: int, name: str) -> Binding:
    """The first stands for all of them in the footer."""
    all = f"1-{len(REASONS)}"
    return Binding(str(number), f"reject('{name}')", "say why", key_display=all, show=number == 1)


class Review(Lists):
    """The keys that decide, and which of all keys do something now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(_bound(action) for action in ("approve", "reject", "edit", "skip", "override", "undo")),
        *(_for_a_reason(number, name) for number, name in enumerate(REASONS, start=1)),
        *(_bound(action) for action in ("regrow", "snooze", "star", "note", "like", "search")),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", show=False, priority=True),
        Binding("left_square_bracket,left", "list(-1)", show=False),
        Binding("right_square_bracket,right", "list(1)", show=False),
        Binding("Z", "snooze_until", show=False),
        Binding("R", "reject_saying", show=False),
        Binding("escape", "close", show=False),
        Binding("S", "sort", show=False),
        Binding("F", "favourites", show=False),
        Binding("A", "all('approve')", show=False),
        Binding("X", "all('reject')", show=False),
        Binding("shift+up", "move('up')", show=False),
        Binding("shift+down", "move('down')", show=False),
        Binding("shift+home", "move('first')", show=False),
        Binding("y", "was_posted", show=False),
        Binding("x", "was_not_posted", show=False),
        Binding("c", "give_up", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something now are shown, and work."""
        if action in ALWAYS or action not in OURS:
            return True
        if action == "close":
            return not self._editing
        if (
            self._typing
            or (action in ON_CARDS and self._in_list)
            or (action in ON_LISTS and not self._in_list)
        ):
            return False
        if action in ("was_posted", "was_not_posted", "give_up"):
            return isinstance(self.query_one(Found).current, Delivery)
        return self._permits(action, parameters)

    def _permits(self, action: str, parameters: tuple[object, ...]) -> bool:
        draft = self._draft
        match action:
            case "override":
                return self._overridable
            case "undo":
                return self._undoable
            case "skip":
                return self._card is not None and self._reviewing
            case "all":
                return self._liked is None and self._view.tab in OPEN[str(parameters[0])]
            case "move":
                return self._view.in_order
            case "regrow":
                return draft is not None and draft.status in OPEN["edit"]
            case "approve" | "edit" | "reject" | "snooze":
                return draft is not None and draft.status in OPEN[action]
            case "star" | "note" | "like" | "snooze_until" | "reject_saying":
                return draft is not None
        return True

    def action_approve(self, override: bool = False) -> None:
        if (card := self._card) is not None:
            self._decide(
                lambda draft: self._desk.approve(
                    draft.id, draft.sha256, override, seen=card.seen, was=draft.status
                )
            )

    def action_override(self) -> None:
        self.action_approve(override=True)

    def action_reject(self, reason: str = "", remark: str = "") -> None:
        self._decide(
            lambda draft: self._desk.reject(draft.id, draft.sha256, reason, remark, draft.status),
            f" as {REASONS[reason]}" if reason else "",
        )

    def action_reject_saying(self) -> None:
        self._ask("why it is rejected", lambda remark: self.action_reject(remark=remark))

    def action_snooze(self) -> None:
        self._snooze("1d")

    def action_snooze_until(self) -> None:
        self._ask(f"until when? {FORMS}", self._snooze)

    def _snooze(self, written: str) -> None:
        def put_off(draft: Draft) -> Draft:
            until = moment_of(written, self._drafts.now().astimezone())
            return self._desk.snooze(draft.id, until, draft.sha256, draft.status)

        self._decide(put_off)

    def action_skip(self) -> None:
        if self._card is not None:
            self._skipped.add(self._card.draft.id)
            self._show_next()

    def action_undo(self) -> None:
        try:
            undone = self._desk.undo_last()
        except BotError as error:
            self._say(str(error))
            return
        first = undone[0]
        self._skipped -= {draft.id for draft in undone}
        if self._in_list:
            self._show_list()
        elif self._reviewing and first.status == "pending":
            if self._card is not None:
                self._ahead.put_back(self._card)
            self._show(make_card(self._desk, self._measures, first))
        else:
            self._look_again()
        more = f", and {len(undone) - 1} others" if len(undone) > 1 else ""
        self._say(f"Undone: draft {first.id} is {first.status} again{more}.", "dim")

    def action_star(self) -> None:
        self._mark(lambda draft: self._desk.star(draft.id, not draft.starred, draft.sha256))

    def action_note(self) -> None:
        if (draft := self._draft) is not None:
            self._ask(
                f"a note beside draft {draft.id}",
                lambda text: self._mark(lambda it: self._desk.note(it.id, text, it.sha256)),
                draft.note,
            )

    def action_edit(self, regrow: bool = False) -> None:
        if self._card is not None:
            self._open_editor(True)
            self.query_one(Editor).open(self._card.draft, regrow)

    def action_regrow(self) -> None:
        self.action_edit(regrow=True)

    def on_editor_done(self, message: Editor.Done) -> None:
        draft = self._draft
        if message.text is None or draft is None or message.text == draft.text:
            self._open_editor(False)
            return
        try:
            edited = self._desk.edit(draft.id, message.text, draft.sha256, draft.status)
        except GateError as error:
            self._say(str(error))  # and leave the editor open
        except BotError as error:
            self._open_editor(False)
            self._look_again(str(error))
        else:
            self._open_editor(False)
            self._show(make_card(self._desk, self._measures, edited))

    def _decide(self, decision: Callable[[Draft], Draft], so: str = "") -> None:
        """Make a decision on the draft that is shown, and go on. so: what is told of it."""
        if (draft := self._draft) is None:
            return
        try:
            decided = decision(draft)
        except GateError as error:
            self._overridable = error.overridable
            self._say(str(error))
            self.refresh_bindings()
        except Conflict as error:
            self._look_again(str(error))
        except BotError as error:
            self._say(str(error))
        else:
            self._go_on(draft, decided)
            self._say(f"Draft {draft.id} {decided.status}{so}.", "dim")

    def _go_on(self, draft: Draft, decided: Draft) -> None:
        if self._reviewing and not self._in_list:
            self._show_next(decided.bot)
            return
        self._decided = decided.bot
        found = self.query_one(Found)
        found.drop(draft)
        self._show_found()
        self._count()

    def _mark(self, marking: Callable[[Draft], Draft]) -> None:
        """Star it or note something; it stays where it is."""
        if (draft := self._draft) is None:
            return
        try:
            marked = marking(draft)
        except BotError as error:
            self._look_again(str(error))
            return
        self.query_one(Found).replace(marked)
        if not self._in_list and self._card is not None:
            self._show(replace(self._card, draft=marked))

    def _look_again(self, reason: str = "") -> None:
        """Somebody else decided or edited: show the draft as it is now, or the next one."""
        if self._in_list:
            self._show_list()
        elif self._card is not None:
            now = self._drafts.get(self._card.draft.id)
            if now.status == "pending" or not self._reviewing:
                self._show(make_card(self._desk, self._measures, now))
            else:
                self._show_next()
        self._say(reason)

    def action_help(self) -> None:
        self.push_screen(Help())


OURS = {
    name.removeprefix("action_")
    for part in (Review, Lists)
    for name in vars(part)
    if name.startswith("action_")
}
