"""Bands of surprise as temperatures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.bands import apportion, bands_of, temperatures
from bot.errors import BotError
from bot.records import BANDS

SWEEP = [(0.4, 0.5), (0.6, 0.7), (0.8, 0.9), (1.0, 1.1), (1.2, 1.3)]


def test_a_band_is_interpolated_in_the_sweep():
    """Where surprise is temperature plus 0.1, so is the band; the order of the sweep does not matter."""
    assert temperatures("balanced", SWEEP[::-1]) == pytest.approx((0.7, 0.9))


def test_beyond_the_sweep_its_ends_are_taken():
    """Nothing is said about temperatures that were never tried."""
    assert temperatures("wild", SWEEP[:4]) == pytest.approx((0.9, 1.0))
    assert temperatures("safe", SWEEP[3:]) == (1.0, 1.0)


@given(st.lists(st.tuples(st.floats(0.1, 2), st.floats(0.1, 3)), min_size=2, max_size=8))
def test_a_noisy_sweep_never_turns_the_bands_round(sweep):
    """A wilder band is never cooler, and every temperature lies within the sweep."""
    ends = [end for band in BANDS for end in temperatures(band, sweep)]

    assert ends == sorted(ends)
    assert min(sweep)[0] <= ends[0] <= ends[-1] <= max(sweep)[0]


@given(
    st.integers(0, 5000),
    st.dictionaries(st.sampled_from([*BANDS]), st.floats(0.001, 1000), min_size=1),
)
def test_samples_are_shared_out_by_largest_remainder(count, shares):
    """All of them, and each band within one of its quota."""
    counts = apportion(count, shares)

    assert sum(counts.values()) == count
    for band, share in shares.items():
        assert abs(counts[band] - count * share / sum(shares.values())) < 1


def test_a_larger_remainder_comes_first():
    """Ten in thirds of unequal size; of equal remainders the first."""
    assert apportion(10, {"safe": 0.2, "balanced": 0.65, "wild": 0.15}) == {
        "safe": 2,
        "balanced": 7,
        "wild": 1,
    }
    assert apportion(1, {"safe": 1, "wild": 1}) == {"safe": 1, "wild": 0}


def test_a_surprise_lies_in_a_band_or_in_none():
    """Where one ends the next begins."""
    assert [bands_of(surprise) for surprise in (0.5, 0.7, 0.8, 1.3)] == [
        [],
        ["safe"],
        ["safe", "balanced"],
        [],
    ]


def test_a_band_that_does_not_exist_is_named():
    """The message lists those there are."""
    with pytest.raises(BotError, match=r"'mild' \(have safe, balanced, wild\)"):
        temperatures("mild", SWEEP)


def test_a_checkpoint_without_a_sweep_has_no_bands():
    """The message says what to set instead."""
    with pytest.raises(BotError, match="not calibrated: bot calibrate MODEL, or set `temperature:`"):
        temperatures("safe", [])
