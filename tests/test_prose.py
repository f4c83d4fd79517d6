"""What running text is like, counted by hand."""

import pytest

from bot.text.prose import Prose, distance, fit

TEXT = Prose(["The king sang.\nThe THING", '"King" a sing-ing nation'])


def test_words_are_counted_in_any_case():
    assert TEXT.size == 10  # the king sang the thing king a sing ing nation
    assert TEXT.words["the"] == TEXT.words["king"] == 2


def test_shares_of_lengths_add_up_and_long_words_are_one():
    lengths = Prose(["a bb bb", "x" * 40]).lengths
    assert lengths[1] == lengths[15] == 0.25
    assert lengths[2] == 0.5
    assert sum(lengths.values()) == 1.0


def test_letters_are_shared_out_among_letters_only():
    assert Prose(["Aa b, 7 C"]).letters == {"a": 0.5, "b": 0.25, "c": 0.25}


def test_a_capital_may_follow_white_space_a_quotation_mark_or_nothing():
    assert TEXT.stray_capitals == pytest.approx(4 / 8)  # H I N G
    assert Prose(['A B\nC "D', "E'F(G aH"]).stray_capitals == pytest.approx(2 / 8)


def test_a_word_and_an_ending_are_counted_per_10000():
    assert TEXT.per_10000("the") == pytest.approx(2000)
    assert TEXT.per_10000("-ing") == pytest.approx(4000)  # king, king, thing, sing; not ing itself
    assert TEXT.per_10000("-tion") == pytest.approx(1000)


def test_words_of_a_class_and_words_seen_once_have_a_share():
    assert TEXT.share({"the", "a"}) == pytest.approx(0.3)
    assert TEXT.once == pytest.approx(6 / 8)
    assert TEXT.once_of_all == pytest.approx(6 / 10)


def test_a_single_letter_is_no_known_word():
    assert Prose(["o o o the tfe a"]).known({"o", "a", "the"}) == 0.5
    assert Prose(["o"]).known({"o"}) == 0


def test_the_longest_known_word_is_found():
    assert TEXT.longest({"king", "nation", "elsewhere"}) == "nation"
    assert TEXT.longest({"queen"}) == ""


def test_no_text_has_no_words_and_breaks_nothing():
    nothing = Prose([])
    assert (nothing.size, nothing.mean_length, nothing.letters, nothing.stray_capitals) == (0, 0, {}, 0)
    assert nothing.per_10000("the") == nothing.once == nothing.once_of_all == 0


def test_two_distributions_lie_between_the_same_and_nothing_in_common():
    assert distance({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}) == 0
    assert distance({"a": 1.0}, {"b": 1.0}) == 1
    assert distance({"a": 0.75, "b": 0.25}, {"a": 0.5, "b": 0.5}) == 0.25


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ((0.5, 1.5, 0.0, 0.99), "over-fitting"),
        ((1.2, 1.2, 0.6, 0.99), "over-fitting"),
        ((2.2, 2.2, 0.0, 0.4), "under-fitting"),
        ((2.0, 2.2, 0.0, 0.4), "under-fitting"),
        ((1.3, 1.3, 0.0, 0.97), "neither"),
    ],
)
def test_the_verdict_is_told_by_losses_copying_and_spelling(figures, verdict):
    assert fit(*figures).startswith(verdict)
