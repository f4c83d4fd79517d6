"""Shares side by side: a group of bars a label, a bar an origin. It does not know what they are shares of."""

from collections.abc import Mapping, Sequence
from itertools import chain, cycle

from bot.reports.drawing import COLOURS, GREY, Drawing, new_figure, styled

GROUP = 0.84  # of the room from label to label is filled


def draw_bars(
    name: str,
    title: str,
    caption: str,
    labels: Sequence[str],
    origins: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
) -> Drawing:
    """origins: a share for each label, by name; the first is grey, what the others are held against."""
    width = GROUP / len(origins)
    colours = chain([GREY], cycle(COLOURS))
    with styled():
        figure = new_figure(9, 5.4, title, caption)
        axes = figure.subplots()
        for number, ((origin, shares), colour) in enumerate(zip(origins.items(), colours, strict=False)):
            places = [at + (number - (len(origins) - 1) / 2) * width for at in range(len(labels))]
            axes.bar(places, shares, width, color=colour, label=origin)
        axes.set_xticks(range(len(labels)), labels)
        axes.set(xlabel=xlabel, xlim=(-0.6, len(labels) - 0.4))
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False, labelcolor=GREY)
    return Drawing(name, figure, title, f"{_text(labels, origins)} {caption}")


def _text(labels: Sequence[str], origins: Mapping[str, Sequence[float]]) -> str:
    each = [
        f"{origin}: {', '.join(f'{label} {share:.1%}' for label, share in zip(labels, shares, strict=True))}."
        for origin, shares in origins.items()
    ]
    return " ".join(each)
