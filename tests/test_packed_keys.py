"""Keys packed and looked up where they lie, against a set of them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.keys import distinct
from bot.curation.packed_keys import pack, unpack

LAST = (1 << 40) - 1
KEYS = st.integers(0, LAST) | st.integers(0, 40) | st.integers(LAST - 40, LAST)


def array(keys):
    return np.array(list(keys), dtype=np.uint64)


@given(st.sets(KEYS, max_size=200), st.lists(KEYS, max_size=50))
def test_what_is_held_is_what_was_packed(keys, others):
    found = unpack(pack(distinct([array(keys)]))).holds(array([*keys, *others]))

    assert found.tolist() == [True] * len(keys) + [other in keys for other in others]


@pytest.mark.parametrize("count", [4095, 4096, 4097, 70_000])
def test_many_keys_are_held(count):
    """Over several blocks, and more than are packed at once."""
    keys = distinct([np.random.default_rng(count).integers(0, LAST, count, dtype=np.uint64)])
    known = unpack(pack(keys[::2]))

    assert known.holds(keys[::2]).all()
    assert not known.holds(keys[1::2]).any()


def test_keys_side_by_side_are_told_apart():
    """A thousand share their upper bits, and whole blocks of rises have no 0."""
    known = unpack(pack(array(range(0, 2000, 2))))

    assert known.holds(array(range(2000))).tolist() == [True, False] * 1000


def test_a_million_keys_take_less_than_three_bytes_each():
    """Where five bytes hold a key as it is, and log2 of the number of such sets is 2.7 bytes a key."""
    keys = distinct([np.random.default_rng(0).integers(0, LAST, 1_000_000, dtype=np.uint64)])

    assert len(pack(keys)) < 2_800_000


def test_what_the_first_versions_wrote_is_read():
    """An owner's models do not need to be trained again."""
    keys = [3, 256, 258, LAST]
    upper, lower = (
        struct.pack(f"<{len(keys)}{kind}", *part)
        for kind, part in (
            ("I", [key >> 8 for key in keys]),
            ("B", [key & 255 for key in keys]),
        )
    )

    known = unpack(struct.pack("<8sQ", b"novelty\x01", len(keys)) + upper + lower)

    assert known.holds(array([3, 4, 256, 257, 258, LAST - 1, LAST])).tolist() == [
        True,
        False,
        True,
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("keys", [[], [0], [LAST], [0, LAST], range(LAST - 300, LAST + 1)])
def test_the_least_and_the_last_key_are_held(keys):
    """Also where there is no other, and where many share their upper bits at the end."""
    known = unpack(pack(array(keys)))

    assert known.holds(array([0, 1, LAST - 1, LAST])).tolist() == [k in keys for k in (0, 1, LAST - 1, LAST)]
    assert known.holds(array([])).tolist() == []


@given(st.sets(KEYS, min_size=1, max_size=200), st.integers(0, 1 << 20), st.integers(0, 255))
def test_a_damaged_file_is_nothing_or_answers(keys, place, byte):
    """A byte is another: what cannot be noticed is a wrong answer, never an error."""
    data = bytearray(pack(distinct([array(keys)])))
    data[16 + place % (len(data) - 16)] = byte
    known = unpack(bytes(data))

    assert known is None or len(known.holds(array([0, *keys, LAST]))) == len(keys) + 2


def test_a_file_whose_rises_are_not_as_many_as_its_keys_is_nothing():
    """They are counted when it is opened."""
    data = pack(array(range(500)))

    assert unpack(data[:16] + bytes([data[16] ^ 1]) + data[17:]) is None
    assert unpack(data[:16] + bytes(32) + data[48:]) is None


@pytest.mark.parametrize("cut", [1, 8, 30, 1000])
def test_what_is_cut_short_is_nothing(cut):
    assert unpack(pack(array(range(500)))[:-cut]) is None
