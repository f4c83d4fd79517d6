"""The n-gram baseline against the same formula written out by hand."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.ngram import NGram
from bot.text.vocabulary import END, START

sequences = st.lists(st.lists(st.integers(2, 6), max_size=8), min_size=1, max_size=8)


def slow_probability(train: list, order: int, discount: float, share: float | None = None):
    """probability(context, id) by interpolated absolute discounting with dictionaries, one token at a time.

    share: of an id that was never seen; None: as if there were one such.
    """
    after: defaultdict[tuple, Counter] = defaultdict(Counter)
    for ids in ([START] * (order - 1) + s + [END] for s in train):
        for at in range(order - 1, len(ids)):
            for length in range(order):
                after[tuple(ids[at - length : at])][ids[at]] += 1

    def probability(context: tuple, id: int) -> float:
        lower = probability(context[1:], id) if context else share or 1 / (len(after[()]) + 1)
        if context not in after:
            return lower
        counts = after[context]
        own = max(counts[id] - discount, 0) + discount * len(counts) * lower
        return own / counts.total()

    return probability


def slow_loss(train: list, test: list, order: int, discount: float) -> float:
    probability = slow_probability(train, order, discount)
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


@given(sequences, sequences, st.integers(1, 5), st.floats(0.1, 0.9))
def test_what_may_come_next_equals_the_formula_written_out(train, test, order, discount):
    """For every id after every beginning of a sequence; all ids together have probability 1, START none."""
    ngram = NGram(order, discount, vocabulary_size=9)
    ngram.fit(train)
    expected = slow_probability(train, order, discount, share=1 / 8)

    for sequence in test:
        contexts, context = ngram.start()[None], (START,) * (order - 1)
        for last in [START, *sequence]:
            contexts = ngram.advance(contexts, np.array([last]))
            context = (*context, last)[1:]
            found = ngram.probabilities(contexts)[0]
            assert found[START] == 0
            assert found.sum() == pytest.approx(1)
            for id in range(1, 9):
                assert found[id] == pytest.approx(expected(context, id))


@given(sequences, sequences, st.integers(1, 4))
def test_rows_do_not_see_each_other(train, test, order):
    """What may come next is the same to the last bit, alone and beside others."""
    ngram = NGram(order, vocabulary_size=9)
    ngram.fit(train)
    contexts = np.tile(ngram.start(), (len(test), 1))
    for step in range(3):
        ids = np.array([(START, *sequence, 8, 8)[step] for sequence in test])
        contexts = ngram.advance(contexts, ids)

    together = ngram.probabilities(contexts)

    for row in range(len(test)):
        np.testing.assert_array_equal(ngram.probabilities(contexts[row : row + 1])[0], together[row])


@given(sequences, sequences, st.integers(1, 4))
def test_tables_restored_say_the_same(train, test, order):
    """All that was counted stands in the tables."""
    ngram, other = NGram(order, vocabulary_size=9), NGram(order, vocabulary_size=9)
    ngram.fit(train)

    other.restore(ngram.tables)

    assert other.loss(test) == ngram.loss(test)


@pytest.mark.parametrize(
    ("keys", "counts"),
    [
        ([], []),
        ([0, 3], [2]),
        ([3, 0], [1, 1]),
        ([3, 3], [1, 1]),
        ([-1, 3], [1, 1]),
        ([3, 9], [1, 1]),
        ([3, 4], [1, -1]),
        ([3, 4], [0, 0]),
    ],
)
def test_tables_that_make_no_sense_are_refused(keys, counts):
    """Keys rise and stay below contexts times ids; counts are none below 0 and something was counted."""
    table = np.array(keys, np.int64), np.array(counts, np.int64)

    with pytest.raises(ValueError, match="the 1-grams make no sense"):
        NGram(1, vocabulary_size=9).restore([table])


@pytest.mark.parametrize(("order", "discount"), [(0, 0.5), (3, 0.0), (3, 1.0), (3, math.nan)])
def test_impossible_settings_are_refused(order, discount):
    """The order is at least 1, the discount lies between 0 and 1."""
    with pytest.raises(ValueError, match="order is at least 1 and the discount between 0 and 1"):
        NGram(order, discount)
