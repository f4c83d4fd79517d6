"""Tokens to ids and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CheckpointError, CorpusError
from bot.text.vocabulary import END, START, UNKNOWN, Vocabulary

documents = st.lists(st.lists(st.text(max_size=3), max_size=8), max_size=8)


@given(documents)
def test_a_complete_vocabulary_gives_every_document_back(documents):
    """Decoding what was encoded changes nothing, marks among the ids or not."""
    vocabulary = Vocabulary.build(documents)

    for tokens in documents:
        ids = vocabulary.encode(tokens)
        assert vocabulary.decode([START, *ids, END]) == tokens
        assert not {START, END, UNKNOWN} & set(ids)


def test_the_most_frequent_tokens_come_first():
    """Ids follow frequency, so that a smaller vocabulary is the beginning of a larger one."""
    vocabulary = Vocabulary.build([["b", "a", "b"], ["c", "b", "a"]])

    assert vocabulary.tokens == ("b", "a", "c")
    assert vocabulary.encode(["a", "b", "c"]) == [4, 3, 5]
    assert len(vocabulary) == 6


def test_a_cut_vocabulary_reads_the_rest_as_unknown():
    """Rare words are one id; reading it back says so."""
    vocabulary = Vocabulary.build([["the", "the", "axe"]], size=1)

    assert vocabulary.encode(["the", "axe"]) == [3, UNKNOWN]
    assert vocabulary.decode([3, UNKNOWN]) == ["the", "<unknown>"]


def test_a_complete_vocabulary_names_the_tokens_it_misses():
    """An alphabet that was complete and is not any more is a change of corpus, told by its letters."""
    with pytest.raises(CorpusError, match=r"not in the vocabulary of 1 tokens: 'x', 'y'$"):
        Vocabulary(["a"]).encode(["x", "a", "y", "x"])


def test_a_size_that_holds_all_tokens_leaves_it_complete():
    """Only what was cut off can be unknown."""
    assert Vocabulary.build([["a", "b"]], size=2).complete
    assert not Vocabulary.build([["a", "b"]], size=1).complete


@given(documents, st.none() | st.integers(0, 5))
def test_a_file_gives_the_same_vocabulary(tmp_path_factory, documents, size):
    """Written and read back, ids and completeness are the same."""
    vocabulary = Vocabulary.build(documents, size)
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.json"
    path.write_bytes(vocabulary.encoded())

    loaded = Vocabulary.load(path)

    assert (loaded.tokens, loaded.complete) == (vocabulary.tokens, vocabulary.complete)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"tokens": [1], "complete": true}',
        b'{"tokens": ["a", "a"], "complete": true}',
        b'{"tokens": ["a"], "complete": "yes"}',
        b'{"tokens": 3, "complete": true}',
        b'{"tokens": "ab", "complete": true}',
        b'{"tokens": {"a": 1}, "complete": true}',
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, content):
    """Whatever lies there, the message names the file."""
    path = tmp_path / "vocabulary.json"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"vocabulary\.json: no vocabulary"):
        Vocabulary.load(path)


def test_a_missing_file_is_refused(tmp_path):
    """A checkpoint without its vocabulary is incomplete."""
    with pytest.raises(CheckpointError, match="no vocabulary"):
        Vocabulary.load(tmp_path / "vocabulary.json")
