"""What a report is made of: sections with sentences, tables, drawings, samples and figures by name.

It does not know how a report looks, nor what was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.reports.drawing import Drawing

Figure = float | str  # a number, or what was found in words
Cell = str | float | None  # of a table; None where nothing was measured


@dataclass(frozen=True)
class Table:
    """Rows under columns; numbers stand to the right. note: what its columns mean."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Samples:
    """Texts that a model wrote, and how they came to be. folded: shown on the page to who asks for them."""

    title: str
    texts: Sequence[str]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """What one step found. figures: measured values that other places quote by name."""

    title: str
    prose: Sequence[str] = ()
    tables: Sequence[Table] = ()
    drawings: Sequence[Drawing] = ()
    samples: Sequence[Samples] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Beside:
    """A published figure and ours. ours: measured, "" where it was not."""

    id: str
    what: str
    published: str
    ours: str
    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Report:
    """A whole report. scale: what was run, in a sentence. partial: what is not done yet, "" if all is.

    facts: what was read, whom to thank for it. sections: by the names that figures are quoted by.
    """

    title: str
    document: str
    scale: str
    warning: str = ""
    partial: str = ""
    beside: Sequence[Beside] = ()
    assumed: Sequence[str] = ()
    facts: Sequence[str] = ()
    sections: Mapping[str, Section] = field(default_factory=dict)


def shown(value: Cell) -> str:
    """As tables and rows print it: whole numbers with commas, others with four significant digits."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4g}"
