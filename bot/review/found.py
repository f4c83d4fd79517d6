"""A list of the queue in the terminal: a line each, more when the end is reached.

It shows what it is given; where drafts come from and what is decided of them others know.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from bot.records import Delivery, Draft
from bot.review.card import show

NEAR_THE_END = 10  # lines


class Found(OptionList):
    """Drafts, or deliveries in doubt, by `id`s that are the same for both."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    class More(Message):
        """The end is near."""

    def __init__(self, id: str | None = None):
        super().__init__(id=id)
        self.items: list[Draft | Delivery] = []

    def fill(self, items: Sequence[Draft | Delivery], chosen: int = 0) -> None:
        self.items = []
        self.clear_options()
        self.add(items)
        if items:
            self.highlighted = min(chosen, len(items) - 1)

    def add(self, items: Sequence[Draft | Delivery]) -> None:
        self.items += items
        self.add_options([Option(_line(one)) for one in items])

    @property
    def current(self) -> Draft | Delivery | None:
        at = self.highlighted
        return None if at is None or at >= len(self.items) else self.items[at]

    def replace(self, draft: Draft) -> None:
        """Show a draft as it is now."""
        for at, one in enumerate(self.items):
            if isinstance(one, Draft) and one.id == draft.id:
                self.items[at] = draft
                self.replace_option_prompt_at_index(at, _line(draft))

    def drop(self, item: Draft | Delivery) -> None:
        """Take a line away; the next one is chosen."""
        at = next((n for n, one in enumerate(self.items) if one.id == item.id), None)
        if at is None:
            return
        del self.items[at]
        self.remove_option_at_index(at)
        self.highlighted = min(at, len(self.items) - 1) if self.items else None

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        if message.option_index >= len(self.items) - NEAR_THE_END:
            self.post_message(self.More())


def _line(item: Draft | Delivery) -> Text:
    line = _of_delivery(item) if isinstance(item, Delivery) else _of_draft(item)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _of_draft(draft: Draft) -> Text:
    liked = "    " if draft.score is None else f"{draft.score:4.0%}"
    surprise = f"{draft.candidate.surprise:5.2f}"
    star = ("★ ", "yellow") if draft.starred else "  "
    doubt = ("? ", "bold yellow") if draft.doubts else ""
    text = show(draft.text.replace("\n", " ⏎ "))
    note = Text.assemble(("  ", ""), show(draft.note, "italic dim")) if draft.note else ""
    return Text.assemble(
        (f"{draft.id:>6}  ", "dim"), (f"{surprise}  {liked}  ", "dim"), star, doubt, text, note
    )


def _of_delivery(delivery: Delivery) -> Text:
    where = (
        delivery.target if delivery.account == delivery.target else f"{delivery.target} {delivery.account}"
    )
    text = show(delivery.text.replace("\n", " ⏎ "))
    head = (f"{delivery.draft:>6}  {where}  ", "dim")
    return Text.assemble(head, text, "  ", show(delivery.reason, "dim italic"))
