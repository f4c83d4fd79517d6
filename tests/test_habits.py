"""What words are, and how texts begin and end."""

import doctest

from bot.curation import habits
from bot.curation.habits import Habit, habits_of, words_of


def test_the_examples_hold():
    """Those of the docstrings."""
    assert not doctest.testmod(habits).failed


def test_words_are_letters_with_their_marks():
    """Case, width and the kind of apostrophe make no other word; digits and signs are none."""
    assert words_of("Ｄon’t (stop) 3 the élan—vital!") == ["don't", "stop", "the", "élan", "vital"]


def test_a_single_word_has_only_its_last_letters():
    """It would begin and end with itself."""
    assert habits_of("Wormhorn") == [Habit("ends in -", "horn")]
    assert habits_of("Worm") == []
    assert habits_of("3!") == []
