"""The shipped tokenizers: what is cut apart can be put together again."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Choice
from bot.registry import Registry

REGISTRY = Registry(None, None)
CHARACTERS = REGISTRY.build("tokenizers", Choice("characters", {}))
WORDS = REGISTRY.build("tokenizers", Choice("words", {}))
NASTY = [
    "",
    " ",
    "\n",
    "a",
    "'",
    "''",
    "don't",
    "(a)",
    "a - b",
    "-a",
    "a-",
    "“Rest…”",
    "हिन्दी में",
    "🧟‍♂️ corpse",
    "e\u0301",
    "\x1c\x85\u2028",
]


def normalised(text: str) -> str:
    """One space for white space without a line break, at most two breaks for the rest, none at the ends."""
    runs = regex.split(r"(\s+)", text.strip())
    breaks = [run.count("\n") for run in runs[1::2]]
    spaces = ["\n" * min(count, 2) or " " for count in breaks]
    return "".join(part for pair in zip(runs[::2], [*spaces, ""], strict=True) for part in pair)


@pytest.mark.parametrize("text", NASTY)
def test_nothing_is_lost_of_nasty_strings(text):
    """The list of strings that broke tokenizers before."""
    assert CHARACTERS.join(CHARACTERS.split(text)) == text
    assert WORDS.join(WORDS.split(text)) == normalised(text)


@given(st.text())
def test_characters_give_any_text_back(text):
    """Splitting into characters and joining them changes nothing."""
    assert CHARACTERS.join(CHARACTERS.split(text)) == text


@given(st.text() | st.text(alphabet="ab'’-., (\"\n\t\r_é"))
def test_words_give_any_text_back_but_for_white_space(text):
    """Splitting into words and joining them keeps every sign and every space between them."""
    assert WORDS.join(WORDS.split(text)) == normalised(text)


def test_words_stay_the_same_token_beside_signs():
    """Signs carry the spaces, so a word is one entry of the vocabulary wherever it stands."""
    tokens = WORDS.split("Rest (in death), you don't.\n\n\nRest!")

    assert tokens == ["Rest", " (", "in", "death", ")", ", ", "you", "don't", ".", "\n\n", "Rest", "!"]


def test_words_keep_the_most_frequent():
    """8,000 words unless told otherwise; characters keep all."""
    assert WORDS.vocabulary_size == 8000
    assert REGISTRY.build("tokenizers", Choice("words", {"vocabulary_size": 50})).vocabulary_size == 50
    assert CHARACTERS.vocabulary_size is None
