"""How far back a network learns: the gradient of a loss, step by step into the past."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.reports.drawing import COLOURS, GREY, Drawing, label_ends, new_figure, styled

Floats = NDArray[Any]

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FLOOR = 1e-12  # what is drawn for nothing at all: a logarithm has no place for it
CAPTION = (
    "How much the loss of one prediction would change if what the network remembered k {unit} earlier "
    "were another: the length of d loss(T) / d state(T-k), the median of {places} places, half of them in "
    "the band. At each step back a gradient is multiplied: by less than one it vanishes, by more it "
    "explodes. A straight fall is forgetting at a steady pace, a flat line is memory. Read were texts of "
    "its own, one after the other."
)


def draw_flow(model: str, norms: Floats, untrained: Floats | None, unit: str, window: int) -> Drawing:
    """norms: (layers, K, B), k = 0 to K - 1 along the second. untrained: of a new network of the same shape.

    unit: what one step reads, as "characters". window: the steps of a training window.
    """
    title = f"{model}: {_finding(norms, unit)}"
    caption = CAPTION.format(unit=unit, places=norms.shape[2])
    with styled():
        figure = new_figure(9, 5.9, title, caption, right=1.45)
        axes = figure.subplots()
        ends = [] if untrained is None else [_line(axes, untrained[0], "before training", GREY, band=False)]
        for number, layer in enumerate(norms):
            name = "state" if len(norms) == 1 else f"layer {number + 1}"
            ends.append(_line(axes, layer, name, COLOURS[number % len(COLOURS)], band=True))
        axes.set(xlabel=f"{unit} back (k)", ylabel="length of the gradient", yscale="log")
        axes.yaxis.set_major_formatter(lambda y, _: power_of_ten(y))
        axes.minorticks_off()
        axes.set(xlim=(0, norms.shape[1] - 1), ylim=_limits(norms, untrained))
        if window < norms.shape[1]:
            _mark(axes, window)
        label_ends(axes, ends)
    return Drawing("gradient-flow", figure, title, _text(norms, untrained, unit) + " " + caption)


def steps_to(norms: Floats, share: float) -> int | None:
    """The first step back at which less than that share of the gradient is left, None if there is none.

    norms: (K, B), one layer's.
    """
    medians = np.median(norms, axis=1)
    (below,) = np.nonzero(medians[1:] < share * medians[:2].max())
    return int(below[0]) + 1 if len(below) else None


def power_of_ten(number: float) -> str:
    """As it is printed: 10⁻³."""
    return "10" + f"{round(math.log10(number))}".translate(RAISED)


def _line(axes: Any, norms: Floats, name: str, colour: str, band: bool) -> tuple[float, float, str, str]:
    """Draw one layer; its right end, for the name."""
    low, middle, high = np.quantile(np.maximum(norms, FLOOR), [0.25, 0.5, 0.75], axis=1)
    steps = np.arange(len(middle))
    axes.plot(steps, middle, color=colour, linestyle="-" if band else (0, (4, 3)))
    if band:
        axes.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
    return steps[-1], middle[-1], name, colour


def _limits(norms: Floats, untrained: Floats | None) -> tuple[float, float]:
    drawn = norms if untrained is None else np.concatenate([norms, untrained[:1]])
    middles = np.maximum(np.median(drawn, axis=2), FLOOR)
    return float(middles.min()) / 4, float(middles.max()) * 4


def _mark(axes: Any, window: int) -> None:
    axes.axvline(window, color=GREY, linewidth=1)
    axes.annotate(
        f"training looks\n{window} steps back",
        (window, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        textcoords="offset points",
        va="top",
        fontsize=10,
        color=GREY,
    )


def _finding(norms: Floats, unit: str) -> str:
    """Of the layer that remembers longest."""
    tenths = [steps_to(layer, 0.1) for layer in norms]
    if None in tenths:
        return f"after {norms.shape[1] - 1} {unit} more than a tenth of the gradient is left"
    farthest = max(range(len(norms)), key=lambda at: tenths[at] or 0)
    hundredth = steps_to(norms[farthest], 0.01)
    then = f", a hundredth after {hundredth}" if hundredth else ""
    return f"a tenth of the gradient is left after {tenths[farthest]} {unit}{then}"


def _text(norms: Floats, untrained: Floats | None, unit: str) -> str:
    layers = []
    for number, layer in enumerate(norms, 1):
        middle = np.median(layer, axis=1)
        layers.append(
            f"Layer {number}: from {middle[0]:.2g} to {middle[-1]:.2g} after {len(middle) - 1} {unit}."
        )
    if untrained is not None:
        middle = np.median(untrained[0], axis=1)
        layers.append(f"The same network before training: from {middle[0]:.2g} to {middle[-1]:.2g} (dashed).")
    return (
        "A line a layer over the steps back, the length of the gradient on a logarithmic scale. "
        + " ".join(layers)
    )
