"""Several runs in one figure: a line a run, over the steps. It does not know what is drawn over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.reports.drawing import COLOURS, GREY, Drawing, label_ends, new_figure, styled

DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))  # when there are more lines than colours


@dataclass(frozen=True)
class Line:
    """A name, and values over steps."""

    name: str
    steps: Sequence[float]
    values: Sequence[float]


def draw_lines(
    name: str,
    title: str,
    caption: str,
    lines: Sequence[Line],
    *,
    levels: Mapping[str, float] | None = None,
    xlabel: str = "step",
    ylabel: str = "loss, nats per token",
) -> Drawing:
    """name: of the file. levels: dashed lines across, by name. lines: at least one; each has a point."""
    with styled():
        longest = max(len(name) for name in (*(line.name for line in lines), *(levels or {})))
        figure = new_figure(9, 5.4, title, caption, right=max(2.1, 0.1 * longest + 0.8))
        axes = figure.subplots()
        ends = []
        for number, line in enumerate(lines):
            colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
            marker = "o" if len(line.steps) < 3 else ""
            axes.plot(line.steps, line.values, color=colour, linestyle=dash, marker=marker)
            ends.append((line.steps[-1], line.values[-1], f"{line.name} {line.values[-1]:.3f}", colour))
        last = max(max(line.steps) for line in lines)
        for label, value in (levels or {}).items():
            axes.axhline(value, color=GREY, linestyle=(0, (4, 3)), linewidth=1.4)
            ends.append((last, value, f"{label} {value:.3f}", GREY))
        axes.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, last))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        label_ends(axes, ends)
    return Drawing(name, figure, title, f"{_text(lines, levels or {})} {caption}")


def _text(lines: Sequence[Line], levels: Mapping[str, float]) -> str:
    each = [
        f"{line.name}: from {line.values[0]:.3f} at {line.steps[0]:,} to {line.values[-1]:.3f} "
        f"at {line.steps[-1]:,}."
        for line in lines
    ]
    each += [f"A dashed line marks {label}, {value:.3f}." for label, value in levels.items()]
    return f"{len(lines)} line{'s' if len(lines) > 1 else ''}. {' '.join(each)}"
