"""A mash-up, told by words of each of its sources."""

import pytest

from bot import Candidate, Reject
from bot.records import Sampling
from plugins.filters.mash_up import mash_up


@pytest.fixture
def sources(tmp_path):
    first, second = tmp_path / "songs.txt", tmp_path / "papers.txt"
    first.write_text("my lonely heart\ndance with my heart\nmy summer love\n" * 5)
    second.write_text("neural networks for parsing\nlearning neural parsing\nnetworks with learning\n" * 5)
    return {"first_path": first, "second_path": second}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("My Lonely Neural Networks", None),
        ("my summer heart", "no word that tells of papers"),
        ("learning with networks", "no word that tells of songs"),
        ("neural parsing networks learning for love", "nearly all papers"),
    ],
)
def test_a_mash_up_has_words_of_both_sources_in_balance(sources, text, why):
    judge = mash_up(**sources, balance=0.6)
    candidate = Candidate(text, text, "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", "")
    if why is None:
        assert judge(candidate, None) is candidate
    else:
        with pytest.raises(Reject, match=why):
            judge(candidate, None)


def test_words_that_both_sources_use_alike_tell_of_neither(sources):
    candidate = Candidate("with", "with", "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", "")
    with pytest.raises(Reject, match="no word that tells of songs"):
        mash_up(**sources)(candidate, None)
