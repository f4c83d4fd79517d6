"""How every figure looks and is written: PNG, SVG and, for who cannot see it, its text. It does not know
what is drawn.

Colours are those of Okabe and Ito (2008), told apart by every kind of colour vision; lines carry their
names. matplotlib is imported when something is drawn: it takes half a second.
"""

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, SKY, PURPLE, YELLOW = "#0072B2", "#D55E00", "#009E73", "#56B4E9", "#CC79A7", "#E69F00"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
INK, GREY, PALE = "#222222", "#666666", "#DDDDDD"
DPI = 160
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
    "font.size": 11,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "path",
    "svg.hashsalt": "the same figure, the same file",
    "text.color": INK,
    "text.parse_math": False,  # what a model writes may hold dollar signs
    "xtick.color": GREY,
    "ytick.color": GREY,
}


@dataclass(frozen=True)
class Drawing:
    """A figure with its name as a file, its title, and in words what it shows."""

    name: str
    figure: "Figure"
    title: str
    text: str

    def files(self) -> dict[str, bytes]:
        """By file name: the picture in two formats and its text."""
        return {
            f"{self.name}.png": self.png(),
            f"{self.name}.svg": self.svg(),
            f"{self.name}.txt": f"{self.title}\n\n{self.text}\n".encode(),
        }

    def png(self) -> bytes:
        return self._saved("png", {"Title": self.title, "Description": self.text, "Software": None})

    def svg(self) -> bytes:
        """With title and description where a screen reader looks for them."""
        picture = self._saved("svg", {"Title": self.title, "Date": None}).decode()
        words = f"<title>{escape(self.title)}</title>\n <desc>{escape(self.text)}</desc>"
        return re.sub(r"(<svg\b[^>]*)>", rf'\1 role="img">\n {_literal(words)}', picture, count=1).encode()

    def _saved(self, form: str, metadata: dict[str, str | None]) -> bytes:
        buffer = io.BytesIO()
        with styled():
            self.figure.savefig(buffer, format=form, dpi=DPI, metadata=metadata)
        return buffer.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """What is drawn in here looks like one of ours, whatever the user has set for matplotlib."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float, title: str, caption: str, right: float = 0.2) -> "Figure":
    """Sizes in inches. The title stands over the axes, what they mean under them, `right` inches are left for
    the names of lines. Made without a window and without matplotlib's list of open figures."""
    from matplotlib.figure import Figure

    lines, titles = textwrap.wrap(caption, round(13.2 * width)), textwrap.wrap(title, round(8.6 * width))
    figure = Figure(figsize=(width, height))
    above = "\n".join(titles)
    figure.text(0.15 / width, 1 - 0.14 / height, above, va="top", fontsize=14, fontweight="bold")
    figure.text(0.15 / width, 0.1 / height, "\n".join(lines), va="bottom", fontsize=10, color=GREY)
    figure.subplots_adjust(
        left=0.8 / width,
        right=1 - right / width,
        top=1 - (0.35 + 0.25 * len(titles)) / height,
        bottom=(0.75 + 0.175 * len(lines)) / height,
    )
    return figure


def label_ends(axes: "Axes", ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names beside the right ends of lines, (x, y, name, colour), moved apart where they would touch."""
    figure = axes.get_figure()
    assert figure is not None
    height = axes.get_window_extent().height / figure.dpi * 72  # points
    low, high = (axes.transData.transform((0, y))[1] for y in axes.get_ylim())
    heights = [(axes.transData.transform((0, y))[1] - low) / (high - low) * height for _, y, _, _ in ends]
    for (x, y, name, colour), at, moved in zip(ends, heights, spread(heights, 15), strict=True):
        axes.annotate(
            name,
            (x, y),
            xytext=(8, moved - at),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
        )


def spread(places: Sequence[float], gap: float) -> list[float]:
    """The same places, moved as little as keeps each `gap` above the one below it."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for _ in range(len(places)):
        for below, above in pairwise(order):
            if (lack := gap - (moved[above] - moved[below])) > 0:
                moved[below] -= lack / 2
                moved[above] += lack / 2
    return moved


def _literal(text: str) -> str:
    """As a replacement in a regular expression."""
    return text.replace("\\", r"\\")
