"""How much of a text stands in a corpus, from each place on: against Python's own search."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.suffixes import PADDING, Suffixes, sort_suffixes

BYTES = st.lists(st.sampled_from(b"ab\x00\xff"), max_size=40).map(bytes)


def open_suffixes(corpus: bytes) -> Suffixes:
    return Suffixes(np.frombuffer(corpus + PADDING, np.uint8), sort_suffixes(corpus))


def search(corpus: bytes, text: bytes, size: int | None = None):
    """From every place to the text's end, or `size` bytes."""
    places = np.arange(len(text) if size is None else len(text) - size + 1)
    sizes = len(text) - places if size is None else np.full(len(places), size)
    return open_suffixes(corpus).search(np.frombuffer(text + PADDING, np.uint8), places, sizes)


@given(st.lists(BYTES, min_size=1), BYTES)
def test_the_longest_match_is_found_at_every_place(lines, text):
    """As long as `in` says, and it stands where it is said to stand."""
    corpus = b"\n".join([*lines, b""])
    found = search(corpus, text)

    for place, size, where in zip(range(len(text)), found.size.tolist(), found.where.tolist(), strict=True):
        assert text[place : place + size] in corpus
        assert place + size == len(text) or text[place : place + size + 1] not in corpus
        assert corpus[where : where + size] == text[place : place + size]


@given(st.lists(BYTES, min_size=1), BYTES, st.integers(1, 20))
def test_all_places_of_a_piece_are_counted(lines, text, size):
    """The range of suffixes that begin with it, empty if none does."""
    corpus = b"\n".join([*lines, b""])
    found = search(corpus, text, min(size, len(text))) if text else search(corpus, b"")
    pieces = [text[i : i + min(size, len(text))] for i in range(len(found.size))]

    assert (found.last - found.first).tolist() == [
        sum(corpus.startswith(piece, at) for at in range(len(corpus))) for piece in pieces
    ]
