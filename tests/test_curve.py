"""Curves in a terminal: what stands where, in letters of eight dots."""

import re

import pytest

from bot.cli.curve import LEFT, Curve, draw


def lines(*curves: Curve, width: int = 40, height: int = 4) -> list[str]:
    return draw(curves, width, height).plain.split("\n")


def test_a_line_falls_from_one_corner_to_the_other() -> None:
    """The highest number stands at the top left, the last at the bottom right, beside it its name."""
    drawn = lines(Curve("held out", (10, 20), (3.0, 1.0), "bold"))

    assert drawn[0][LEFT] == "⠙"
    assert drawn[3].endswith("⢤ held out 1.000")
    assert drawn[4].strip() == "step 10 to 20"


def test_a_line_has_no_gaps_however_steep_it_is() -> None:
    """Every line of letters between two numbers has dots."""
    drawn = lines(Curve("held out", (1, 2, 3), (9.0, 1.0, 9.0), ""), height=12)

    assert all(any(letter > "⠀" for letter in line[LEFT:22]) for line in drawn[:12])


def test_a_level_is_dashed_across_the_whole_width() -> None:
    """The n-gram's one number has no steps of its own."""
    drawn = lines(Curve("5-gram", (1,), (2.0,), "dim"), Curve("held out", (1, 9), (3.0, 1.0), ""))

    [level] = [line for line in drawn if line.endswith("5-gram 2.000")]
    assert level.startswith("  1.75 ⠉ ⠉ ⠉ ⠉")


def test_numbers_at_the_left_fall() -> None:
    """Each is what the middle of its line stands for."""
    drawn = lines(Curve("held out", (1, 2), (4.0, 0.0), ""))

    assert [float(line[: LEFT - 1]) for line in drawn[:4]] == [3.5, 2.5, 1.5, 0.5]


def test_every_name_has_a_line_of_its_own() -> None:
    """Also where curves end at the same place, and where they are level."""
    same = [Curve(name, (1, 2), (1.0, 1.0), "") for name in ("one", "two", "three")]

    drawn = lines(*same)

    assert sorted(line.split()[-2] for line in drawn if line.endswith(" 1.000")) == ["one", "three", "two"]


@pytest.mark.parametrize("last", [(2.0, 2.01, 2.02), (2.02, 2.01, 2.0), (2.01, 2.02, 2.0)])
def test_names_that_crowd_stand_in_the_order_of_their_numbers(last: tuple[float, ...]) -> None:
    """The topmost curve's name stands where it ends, the others beside it, a higher number higher."""
    ends = [Curve(name, (1, 2), (3.0, end), "") for name, end in zip("abc", last, strict=True)]

    drawn = lines(*ends, Curve("low", (1, 2), (0.0, 0.0), ""), height=8)

    numbers = [float(line.split()[-1]) for line in drawn if re.search(r" [abc] [\d.]+$", line)]
    assert numbers == sorted(last, reverse=True)
    [topmost] = [line for line in drawn if f"c {last[2]:.3f}" in line]
    assert topmost.split(" c ")[0][-1] > "⠀"


@pytest.mark.parametrize(("width", "height"), [(60, 8), (80, 8), (100, 3)])
def test_it_fits(width: int, height: int) -> None:
    """No line is longer than asked for, and there are as many as asked for and the steps."""
    drawn = lines(
        Curve("5-gram", (250,), (1.9,), ""),
        Curve("held out", tuple(range(250, 7501, 250)), tuple(100 / n for n in range(1, 31)), ""),
        width=width,
        height=height,
    )

    assert len(drawn) == height + 1
    assert max(map(len, drawn)) <= width
