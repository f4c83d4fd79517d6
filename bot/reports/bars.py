"""Shares side by side: a group of bars a label, a bar an origin. It does not know what they are shares of."""

from collections.abc import Mapping, Sequence

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
    colours = (GREY, *COLOURS)
    width = GROUP / len(origins)
    with styled():
        figure = new_figure(9, 5.4, title, caption)
        axes = figure.subplots()
        for number, (origin, shares) in enumerate(origins.items()):
            places = [at + (number - (len(origins) - 1) / 2) * width for at in range(len(labels))]
            axes.bar(places, shares, width, color=colours[number % len(colours)], label=origin)
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
