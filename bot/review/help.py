"""The keys of the review on one screen, from the one table of them."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from bot.review.keys import IN_LISTS, KEYS, OF_TERMINAL, Key


class Help(ModalScreen[None]):
    """Any of these keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,escape,q,enter,space", "dismiss", "close"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll() as box:
            box.border_title, box.border_subtitle = "keys", "escape closes"
            yield Static(_table((KEYS, OF_TERMINAL, IN_LISTS)))


def _table(parts: Iterable[Iterable[Key]]) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(style="bold yellow", justify="right", no_wrap=True)
    table.add_column(ratio=1)
    for number, part in enumerate(parts):
        if number:
            table.add_row()
        for key in part:
            table.add_row(key.key, key.means)
    return table
