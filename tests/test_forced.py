"""What a prefix or a constraint makes texts have in common is no rut."""

import string

import pytest

from bot.curation.forced import forced
from bot.curation.variety import ruts

LETTERS = string.ascii_lowercase
NIGHTS = [f"Night {letter}ol{letter}e" for letter in LETTERS]


def asked(begins: str = "", ends: str = ""):
    return lambda text: text.startswith(begins) and text.endswith(ends)


@pytest.mark.parametrize(
    ("kind", "wanted", "is_forced"),
    [
        ("begins with", asked(), False),
        ("begins with", asked("Night "), True),
        ("begins with", asked("Ni"), True),
        ("begins with", asked(ends="e"), False),
        ("ends in", asked("Night "), False),
        ("ends in -", asked(ends="e"), True),
        ("begins with", lambda text: len(text) < 20, False),
        ("begins with", lambda text: text[0].isupper(), False),
        ("begins with", lambda text: False, False),  # trimmed since: nothing is known
    ],
)
def test_what_leaves_no_other_letters_forces_a_habit(kind, wanted, is_forced):
    """Tried with other letters in the word that the habit is about; lengths and shapes force none."""
    assert forced(kind, [(text, wanted) for text in NIGHTS]) is is_forced


def test_other_alphabets_have_other_letters_too():
    """Cyrillic, say."""
    texts = ["Ночь луны", "Ночь огня"]

    assert forced("begins with", [(text, asked("Ночь")) for text in texts])
    assert not forced("begins with", [(text, asked()) for text in texts])
    assert not forced("ends in", [(text, asked("Ночь")) for text in texts])


def test_a_forced_habit_raises_no_alarm():
    """Those of the other kinds do."""
    texts = [f"Night {letter} Remix" for letter in LETTERS]

    def told(wanted):
        sampled = [(text, wanted) for text in texts]
        return [rut.habit.kind for rut in ruts(texts, forced=lambda kind: forced(kind, sampled))]

    assert told(asked()) == ["begins with", "ends in"]
    assert told(asked("Night ")) == ["ends in"]
    assert told(asked("Night ", "Remix")) == []
