"""Sequences cut and lined up for training: every token once, each after what came before it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.batches import IGNORED, Batches, ItemBatches, StreamBatches, arrange
from bot.text.vocabulary import END, START

sequences = st.lists(st.lists(st.integers(3, 9), max_size=20), min_size=1, max_size=30)
sizes = st.integers(1, 8)


def rows_of(batches: list) -> list[list[tuple[int, int]]]:
    """Each row from fresh to fresh as (input, target) pairs, ignored places left out."""
    rows, current = [], []
    for batch in batches:
        if batch.fresh:
            rows += current
            current = [[] for _ in range(batch.inputs.shape[1])]
        for inputs, targets, row in zip(
            batch.inputs.T.tolist(), batch.targets.T.tolist(), current, strict=True
        ):
            row += [pair for pair in zip(inputs, targets, strict=True) if pair[1] != IGNORED]
    return rows + current


def pairs(sequence: list[int]) -> list[tuple[int, int]]:
    return list(pairwise([START, *sequence, END]))


def passes(batches: Batches) -> list[list]:
    return [list(batches.in_order()), list(batches.epoch(1, 0)), list(batches.epoch(1, 1))]


def test_a_sequence_is_asked_for_one_id_later():
    """[0,179,341,416] -> [179,341,416,1]: from START each id answers with the next, the last with END."""
    [batch] = ItemBatches([[179, 341, 416]], batch_size=4, sequence_length=8).in_order()

    assert batch.inputs[:, 0].tolist() == [0, 179, 341, 416]
    assert batch.targets[:, 0].tolist() == [179, 341, 416, 1]


@given(sequences, sizes, sizes)
def test_every_item_stands_whole_in_a_row_of_its_own(sequences, batch_size, sequence_length):
    """In any order and however many windows it takes, an item is read once from the zero state to its end."""
    batches = ItemBatches(sequences, batch_size, sequence_length)

    for epoch in passes(batches):
        assert sorted(rows_of(epoch)) == sorted(pairs(sequence) for sequence in sequences)
        assert all(batch.inputs.shape == batch.targets.shape for batch in epoch)
        assert max(batch.inputs.shape[0] for batch in epoch) <= sequence_length
        assert max(batch.inputs.shape[1] for batch in epoch) <= batch_size
    assert batches.tokens == sum(len(sequence) + 1 for sequence in sequences)


@given(sequences, sizes, sizes)
def test_streams_lay_all_texts_end_to_end(sequences, batch_size, sequence_length):
    """Side by side or shifted, the streams hold every pair of the corpus once."""
    batches = StreamBatches(sequences, batch_size, sequence_length)
    expected = [pair for sequence in sequences for pair in pairs(sequence)]

    for epoch in passes(batches):
        assert sorted(pair for row in rows_of(epoch) for pair in row) == sorted(expected)
        assert [batch.fresh for batch in epoch] == [True] + [False] * (len(epoch) - 1)
        assert all((batch.targets != IGNORED).any() for batch in epoch)
    assert [pair for row in rows_of(list(batches.in_order())) for pair in row] == expected
    assert batches.tokens == len(expected)


@pytest.mark.parametrize("kind", [ItemBatches, StreamBatches])
def test_the_order_is_decided_by_seed_and_epoch(kind):
    """The same seed and epoch give the same batches; another seed or epoch gives others."""
    batches = kind([[3 + number % 5] * (number % 7) for number in range(200)], 8, 16)

    def order(seed: int, number: int) -> list:
        return [(batch.inputs.tolist(), batch.targets.tolist()) for batch in batches.epoch(seed, number)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_even_one_long_text_is_cut_elsewhere_every_epoch():
    """A novel has no items to shuffle, so its windows begin at other places."""
    batches = StreamBatches([list(range(3, 1000))], 4, 16)

    first, second = (next(batches.epoch(1, number)).inputs.tolist() for number in (0, 1))

    assert first != second


def test_rows_of_a_batch_are_of_similar_length():
    """Little of a batch is padding, though lengths differ fifty-fold."""
    batches = ItemBatches([[5] * (number % 50) for number in range(2000)], 32, 64)

    places = sum(batch.targets.numel() for batch in batches.epoch(1, 0))

    assert batches.tokens / places > 0.9


@pytest.mark.parametrize(
    ("lengths", "kind"),
    [
        ([10] * 100, ItemBatches),
        ([10] * 96 + [100] * 4, ItemBatches),
        ([10] * 90 + [100] * 10, StreamBatches),
        (
            [10] * 99 + [100_000],
            StreamBatches,
        ),  # 99 in 100 fit, but nearly all text is in the one that does not
        ([100_000], StreamBatches),
    ],
)
def test_short_items_make_rows_and_long_texts_streams(lengths, kind):
    """Items where nearly all fit a window and so does most of the text."""
    assert type(arrange([[3] * length for length in lengths], 8, 32)) is kind


def test_a_text_shorter_than_its_streams_makes_fewer():
    """A stream is at least a window long, so a small held-out set still has context."""
    assert StreamBatches([[3] * 99], 64, 25).rows == 4
