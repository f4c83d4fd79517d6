"""A corpus as one text in whole chunks, as excerpts, and in three parts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CorpusError
from bot.model.batches import IGNORED
from bot.model.layouts import ChunkBatches, ExcerptBatches
from bot.records import Document
from bot.text.parts import chunks, of_documents, of_stream, texts
from bot.text.vocabulary import END, START

sequences = st.lists(st.lists(st.integers(3, 9), max_size=20), min_size=1, max_size=9).filter(
    lambda texts: sum(map(len, texts)) > 0
)


class Letters:
    """What the shipped tokenizer of characters does."""

    vocabulary_size = None
    split = staticmethod(list)
    join = staticmethod("".join)


@pytest.mark.parametrize("characters", [456_000, 457_499])
@pytest.mark.parametrize(("batch_size", "parts"), [(50, (172, 10)), (40, (216, 12))])
def test_the_chunks_are_those_of_the_thesis(characters, batch_size, parts):
    """182 chunks at batch 50 and 228 at batch 40; what fills no whole chunk is left out."""
    count = chunks(characters, batch_size, 50, validation_share=0.05, test_share=0.0)

    assert (count.train, count.held_out, count.test) == (*parts, 0)
    assert count.train * 50 == {50: 8_600, 40: 10_800}[batch_size]  # updates in 50 epochs


def test_a_chunk_more_or_less_is_one_character_away():
    """The bounds between which the document's count holds."""
    counts = [chunks(characters, 50, 50, 0.05, 0.0).all for characters in (454_999, 455_000, 457_500)]

    assert counts == [181, 182, 183]


@pytest.mark.parametrize("batch_size", [50, 40])
def test_an_epoch_of_a_stream_has_as_many_updates_as_chunks(batch_size):
    """The batches that are made are those that were counted: 8,600 in 50 epochs at batch 50."""
    text = Document("".join(chr(97 + at * at % 23) for at in range(457_499)))

    parts = of_stream([text], Letters, 0.05, 0.0, batch_size, 50)

    made = [ChunkBatches(part.ids, batch_size, 50).chunks for part in (parts.train, parts.held_out)]
    assert made == {50: [172, 10], 40: [216, 12]}[batch_size]
    assert parts.remark == "A small corpus for a stream: 457,499 bytes are less than 1,000,000."


@given(sequences, st.integers(1, 5), st.integers(2, 6))
def test_a_stream_reads_the_corpus_in_its_order(sequences, batch_size, sequence_length):
    """Row after row, each id after the one before it; START is read where a text has ended."""
    batches = ChunkBatches(sequences, batch_size, sequence_length)
    whole = [id for sequence in sequences for id in (*sequence, END)][:-1]
    read = [START, *(START if id == END else id for id in whole[:-1])]

    windows = list(batches.epoch(1, 0))

    for ids, expected in (("inputs", read), ("targets", whole)):
        rows = zip(*(getattr(window, ids).T.tolist() for window in windows), strict=True)
        joined = [id for row in rows for window in row for id in window]
        assert joined == expected[: batches.tokens]
    assert batches.tokens > len(whole) - batches.rows * batches.sequence_length
    assert len(windows) == batches.chunks


def test_a_stream_carries_its_state_from_epoch_to_epoch():
    """Only the very first chunk begins anew, and each evaluation's first."""
    batches = ChunkBatches([[3] * 40], 2, 5)

    assert [[one.fresh for one in batches.epoch(1, number)] for number in (0, 1)] == [
        [True, False, False, False],
        [False] * 4,
    ]
    assert [one.fresh for one in batches.in_order()] == [True, False, False, False]


@given(sequences, st.integers(1, 5), st.integers(2, 6))
def test_excerpts_are_windows_of_the_text(sequences, batch_size, sequence_length):
    """Each begins anew, and every pair in it stands in the text."""
    batches = ExcerptBatches(sequences, batch_size, sequence_length)
    whole = [START, *(id for sequence in sequences for id in (*sequence, END))][:-1]
    pairs = {(START if a == END else a, b) for a, b in pairwise(whole)}

    windows = list(batches.epoch(1, 0))

    assert all(window.fresh for window in windows)
    assert sum(window.targets.numel() for window in windows) == batches.tokens
    for window in windows:
        assert {
            *zip(window.inputs.flatten().tolist(), window.targets.flatten().tolist(), strict=True)
        } <= pairs


def test_excerpts_in_order_are_all_of_the_text():
    """The loss is measured on each id once."""
    batches = ExcerptBatches([[3, 4, 5], [6, 7, 8, 9]], 2, 3)

    asked = [id for one in batches.in_order() for row in one.targets.T.tolist() for id in row]

    assert asked == [3, 4, 5, END, 6, 7, 8, 9, IGNORED]


def test_excerpts_differ_by_seed_and_epoch():
    """The same ones come again for the same seed and epoch."""
    batches = ExcerptBatches([[*range(3, 400)]], 4, 10)

    def inputs(seed, number):
        return [window.inputs.tolist() for window in batches.epoch(seed, number)]

    assert inputs(1, 0) == inputs(1, 0)
    assert inputs(1, 0) != inputs(1, 1)
    assert inputs(1, 0) != inputs(2, 0)


def test_a_stream_is_cut_without_losing_a_letter():
    """Half to learn from, a quarter held out, a quarter to test with; the texts' ends are kept."""
    documents = [Document("ab" * 30), Document("cd" * 10), Document("ef" * 40)]

    parts = of_stream(documents, Letters, 0.25, 0.25, 2, 5)

    whole = "".join(
        "".join(one.text for one in part.documents) for part in (parts.train, parts.held_out, parts.test)
    )
    assert whole == ("ab" * 30 + "cd" * 10 + "ef" * 40)[:158]  # two ends were read, and 160 are whole chunks
    assert [len(part.ids[0]) for part in (parts.train, parts.held_out, parts.test)] == [80, 40, 40]
    assert [len(text) for text in texts(parts.train.ids)] == [60, 19]


def test_a_stream_with_too_few_chunks_is_refused():
    """The message says how many there are and what would help."""
    with pytest.raises(CorpusError, match="1,000 tokens make 1 chunks of 50 x 20, too few for all parts"):
        of_stream([Document("x" * 1000)], Letters, 0.05, 0.0, 50, 20)


def test_documents_fall_to_three_parts():
    """50/25/25: none in two parts, none lost; without a test part it is the split there always was."""
    documents = [Document(f"item {number}") for number in range(40)]

    parts = of_documents(documents, Letters, 0.25, 0.25, seed=1)

    found = [{one.text for one in part.documents} for part in (parts.train, parts.held_out, parts.test)]
    assert [len(part) for part in found] == [20, 10, 10]
    assert len(set.union(*found)) == 40
    assert not of_documents(documents, Letters, 0.25, 0.0, seed=1).test.ids
