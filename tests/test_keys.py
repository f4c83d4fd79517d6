"""One table of keys: none has two meanings, and the terminal knows every one of them."""

from collections import Counter

from bot.review.keys import IN_LISTS, KEYS, OF_TERMINAL
from bot.review.terminal import Review

NAMES = {"/": "slash", "?": "question_mark", "[ ]": "left_square_bracket"}
WIDGETS = {"enter"}  # the list's own


def test_no_key_has_two_meanings() -> None:
    keys = Counter(key.key for key in (*KEYS, *OF_TERMINAL, *IN_LISTS))

    assert max(keys.values()) == 1


def test_the_terminal_listens_to_every_key_of_the_table() -> None:
    bound = {name for binding in Review.BINDINGS for name in binding.key.split(",")}
    wanted = {NAMES.get(key.key, key.key) for key in (*KEYS, *OF_TERMINAL, *IN_LISTS)}

    assert wanted - bound == WIDGETS
