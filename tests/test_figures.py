"""The figures: what they show, in words too, and that they can be drawn of whatever a model writes."""

import struct
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bot.errors import CheckpointError
from bot.figures import Figures, write
from bot.model.checkpoint import HISTORY
from bot.reports.drawing import Drawing, spread
from bot.reports.gates import draw_gates, draw_states, saturated
from bot.reports.gradients import draw_flow, power_of_ten, steps_to
from bot.reports.losses import draw_losses
from tests.test_watch import history

SVG = "{http://www.w3.org/2000/svg}"
COURSE = history((3.0, 2.4), (2.2, 2.0), (1.9, 1.8), (1.7, 1.85))
HALVING = np.array([[[2.0**-k] * 5 for k in range(101)]])  # (1, 101, 5)
RANDOM = np.random.default_rng(1)


def words_in(drawing: Drawing) -> list[str]:
    """All that is written in the picture."""
    return [text.get_text() for text in drawing.figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_losses_are_drawn_with_the_line_to_beat() -> None:
    """Both lines and the n-gram carry their names and last values; the title says what was found."""
    drawing = draw_losses("moons", COURSE, 2.1)

    assert drawing.title == "moons: held-out loss 1.800 at step 300, 0.300 below the 5-gram"
    assert {"training 1.700", "held out 1.850", "5-gram 2.100"} <= set(words_in(drawing))
    assert "Training loss: from 3.000 to 1.700." in drawing.text


@pytest.mark.parametrize("course", [COURSE[:1], COURSE])
@pytest.mark.parametrize("ngram_loss", [None, 1.5])
def test_losses_can_be_drawn_from_the_first_measurement_on(course: list, ngram_loss: float | None) -> None:
    """Also where there is no n-gram, or the model is worse than it."""
    drawing = draw_losses("moons", course, ngram_loss)

    assert drawing.png().startswith(b"\x89PNG")
    assert ("above the 5-gram" in drawing.title) == (ngram_loss is not None)


def test_a_picture_is_wide_enough_to_read_and_says_what_it_shows() -> None:
    """1,440 pixels; title and description stand in the SVG, for screen readers, and in a file."""
    files = draw_losses("A & B <i>", COURSE, 2.1).files()

    width, _ = struct.unpack(">II", files["losses.png"][16:24])
    root = ET.fromstring(files["losses.svg"])
    assert width == 1440
    assert root.get("role") == "img"
    assert (
        root.findtext(f"{SVG}title") == "A & B <i>: held-out loss 1.800 at step 300, 0.300 below the 5-gram"
    )
    assert (root.findtext(f"{SVG}desc") or "").startswith("Two lines over the steps 100 to 400.")
    assert files["losses.txt"].decode().startswith("A & B <i>: held-out loss")


def test_the_same_figure_is_the_same_file() -> None:
    """No date, no random names."""
    assert draw_losses("moons", COURSE, 2.1).files() == draw_losses("moons", COURSE, 2.1).files()


def test_the_flow_says_after_how_many_steps_little_is_left() -> None:
    """A gradient that halves at each step has less than a tenth after 4, less than a hundredth after 7."""
    drawing = draw_flow("moons", HALVING, None, "characters", window=128)

    assert steps_to(HALVING[0], 0.1) == 4
    assert drawing.title == "moons: a tenth of the gradient is left after 4 characters, a hundredth after 7"


@pytest.mark.parametrize("growth", [0.0, 0.99, 1.0, 1.5])
def test_a_flow_of_any_kind_can_be_drawn(growth: float) -> None:
    """Dead, lasting or exploding; in several layers, beside an untrained one, over a short window."""
    norms = np.array([[[growth**k] * 5 for k in range(101)]] * 3)

    drawing = draw_flow("moons", norms, HALVING, "words", window=30)

    assert drawing.svg()
    assert {"layer 1", "layer 3", "before training", "training looks\n30 steps back"} <= set(
        words_in(drawing)
    )
    if growth == 1.5:
        assert drawing.title == "moons: after 100 words more than a tenth of the gradient is left"


def test_gates_are_drawn_over_any_text() -> None:
    """Spaces and line breaks get a sign, as do letters that the font lacks; dollars are no formula."""
    tokens = ["$", "a", " ", "$", "\n", "\0", "語", "\ud800"]
    gates = {"forget": RANDOM.random((8, 200)), "output": RANDOM.random((8, 200))}

    drawing = draw_gates("moons", 2, gates, tokens)

    assert drawing.name == "gates-layer2"
    assert {"␣", "↵", "▯", "$"} <= set(words_in(drawing))
    assert "語" not in words_in(drawing)
    assert "“$a $▯▯語▯”" in drawing.text
    assert ET.fromstring(drawing.files()["gates-layer2.svg"]).find(f"{SVG}title") is not None
    assert "64 of the layer's 200 units" in drawing.text


def test_how_long_a_gate_is_saturated() -> None:
    """Below a tenth it is shut, above nine tenths wide open."""
    shut, wide = saturated(np.array([[0.05, 0.5], [0.95, 0.5], [0.99, 0.91], [0.92, 0.5]]))

    assert shut.tolist() == [0.25, 0.0]
    assert wide.tolist() == [0.75, 0.25]


def test_states_are_drawn_where_there_are_no_gates() -> None:
    """Words stand upright; a state that is nothing at all can be drawn too."""
    drawing = draw_states("moons", 1, {"h": np.zeros((2, 8)), "c": RANDOM.random((2, 8))}, ["under", "snow"])

    assert drawing.png()
    assert {"h: full colour at ±1", "under", "snow"} <= set(words_in(drawing))


def test_names_of_lines_do_not_touch() -> None:
    """They are moved apart as little as is needed, in their order."""
    places = spread([10, 12, 11, 90], 15)

    assert sorted(places) == [places[at] for at in (0, 2, 1, 3)]
    assert all(above - below > 14 for below, above in pairwise(sorted(places)))
    assert places[3] == 90
    assert abs(sum(places[:3]) / 3 - 11) < 1


def test_powers_of_ten_are_written_as_in_print() -> None:
    """Formulas are switched off, for texts may hold dollars."""
    assert [power_of_ten(x) for x in (1, 1e-3, 1e12)] == ["10⁰", "10⁻³", "10¹²"]


def test_every_figure_of_a_checkpoint(house, tmp_path: Path) -> None:
    """Losses, flow, and the gates of every layer, each as PNG, SVG and text."""
    drawn = Figures(house, "moons", text="red moon")

    names = [write(drawing, tmp_path / "figures").name for drawing in drawn.draw()]

    assert names == ["losses.png", "gradient-flow.png", "gates-layer1.png"]
    assert len(list((tmp_path / "figures").iterdir())) == 9
    assert "“red moon”" in (tmp_path / "figures" / "gates-layer1.txt").read_text(encoding="utf-8")


def test_a_checkpoint_without_history_has_the_other_figures(house) -> None:
    """As one that was brought in from elsewhere."""
    (house.checkpoint("moons") / HISTORY).unlink()

    assert [drawing.name for drawing in Figures(house, "moons").draw()] == ["gradient-flow", "gates-layer1"]


def test_where_no_figure_can_be_written_is_told(tmp_path: Path) -> None:
    """One line that names the place."""
    tmp_path.joinpath("taken").write_text("a file")

    with pytest.raises(CheckpointError, match="taken/here: cannot be written: Not a directory"):
        write(draw_losses("moons", COURSE, None), tmp_path / "taken" / "here")
