"""The draw of a token against a slow one that is written out, in torch and compiled."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from bot.model import draw as in_torch
from bot.model.native import products

NEAR = 1e-5  # shares within so much of a bound may fall on either side of it: single precision
GRID = 4000  # uniforms, evenly spread

logits_of_rows = st.lists(
    st.lists(st.sampled_from([-30.0, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0]), min_size=4, max_size=4),
    min_size=1,
    max_size=5,
)
truncations = st.tuples(
    st.integers(0, 6), st.sampled_from([0.05, 0.3, 0.7, 0.95, 1.0]), st.sampled_from([0.0, 0.02, 0.4, 1.0])
)


def drawn(logits, inverse_temperatures, barred, uniforms, *truncation):
    return in_torch.draw(torch.from_numpy(logits), inverse_temperatures, barred, uniforms, *truncation)


def compiled(*arguments):
    if products.library() is None:
        pytest.skip("there is no compiler")
    return products.draw(*arguments)


both = pytest.mark.parametrize("draw", [drawn, compiled], ids=["torch", "compiled"])


def slow_shares(logits, temperature, barred, top_k, top_p, min_p) -> list[float]:
    """Each id's probability; one filter after the other, on what the one before left."""
    shares = [math.exp(x / temperature) if bar == 0 else 0.0 for x, bar in zip(logits, barred, strict=True)]
    if top_k:
        bound = sorted(shares, reverse=True)[min(top_k, len(shares)) - 1]
        shares = [share if share >= bound else 0.0 for share in shares]
    if top_p < 1:
        nucleus, mass = [], 0.0
        for share in sorted(shares, reverse=True):
            if mass >= top_p * sum(shares) * (1 - NEAR):
                break
            nucleus.append(share)
            mass += share
        shares = [share if share >= nucleus[-1] else 0.0 for share in shares]
    shares = [share if share >= min_p * max(shares) * (1 - NEAR) else 0.0 for share in shares]
    return [share / sum(shares) for share in shares]


@both
@given(logits_of_rows, st.sampled_from([0.5, 1.0, 1.7]), truncations, st.integers(-1, 3))
@example([[0.0, 0.0, 0.0, 0.0]], 1.0, (1, 1.0, 0.0), -1)  # all equal: all stay
@example([[3.0, 1.0, 1.0, -1.0]], 1.0, (3, 0.7, 0.4), 0)
def test_ids_come_as_often_as_the_slow_draw_says(draw, rows, temperature, truncation, barred_id):
    """A grid of uniforms hits each id in the share of its probability; a single one never hits another."""
    barred = np.zeros(4, np.float32)
    barred[barred_id if barred_id >= 0 else []] = -np.inf
    uniforms = np.tile((np.arange(GRID) + 0.5) / GRID, len(rows))
    logits = np.repeat(np.array(rows, np.float32), GRID, axis=0)
    warmth = np.full(len(logits), 1 / temperature, np.float32)

    ids, _ = draw(logits, warmth, barred, uniforms, *truncation)

    for row, found in zip(rows, ids.reshape(len(rows), GRID), strict=True):
        counts = np.bincount(found, minlength=4) / GRID
        expected = slow_shares(row, temperature, barred, *truncation)
        np.testing.assert_allclose(counts, expected, atol=1.5 / GRID)


@both
@given(logits_of_rows, truncations)
def test_the_loss_is_that_of_the_model_itself(draw, rows, truncation):
    """At temperature 1, nothing barred and nothing left out, whatever was."""
    logits = np.array(rows, np.float32)
    barred = np.array([-np.inf, 0, 0, 0], np.float32)
    inverse, uniforms = np.full(len(rows), 3.0, np.float32), np.linspace(0, 0.99, len(rows))

    ids, losses = draw(logits, inverse, barred, uniforms, *truncation)

    expected = [math.log(sum(map(math.exp, row))) - row[id] for row, id in zip(rows, ids, strict=True)]
    np.testing.assert_allclose(losses, expected, atol=1e-5)


@both
@pytest.mark.parametrize("uniform", [0.0, 1 - 2.0**-52])
def test_not_even_the_outermost_uniforms_hit_what_is_barred(draw, uniform):
    """The first and the last id have no probability."""
    barred = np.array([-np.inf, 0, 0, -np.inf], np.float32)
    logits = np.array([[50.0, 1.0, 1.0, 50.0], [-50.0, 1.0, -80.0, -50.0]], np.float32)

    ids, _ = draw(logits, np.ones(2, np.float32), barred, np.full(2, uniform), 0, 1.0, 0.0)

    assert set(ids.tolist()) <= {1, 2}


def test_each_row_may_have_its_own_bars():
    """What a row must not write is barred there alone."""
    barred = np.array([[-np.inf, 0], [0, -np.inf]], np.float32)

    ids, _ = drawn(np.zeros((2, 2), np.float32), np.ones(2, np.float32), barred, np.full(2, 0.5))

    assert ids.tolist() == [1, 0]
