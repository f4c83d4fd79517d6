"""A training takes no more memory the longer it lasts."""

import pytest

from benchmarks.memory import growth


def test_memory_does_not_grow_with_the_steps() -> None:
    """What is held after each of 600 steps lies on a level line; 16 kB kept at each would be seen."""
    ours, leaking = growth(600)["bytes_a_step"], growth(600, leak=16_384)["bytes_a_step"]

    assert ours < 6_000
    assert leaking > 14_000


@pytest.mark.proof
def test_memory_does_not_grow_over_10_000_steps() -> None:
    """The same at full size: less than 5 MB in all, where the control keeps 20."""
    ours, leaking = growth(10_000)["bytes_a_step"], growth(10_000, leak=2_048)["bytes_a_step"]

    assert ours < 500
    assert leaking > 1_500
