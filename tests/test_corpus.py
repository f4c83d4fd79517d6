"""Gathering documents and holding some of them out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import CorpusError, Document
from bot.text.corpus import gather, split

TEXTS = [f"item {number}" for number in range(20)]


def test_texts_are_stripped_and_distinct_and_what_went_is_counted():
    """Empty items and exact repetitions are dropped; the first of equal ones stays, with its source."""
    documents = [Document(" item 0\n", "first"), "item 0", "", " \t ", *TEXTS]

    corpus = gather(documents, "things")

    assert [document.text for document in corpus.documents] == TEXTS
    assert corpus.documents[0].source == "first"
    assert corpus.counts == {"read": 24, "empty": 2, "repeated": 2, "kept": 20, "characters": 130}


def test_a_corpus_tells_how_many_came_from_each_source():
    """Of more sources than a person would read, and of a single one, it does not."""
    by_source = [Document(text, f"from {number % 2}") for number, text in enumerate(TEXTS)]
    each_its_own = [Document(text, text) for text in [*TEXTS, "one more"]]

    assert gather(by_source, "a").sources == {"from 0": 10, "from 1": 10}
    assert gather(each_its_own, "b").sources == gather(TEXTS, "c").sources == {}


def test_a_corpus_is_known_by_its_digest():
    """Equal texts in equal order give the same digest, and where one ends matters."""
    assert gather(TEXTS, "a").sha256 == gather([*TEXTS, TEXTS[0]], "b").sha256
    assert gather(["ab", "c", *TEXTS], "a").sha256 != gather(["a", "bc", *TEXTS], "a").sha256


def test_too_small_a_corpus_is_refused_with_its_counts():
    """Nine items are too few, and the message says what became of the rest."""
    with pytest.raises(CorpusError, match=r"corpus names: 9 items .* \(read 12, 1 empty, 2 repeated\)"):
        gather([*TEXTS[:9], "", *TEXTS[:2]], "names")


def test_one_long_text_is_enough():
    """A single file, or one giant line, can be learned from."""
    assert len(gather(["word " * 2_001], "novel").documents) == 1


@pytest.mark.parametrize("item", [None, 7, b"bytes", Document(text=None)])
def test_an_item_that_is_no_text_is_named(item):
    """A corpus plugin's mistake is told by corpus and item."""
    with pytest.raises(CorpusError, match=r"corpus mine, item 2: .* is no text"):
        gather(["fine", item], "mine")


def test_half_a_surrogate_pair_is_refused():
    """What cannot be written as UTF-8 would fail much later, in the database."""
    with pytest.raises(CorpusError, match="item 1: half a surrogate pair"):
        gather(["\ud800"], "mine")


@given(st.integers(10, 300), st.floats(0.001, 0.9), st.integers())
def test_a_split_parts_the_documents(count, share, seed):
    """Every document is on one side and only one, in order; the share is met; the seed decides."""
    documents = [Document(str(number)) for number in range(count)]

    train, held_out = split(documents, share, seed)

    assert not set(train) & set(held_out)
    assert sorted(train + held_out, key=documents.index) == documents
    assert [*train] == sorted(train, key=documents.index)
    assert len(held_out) == max(1, round(count * share))
    assert (train, held_out) == split(documents, share, seed)


@given(st.integers(10, 60), st.floats(0.05, 0.5), st.integers())
def test_variants_follow_what_they_vary(count, share, seed):
    """The same is held out as without them, and no variant of it is learned from."""
    own = [Document(str(number)) for number in range(count)]
    varied = [Document(f"{one.text} {n}", variant_of=one.text) for n in "ab" for one in own]

    train, held_out = split([*own, *varied], share, seed)
    plain, same = split(own, share, seed)

    assert held_out == same
    assert [one for one in train if not one.variant_of] == [*plain]
    assert {one.variant_of for one in train} - {""} == {one.text for one in plain}
    assert len(train) == 3 * len(plain)


def test_of_few_long_texts_no_variant_is_learned_from():
    """Their ends are held out, and a variant has them too."""
    documents = [Document("word " * 2_001), Document("drow " * 2_001, variant_of="word " * 2_001)]

    train, held_out = split(documents, 0.1, 1)

    assert not any("drow" in one.text for one in (*train, *held_out))


def test_other_seeds_hold_out_others():
    """The held-out documents are a random draw."""
    documents = [Document(str(number)) for number in range(1000)]

    assert split(documents, 0.05, 1)[1] != split(documents, 0.05, 2)[1]


@given(st.text(alphabet="ab \n", min_size=1000, max_size=3000), st.floats(0.01, 0.5))
def test_of_few_long_texts_the_ends_are_held_out(text, share):
    """Nothing stands on both sides, nothing but white space is lost, no word of sane length is cut."""
    text = "start" + text + "end"

    train, held_out = split([Document(text, "novel"), Document("short")], share, 1)
    (beginning, short), (end,) = train, held_out

    assert short == Document("short")
    assert text.startswith(beginning.text)
    assert text.endswith(end.text)
    assert "".join((beginning.text + end.text).split()) == "".join(text.split())
    assert re.search(r"\S{100}", text) or text.split() == beginning.text.split() + end.text.split()
