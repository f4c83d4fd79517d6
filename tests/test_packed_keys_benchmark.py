"""The benchmark of packed keys, at a size of no account: both kinds answer alike, or it ends."""

from benchmarks.packed_keys import measure


def test_both_kinds_are_opened_and_asked():
    """And the packed one is the smaller."""
    found = measure(2000, 2)

    assert len(found) == 8
    assert min(found.values()) > 0
    assert found["packed: bytes"] < 0.8 * found["plain: bytes"]
