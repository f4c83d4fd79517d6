"""The n-gram baseline against the same formula written out by hand."""

import math
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.ngram import NGram
from bot.text.vocabulary import END, START

sequences = st.lists(st.lists(st.integers(2, 6), max_size=8), min_size=1, max_size=8)


def slow_loss(train: list, test: list, order: int, discount: float) -> float:
    """Interpolated absolute discounting with dictionaries, one token at a time."""
    after: defaultdict[tuple, Counter] = defaultdict(Counter)
    for ids in ([START] * (order - 1) + s + [END] for s in train):
        for at in range(order - 1, len(ids)):
            for length in range(order):
                after[tuple(ids[at - length : at])][ids[at]] += 1

    def probability(context: tuple, id: int) -> float:
        lower = probability(context[1:], id) if context else 1 / (len(after[()]) + 1)
        if context not in after:
            return lower
        counts = after[context]
        own = max(counts[id] - discount, 0) + discount * len(counts) * lower
        return own / counts.total()

    losses = [
        -math.log(probability(tuple(ids[at - order + 1 : at]), ids[at]))
        for ids in ([START] * (order - 1) + s + [END] for s in test)
        for at in range(order - 1, len(ids))
    ]
    return sum(losses) / len(losses)


@given(sequences, sequences, st.integers(1, 5), st.floats(0.1, 0.9))
def test_it_equals_the_formula_written_out(train, test, order, discount):
    """Fast counting by sorted numbers gives what counting by hand gives, unknown ids included."""
    ngram = NGram(order, discount)
    ngram.fit(train)

    assert ngram.loss([*test, [9]]) == pytest.approx(slow_loss(train, [*test, [9]], order, discount))


def test_one_order_is_a_matter_of_counting():
    """Of 4 targets 2 are END: with discount d END has (2 - d)/4 and its part of what was taken."""
    ngram = NGram(order=1, discount=0.5)
    ngram.fit([[3], [4]])

    assert ngram.loss([[]]) == pytest.approx(-math.log((2 - 0.5) / 4 + 0.5 * 3 / 4 * (1 / 4)))


@given(sequences)
def test_probabilities_add_up_to_one(train):
    """Over END, every id that was seen and one that was not."""
    ngram = NGram(order=1)
    ngram.fit(train)
    end = ngram.loss([[]])
    ids = {id for sequence in train for id in sequence} | {99}

    others = [2 * ngram.loss([[id]]) - end for id in ids]

    assert sum(math.exp(-loss) for loss in [end, *others]) == pytest.approx(1)
