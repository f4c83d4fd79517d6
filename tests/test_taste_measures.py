"""How good a ranking was, against counting by hand; and how probable each pick is, against many picks."""

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.taste.measures import Share, at_least, auc, auc_interval, effective, precision_at_10
from bot.curation.taste.picking import Lottery

CASES = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(1, 5)), min_size=1, max_size=20)


@given(CASES)
def test_auc_is_the_share_of_pairs_in_order(cases):
    """Each pair of an approved and a rejected one, weighted; a tie is half a pair."""
    scores, labels, weights = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    pairs = [
        ((a > b) + (a == b) / 2, v * w)
        for a, x, v in zip(scores, labels, weights, strict=True)
        for b, y, w in zip(scores, labels, weights, strict=True)
        if x > y
    ]
    total = sum(weight for _, weight in pairs)
    expected = sum(order * weight for order, weight in pairs) / total if total else math.nan

    assert auc(scores, labels, weights) == pytest.approx(expected, nan_ok=True)


def test_intervals_of_auc_cover_it():
    """In about 95 of 100 repetitions with 40 decisions; and they shrink with more of them."""
    rng, hits = np.random.default_rng(1), 0
    true = 0.7602  # of two normal distributions one apart
    for _ in range(300):
        labels = (np.arange(40) < 20).astype(float)
        value = auc(rng.normal(size=40) + labels, labels)
        low, high = auc_interval(value, 20, 20)
        hits += low <= true <= high

    assert 0.90 < hits / 300 < 0.99
    assert np.diff(auc_interval(0.7, 100, 100)) < np.diff(auc_interval(0.7, 20, 20))
    assert auc_interval(math.nan, 0, 5) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (15, 50, 0.1910, 0.4375)]
)
def test_shares_have_wilsons_interval(count, total, low, high):
    """As tables have it; of nothing nothing is known."""
    assert Share(count, total).interval == pytest.approx((low, high), abs=1e-3)
    assert Share(0, 0).interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("count", "total", "low"),
    [(29, 29, 0.05 ** (1 / 29)), (28, 28, 0.05 ** (1 / 28)), (0, 5, 0.0), (45, 50, 0.8010)],
)
def test_a_share_is_at_least_what_clopper_and_pearson_say(count, total, low):
    """One-sided, 95 %; all of n is the n-th root of 0.05."""
    assert at_least(count, total) == pytest.approx(low, abs=2e-3)


def test_precision_is_counted_in_blocks_of_fifty():
    """The ten highest of each; what is left over at the beginning is not used."""
    scores = np.tile(np.arange(50.0), 2)
    labels = np.tile(np.arange(50) >= 45, 2).astype(float)

    assert precision_at_10(np.append([99.0] * 7, scores), np.append([0.0] * 7, labels)) == (0.5, 0.1)
    assert np.isnan(precision_at_10(scores[:49], labels[:49])).all()


def test_equal_weights_are_worth_what_they_are():
    """And one heavy weight is worth one."""
    assert effective(np.ones(7)) == pytest.approx(7)
    assert effective(np.array([1e6, 1, 1])) == pytest.approx(1, abs=1e-3)


PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(PROBABILITIES, st.floats(0, 1), st.booleans())
def test_propensities_are_a_distribution(probabilities, explore, cold):
    """They sum to one, and with any exploration nothing is out of reach."""
    p = None if cold else np.array(probabilities)
    lottery = Lottery(np.array(probabilities), p, explore)

    assert lottery.propensities.sum() == pytest.approx(1)
    assert explore == 0 or (lottery.propensities > 0).all()


@pytest.mark.parametrize("cold", [False, True])
def test_picks_are_as_probable_as_they_say(cold):
    """Drawn 20,000 times: each draft comes up as often as its propensity, each reason by its share."""
    p = np.array([0.2, 0.9, 0.55, 0.1, 0.9])
    surprises = np.array([0.7, 1.4, 1.05, 0.5, 1.3])
    lottery, random = Lottery(surprises, None if cold else p, 0.3), Random(1)
    picks = [lottery.draw(random) for _ in range(20_000)]

    often = np.bincount([pick.index for pick in picks], minlength=5) / len(picks)
    assert often == pytest.approx(lottery.propensities, abs=0.015)
    assert {pick.propensity for pick in picks} <= set(lottery.propensities)
    reasons = Counter(pick.reason for pick in picks)
    expected = {"typical": 0.7, "random": 0.3} if cold else {"best": 0.7, "uncertain": 0.2, "random": 0.1}
    assert {reason: n / len(picks) for reason, n in reasons.items()} == pytest.approx(expected, abs=0.015)


def test_best_uncertain_and_typical_are_what_they_are_called():
    """The oldest wins a tie; the most uncertain is nearest to one half."""
    lottery = Lottery(np.ones(4), np.array([0.2, 0.9, 0.45, 0.9]), 0.3)
    found = {(pick.reason, pick.index) for pick in (lottery.draw(Random(seed)) for seed in range(200))}

    assert {index for reason, index in found if reason == "best"} == {1}
    assert {index for reason, index in found if reason == "uncertain"} == {2}
    assert {index for reason, index in found if reason == "random"} == {0, 1, 2, 3}


def test_without_exploration_the_best_is_always_shown():
    """Whatever is drawn."""
    lottery = Lottery(np.ones(3), np.array([0.1, 0.3, 0.2]), 0.0)

    assert {lottery.draw(Random(seed)) for seed in range(50)} == {lottery.draw(Random(0))}
    assert lottery.propensities.tolist() == [0, 1, 0]
