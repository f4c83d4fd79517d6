"""What the gates of a network do while it reads: for every gate a map, one row a unit, one column a token."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.reports.drawing import BLUE, GREY, INK, YELLOW, Drawing, new_figure, styled

Floats = NDArray[Any]

SHUT, OPEN = 0.1, 0.9  # below and above a gate is saturated (Karpathy et al. 2015, arXiv:1506.02078)
ROWS = 64  # units shown: more would be rows too thin to see
GATES = (
    "A gate decides for each unit how much passes: dark lets everything through, white nothing. Rows are "
    "{units}, sorted by how open they are; columns are what it reads. The bars at the right say how much of "
    "the time a unit's gate stands wide open (blue, above 0.9) or shut (yellow, below 0.1). {meaning}"
)
STATES = (
    "This cell shows no gates, so this is what it remembers: blue is positive, red negative, white "
    "nothing. Rows are {units}, sorted by their mean; columns are what it reads."
)
MEANINGS = {
    "forget": "An open forget gate keeps what the unit remembers.",
    "input": "An open input gate writes what is read into memory.",
    "output": "An open output gate shows the memory to the rest of the network.",
    "update": "An open update gate keeps the unit's state as it was.",
    "reset": "A shut reset gate makes the unit forget its past when it makes up something new.",
}


def draw_gates(model: str, layer: int, gates: dict[str, Floats], tokens: Sequence[str]) -> Drawing:
    """gates: (T, H) each, 0 to 1, by name. layer: from 1."""
    each = ", ".join(f"{name} {values.mean():.0%}" for name, values in gates.items())
    title = f"{model}, layer {layer}: how far the gates are open: {each}"
    meaning = " ".join(MEANINGS[name] for name in gates if name in MEANINGS)
    caption = GATES.format(units=_units(gates), meaning=meaning)
    with styled():
        figure = new_figure(10, 2.6 + 1.9 * len(gates), title, caption, right=0.3)
        grid = {"width_ratios": (7, 1), "wspace": 0.04, "hspace": 0.3}
        rows = figure.subplots(len(gates), 2, squeeze=False, gridspec_kw=grid)
        for (name, values), (heat, bars) in zip(gates.items(), rows, strict=True):
            shown = _some(values)
            _heat(heat, shown, "Blues", 0, 1)
            heat.set_title(f"{name} gate: {_shares(values)}", fontsize=11)
            _bars(bars, shown)
        _tokens(rows[-1][0], tokens)
    return Drawing(f"gates-layer{layer}", figure, title, f"{_text(gates, tokens)} {caption}")


def draw_states(model: str, layer: int, states: dict[str, Floats], tokens: Sequence[str]) -> Drawing:
    """The same of a cell without gates: its state, (T, H) each, by name."""
    title = f"{model}, layer {layer}: what it remembers while it reads"
    caption = STATES.format(units=_units(states))
    with styled():
        figure = new_figure(10, 2.4 + 2.2 * len(states), title, caption, right=0.3)
        rows = figure.subplots(len(states), 1, squeeze=False, gridspec_kw={"hspace": 0.3})
        for (name, values), (heat,) in zip(states.items(), rows, strict=True):
            most = float(np.quantile(np.abs(values), 0.99)) or 1.0
            _heat(heat, _some(values), "RdBu", -most, most)
            heat.set_title(f"{name}: full colour at ±{most:.2g}", fontsize=11)
        _tokens(rows[-1][0], tokens)
    text = f"A map for each of {', '.join(states)} while the network reads {_read(tokens)}. "
    return Drawing(f"states-layer{layer}", figure, title, text + caption)


def saturated(values: Floats) -> tuple[Floats, Floats]:
    """Of each unit the share of the time that its gate is shut, and wide open: (T, H) -> (H,) twice."""
    return (values < SHUT).mean(axis=0), (values > OPEN).mean(axis=0)


def _some(values: Floats) -> Floats:
    """ROWS of the units, from the least open to the most, evenly: (T, H) -> (T, at most ROWS)."""
    order = np.argsort(values.mean(axis=0), kind="stable")
    return values[:, order[np.linspace(0, len(order) - 1, min(ROWS, len(order))).round().astype(int)]]


def _heat(axes: Any, values: Floats, colours: str, low: float, high: float) -> None:
    axes.imshow(values.T, colours, vmin=low, vmax=high, aspect="auto", origin="lower", interpolation="none")
    axes.grid(visible=False)
    axes.set(yticks=[], xticks=[], ylabel="units")
    axes.spines[:].set_visible(True)


def _bars(axes: Any, values: Floats) -> None:
    shut, wide = saturated(values)
    units = np.arange(len(shut))
    axes.barh(units, shut, height=1, color=YELLOW, linewidth=0)
    axes.barh(units, wide, left=1 - wide, height=1, color=BLUE, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(-0.5, len(shut) - 0.5), xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    axes.set_title("shut    open", fontsize=10, color=GREY, loc="center")


def _tokens(axes: Any, tokens: Sequence[str]) -> None:
    """Each under its column; words stand upright."""
    upright = max(map(len, tokens)) > 2
    size, turn = (9, 90) if upright else (10, 0)
    axes.set_xticks(range(len(tokens)))
    axes.set_xticklabels([_visible(token) for token in tokens], fontsize=size, rotation=turn, color=INK)
    axes.tick_params(axis="x", length=0)


def _visible(token: str) -> str:
    """A sign for a space, a line break and what the font lacks."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_charmap()
    signs = {" ": "␣", "\n": "↵", "\t": "⇥"}
    return "".join(signs.get(c, c if ord(c) in known and c.isprintable() else "▯") for c in token)


def _units(values: dict[str, Floats]) -> str:
    units = next(iter(values.values())).shape[1]
    return f"the layer's {units} units" if units <= ROWS else f"{ROWS} of the layer's {units:,} units"


def _shares(values: Floats) -> str:
    return f"wide open {(values > OPEN).mean():.0%}, shut {(values < SHUT).mean():.0%} of the time"


def _text(gates: dict[str, Floats], tokens: Sequence[str]) -> str:
    each = "; ".join(f"{name} gate {_shares(values)}" for name, values in gates.items())
    return f"A map for each gate while the network reads {_read(tokens)}: {each}."


def _read(tokens: Sequence[str]) -> str:
    """The text in quotation marks, without what cannot be printed."""
    return f"“{''.join(c if c.isprintable() else '▯' for c in ''.join(tokens))}”"
