"""Whether a difference is shown: Student's interval over pairs, against tables and by chance."""

import random

import pytest

from bot.reproduction.pairing import difference, student
from bot.reproduction.sizing import fitting


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.7062), (2, 4.3027), (4, 2.7764), (9, 2.2622), (99, 1.9842)]
)
def test_the_quantiles_are_those_of_the_tables(degrees, quantile):
    """As printed in any table of Student's t."""
    assert student(degrees) == pytest.approx(quantile, abs=2e-4)


def test_what_differs_alike_under_every_seed_is_shown():
    """Although the seeds themselves lie far apart."""
    found = difference([1.9, 2.5, 3.1, 1.4], [2.0, 2.61, 3.2, 1.51])

    assert found.is_shown
    assert found.mean == pytest.approx(-0.105)


def test_what_differs_by_chance_is_not():
    """One seed up, one down: the interval holds 0."""
    assert not difference([2.0, 2.1, 1.9], [2.1, 2.0, 1.95]).is_shown


def test_one_pair_shows_nothing():
    """However far apart."""
    assert not difference([1.0], [9.0]).is_shown


def test_nineteen_intervals_of_twenty_hold_the_truth():
    """Drawn from a normal distribution whose mean is known, five at a time."""
    draw = random.Random(1)
    held = 0
    for _ in range(400):
        found = difference([draw.gauss(0.3, 1) for _ in range(5)], [0.0] * 5)
        held += found.low <= 0.3 <= found.high

    assert 0.92 < held / 400 < 0.98


@pytest.mark.parametrize("parameters", [1, 7, 100, 12_345, 1_000_000])
def test_a_size_is_the_one_that_comes_nearest(parameters):
    """Against all sizes tried one by one."""

    def count(units: int) -> int:
        return 4 * units * units + 60 * units + 3

    nearest = min(range(1, 1000), key=lambda units: abs(count(units) - parameters))
    assert fitting(count, parameters) == nearest
