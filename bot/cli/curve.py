"""Curves in a terminal, drawn in dots of braille, eight to a letter. It does not know what they mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from rich.text import Text

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of one letter, four rows of two
BLANK = 0x2800
LEFT, RIGHT = 7, 18  # letters for the numbers and for the names


@dataclass(frozen=True)
class Curve:
    """A line's name, its numbers by steps, and how it looks; with a single number it is a level, dashed."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    style: str

    @property
    def label(self) -> str:
        return f"{self.name} {self.values[-1]:.3f}"


@lru_cache(maxsize=1)  # a live display asks ten times a second
def draw(curves: tuple[Curve, ...], width: int, height: int) -> Text:
    """In so many letters and lines, names and last numbers at the right; a later curve lies on top.

    At least one has several numbers.
    """
    canvas = _Canvas(curves, width - LEFT - RIGHT, height)
    for curve in curves:
        canvas.add(curve)
    labels = _labels(curves, [canvas.y(curve.values[-1]) // 4 for curve in curves], height)
    text = Text(no_wrap=True)
    for line in range(height):
        text.append(f"{canvas.number(line):>{LEFT - 1}.2f} ", "dim")
        for letter, style in canvas.line(line):
            text.append(letter, style)
        if line in labels:
            text.append(f" {labels[line].label}", labels[line].style)
        text.append("\n")
    return text.append(f"{'':{LEFT}}step {canvas.first:,} to {canvas.last:,}", "dim")


class _Canvas:
    """So many letters by lines; in dots x goes to the right, y down."""

    def __init__(self, curves: Sequence[Curve], letters: int, lines: int):
        steps = [step for curve in curves for step in curve.steps]
        values = [value for curve in curves for value in curve.values]
        self.first, self.last = min(steps), max(steps)
        self._low, self._high = min(values), max(values)
        self._letters, self._lines = letters, lines
        self._drawn: dict[tuple[int, int], tuple[int, str]] = {}  # (line, column) -> dots and style

    def y(self, value: float) -> int:
        share = (self._high - value) / ((self._high - self._low) or 1)
        return round(share * (4 * self._lines - 1))

    def number(self, line: int) -> float:
        """What the middle of a line stands for."""
        return self._high - (self._high - self._low) * (line + 0.5) / self._lines

    def add(self, curve: Curve) -> None:
        for x, y in self._level(curve) if len(curve.values) == 1 else self._line(curve):
            place = y // 4, x // 2
            dots, _ = self._drawn.get(place, (0, ""))
            self._drawn[place] = dots | DOTS[y % 4][x % 2], curve.style

    def line(self, line: int) -> Iterator[tuple[str, str]]:
        """Its letters and their styles."""
        for column in range(self._letters):
            dots, style = self._drawn.get((line, column), (0, ""))
            yield chr(BLANK + dots) if dots else " ", style

    def _level(self, curve: Curve) -> Iterator[tuple[int, int]]:
        return ((x, self.y(curve.values[0])) for x in range(2 * self._letters) if x % 4 < 2)

    def _line(self, curve: Curve) -> Iterator[tuple[int, int]]:
        """Without gaps, however steep."""
        begin, end = (
            (step - self.first) / (self.last - self.first) * (2 * self._letters - 1)
            for step in (curve.steps[0], curve.steps[-1])
        )
        columns = range(round(begin), round(end) + 1)
        steps = np.linspace(curve.steps[0], curve.steps[-1], len(columns))
        heights = [self.y(value) for value in np.interp(steps, curve.steps, curve.values)]
        yield columns[0], heights[0]
        for x, (before, now) in zip(columns[1:], pairwise(heights), strict=True):
            yield from ((x, y) for y in range(min(before, now), max(before, now) + 1))


def _labels(curves: Sequence[Curve], lines: Sequence[int], height: int) -> dict[int, Curve]:
    """Which curve is named on which line: in the order of their numbers, each as near its end as it can be.

    Where two would share a line, the later one, which lies on top, keeps its own.
    """
    order = sorted(range(len(curves)), key=lambda at: (lines[at], -curves[at].values[-1]))

    def off(places: Sequence[int]) -> int:
        return sum(2**at * abs(place - lines[at]) for at, place in zip(order, places, strict=True))

    best = min(combinations(range(height), len(curves)), key=off)
    return {line: curves[at] for line, at in zip(best, order, strict=True)}
