"""A renderer: the text as a picture, a page with nothing on it but the words."""

import io
import math
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import Attachment, BotError, hookimpl

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg

SERIFS = [
    "STIXGeneral",
    "DejaVu Serif",
    "DejaVu Sans",
]  # come with matplotlib; the first that has a sign counts
MARGIN = 0.11  # of the shorter side, at each edge
LARGEST, SMALLEST = 0.17, 0.035  # of the height: how high a letter's body may be
LEADING = 1.28  # from line to line, in bodies
STEP = 0.94  # from one size to the next
MEASURED = 200  # pixels
DPI = 100  # a body of one inch has so many pixels


class Picture:
    """A PNG of `width` by `height` pixels, the words in `ink` on `background`; its alt text is the text.

    font_path: a font file (TTF or OTF), asked first; the text's script may need one.
    """

    def __init__(
        self,
        width: int = 1200,
        height: int = 675,
        background: str = "#f7f2e8",
        ink: str = "#1f1b18",
        font_path: Path | None = None,
    ):
        if not (200 <= width <= 4096 and 200 <= height <= 4096):
            msg = f"{width} by {height} pixels: each may be 200 to 4096"
            raise ValueError(msg)
        for colour in (background, ink):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
                msg = f"{colour!r} is no colour: write one as '#1f1b18'"
                raise ValueError(msg)
        if font_path and not font_path.is_file():
            msg = f"{font_path}: no such font file"
            raise ValueError(msg)
        self.width, self.height, self.background, self.ink = width, height, background, ink
        self.font_path = font_path
        self._widths: dict[str, float] = {}  # of this text's words

    def __call__(self, text: str) -> list[Attachment]:
        self._check_signs(text)
        self._widths.clear()
        size, lines = self._fitted(text)
        png = self._drawn(size, lines)
        return [Attachment("image/png", png, text, "picture.png", self.width, self.height)]

    @cached_property
    def _families(self) -> list[str]:
        """Of fonts, the owner's first."""
        from matplotlib.font_manager import FontProperties, fontManager

        if self.font_path is None:
            return SERIFS
        fontManager.addfont(self.font_path)
        return [FontProperties(fname=self.font_path).get_name(), *SERIFS]

    @cached_property
    def _renderer(self) -> "RendererAgg":
        """What measures."""
        from matplotlib.backends.backend_agg import RendererAgg

        return RendererAgg(self.width, self.height, DPI)

    def _check_signs(self, text: str) -> None:
        from matplotlib.font_manager import FontProperties, findfont, get_font

        fonts = [get_font(findfont(FontProperties(family=[name]))) for name in self._families]
        for sign in text:
            if not sign.isspace() and not any(font.get_char_index(ord(sign)) for font in fonts):
                msg = f"no font here has the sign {sign!r}: name one in font_path"
                raise BotError(msg)

    def _fitted(self, text: str) -> tuple[float, list[str]]:
        """The largest size in pixels at which the text has room, and its lines then, of even length."""
        margin = MARGIN * min(self.width, self.height)
        width, height = self.width - 2 * margin, self.height - 2 * margin
        for size in _sizes(self.height):
            lines = self._wrapped(text, width, size)
            if lines and len(lines) * LEADING * size <= height:
                return size, self._evened(text, width, size, lines)
        msg = f"{len(text)} characters have no room in {self.width} by {self.height} pixels"
        raise BotError(msg)

    def _evened(self, text: str, width: float, size: float, lines: list[str]) -> list[str]:
        """As many lines, as narrow as they can be."""
        low, high = 0.0, width
        while high - low > size / 8:
            middle = (low + high) / 2
            narrower = self._wrapped(text, middle, size)
            if narrower and len(narrower) == len(lines):
                high, lines = middle, narrower
            else:
                low = middle
        return lines

    def _wrapped(self, text: str, width: float, size: float) -> list[str]:
        """The text's own lines, each cut where it is wider; [] where one word alone is."""
        wrapped: list[str] = []
        for paragraph in text.split("\n"):
            line = ""
            for word in paragraph.split():
                longer = f"{line} {word}" if line else word
                if line and self._wide(longer, size) > width:
                    wrapped, line = [*wrapped, line], word
                else:
                    line = longer
                if self._wide(line, size) > width:
                    return []
            wrapped.append(line)
        return wrapped

    def _wide(self, line: str, size: float) -> float:
        """Measured word by word, for each of them is in many lines that are tried."""
        words = line.split()
        spaces = (len(words) - 1) * (self._measured("n n") - self._measured("nn"))
        return (sum(map(self._measured, words)) + spaces) * size / MEASURED

    def _measured(self, word: str) -> float:
        """The width in pixels at the size MEASURED."""
        if word not in self._widths:
            font = self._font(MEASURED)
            self._widths[word], *_ = self._renderer.get_text_width_height_descent(word, font, False)
        return self._widths[word]

    def _font(self, size: float) -> Any:
        from matplotlib.font_manager import FontProperties

        return FontProperties(family=self._families, size=size * 72 / DPI)

    def _drawn(self, size: float, lines: list[str]) -> bytes:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure((self.width / DPI, self.height / DPI), dpi=DPI, facecolor=self.background)
        FigureCanvasAgg(figure)
        top = (self.height + len(lines) * LEADING * size) / 2
        for number, line in enumerate(lines):
            baseline = (
                top - (number + 0.5) * LEADING * size - 0.32 * size
            )  # small letters stand in the middle
            style = {"ha": "center", "va": "baseline", "color": self.ink, "parse_math": False}
            figure.text(0.5, baseline / self.height, line, font=self._font(size), **style)
        png = io.BytesIO()
        figure.savefig(png, format="png", facecolor=self.background, metadata={"Software": None})
        return png.getvalue()


def _sizes(height: int) -> Iterator[float]:
    """From the largest to the smallest, in pixels."""
    for step in range(math.ceil(math.log(SMALLEST / LARGEST, STEP)) + 1):
        yield height * LARGEST * STEP**step


@hookimpl
def register_renderers():
    return {"picture": Picture}
