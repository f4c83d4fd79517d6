"""The draw of a token against a slow one that is written out, in torch and compiled."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from bot.model import draw as in_torch
from bot.model.draw import Truncation
from bot.model.native import products

NEAR = 1e-5  # shares within so much of a bound may fall on either side of it: single precision
TIED = 2e-7  # nats; no two numbers that are drawn here are nearer to each other without being equal
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


def left(shares: list[float], *, keep) -> list[float]:
    """The shares that stay, brought to 1."""
    kept = [share if keep(share) else 0.0 for share in shares]
    return [share / sum(kept) for share in kept]


def slow_typical(shares: list[float], most: float) -> list[float]:
    """Meister et al. 2022, equation 9: by |-log p - H| from the least on, until their share is reached."""
    entropy = -sum(p * math.log(p) for p in shares if p)

    def oddness(p: float) -> float:
        return abs(-math.log(p) - entropy) if p else math.inf

    mass, bound = 0.0, 0.0
    for p in sorted(shares, key=oddness):
        if mass >= most * (1 - NEAR):
            break
        mass, bound = mass + p, oddness(p)
    return left(shares, keep=lambda p: p > 0 and oddness(p) <= bound + TIED)


def slow_eta(shares: list[float], epsilon: float) -> list[float]:
    """Hewitt et al. 2022, equation 5 with alpha = sqrt(epsilon); the likeliest stay."""
    entropy = -sum(p * math.log(p) for p in shares if p)
    bound = min(epsilon, math.sqrt(epsilon) * math.exp(-entropy))
    return left(shares, keep=lambda p: p >= min(bound, max(shares)) * (1 - NEAR))


def slow_mirostat(shares: list[float], limit: float) -> list[float]:
    """Basu et al. 2020, version 2: what surprises more than the limit is left out, the likeliest never."""
    return left(shares, keep=lambda p: p == max(shares) or (p and -math.log(p) <= limit * (1 + NEAR)))


def slow_penalty(logits: list[float], penalties: list[float]) -> list[float]:
    """Keskar et al. 2019, for either sign."""
    return [x / p if x > 0 else x * p for x, p in zip(logits, penalties, strict=True)]


def slow_shares_of_all(logits, temperature, barred, truncation, penalties, limit):
    """Each id's share before and after mirostat: penalty, temperature, bars, one truncation after another."""
    shares = slow_shares(slow_penalty(logits, penalties), temperature, barred, *truncation[:3])
    if truncation.typical_p < 1:
        shares = slow_typical(shares, truncation.typical_p)
    if truncation.eta:
        shares = slow_eta(shares, truncation.eta)
    return shares, slow_mirostat(shares, limit)


all_rules = st.tuples(
    st.builds(
        Truncation,
        top_k=st.sampled_from([0, 0, 2, 3]),
        top_p=st.sampled_from([1.0, 1.0, 0.3, 0.8]),
        min_p=st.sampled_from([0.0, 0.0, 0.05, 0.4]),
        typical_p=st.sampled_from([1.0, 0.2, 0.6, 0.95]),
        eta=st.sampled_from([0.0, 0.02, 0.3, 0.9]),
    ),
    st.lists(st.sampled_from([1.0, 1.0, 1.3, 4.0]), min_size=4, max_size=4),
    st.sampled_from([math.inf, 0.01, 0.7, 1.4, 3.0]),
)
steep = st.lists(st.sampled_from([-9.0, -2.1, -1.03, 0.0, 0.52, 1.07, 3.3]), min_size=4, max_size=4)


@given(
    st.lists(steep, min_size=1, max_size=4), st.sampled_from([0.5, 1.0, 1.7]), all_rules, st.integers(-1, 3)
)
@example([[0.0, 0.0, 0.0, 0.0]], 1.0, (Truncation(typical_p=0.2), [1.0] * 4, math.inf), -1)
@example(
    [[3.3, 1.07, -2.1, -9.0]], 1.0, (Truncation(typical_p=0.2), [1.0] * 4, math.inf), -1
)  # not the likeliest
@example(
    [[-9.0, 3.3, 1.07, -9.0]], 0.5, (Truncation(typical_p=0.2), [1.0, 4.0, 1.3, 1.0], math.inf), 0
)  # nearly equal, and the likelier one is the more typical
@example([[3.3, 1.07, -2.1, -9.0]], 1.7, (Truncation(eta=0.3), [1.0] * 4, math.inf), 2)
@example([[3.3, 1.07, -2.1, -9.0]], 1.0, (Truncation(), [1.0] * 4, 0.01), 0)
@example([[3.3, 1.07, -2.1, -9.0]], 1.0, (Truncation(), [4.0, 1.0, 4.0, 1.0], math.inf), -1)
def test_every_rule_leaves_what_its_paper_says(rows, temperature, rules, barred_id):
    """Alone and together with the others, in the order that is promised; each id's surprise is its own."""
    truncation, penalties, limit = rules
    barred = np.zeros(4, np.float32)
    barred[barred_id if barred_id >= 0 else []] = -np.inf
    logits = np.repeat(np.array(rows, np.float32), GRID, axis=0)
    uniforms = np.tile((np.arange(GRID) + 0.5) / GRID, len(rows))

    ids, losses, surprises = in_torch.draw_by(
        torch.from_numpy(logits),
        np.full(len(logits), 1 / temperature, np.float32),
        np.repeat(barred[None], len(logits), axis=0),
        uniforms,
        truncation,
        np.tile(np.array(penalties, np.float32), (len(logits), 1)),
        np.full(len(logits), limit),
    )

    for n, row in enumerate(rows):
        found, chosen = slice(n * GRID, (n + 1) * GRID), ids[n * GRID : (n + 1) * GRID]
        before, expected = slow_shares_of_all(row, temperature, barred, truncation, penalties, limit)
        np.testing.assert_allclose(np.bincount(chosen, minlength=4) / GRID, expected, atol=1.5 / GRID)
        np.testing.assert_allclose(surprises[found], -np.log(np.array(before)[chosen]), atol=1e-4)
        np.testing.assert_allclose(losses[found], np.logaddexp.reduce(row) - np.array(row)[chosen], atol=1e-5)


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


@both
def test_each_row_may_have_its_own_bars(draw):
    """What a row must not write is barred there alone."""
    barred = np.array([[-np.inf, 0], [0, -np.inf]], np.float32)

    ids, _ = draw(np.zeros((2, 2), np.float32), np.ones(2, np.float32), barred, np.full(2, 0.5))

    assert ids.tolist() == [1, 0]
