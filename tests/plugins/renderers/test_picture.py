"""The picture renderer: the words, whole, in the middle of the page."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from bot import BotError
from bot.config import Choice
from bot.errors import ConfigError
from bot.registry import Registry

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=40).map(" ".join)


def picture(**options):
    return Registry(None, Path()).build("renderers", Choice("picture", options))


PICTURE = picture()


def ink(attachment):
    """Where the page is not paper, as (rows, columns)."""
    pixels = imread(io.BytesIO(attachment.content))[..., :3]
    return np.abs(pixels - pixels[0, 0]).max(axis=2) > 0.2


def test_it_is_a_png_of_the_size_that_was_asked_for():
    """With the text for a description."""
    [made] = picture(width=900, height=600)("Morbid Cavern")

    assert (made.media_type, made.name, made.alt_text) == ("image/png", "picture.png", "Morbid Cavern")
    assert (made.width, made.height) == (900, 600) == ink(made).shape[::-1]


@settings(max_examples=15)
@given(WORDS)
def test_the_words_stand_in_the_middle_and_nothing_is_cut_off(text):
    """However many they are: a margin is left on every side, the same left and right, above and below."""
    marks = ink(PICTURE(text)[0])
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))

    assert min(rows[0], marks.shape[0] - rows[-1], columns[0], marks.shape[1] - columns[-1]) > 30
    assert abs(columns[0] - (marks.shape[1] - columns[-1])) < 30
    assert abs(rows[0] - (marks.shape[0] - rows[-1])) < 90  # letters with and without tails


def test_the_colours_are_the_owners():
    """Paper and ink."""
    [made] = picture(background="#102030", ink="#ffeedd")("Ash")
    pixels = (imread(io.BytesIO(made.content))[..., :3] * 255).round().astype(int)

    assert pixels[0, 0].tolist() == [0x10, 0x20, 0x30]
    assert pixels.reshape(-1, 3).max(axis=0).tolist() == [0xFF, 0xEE, 0xDD]


def test_lines_stay_where_the_text_has_them():
    """A poem's lines are four lines of ink with paper between them."""
    marks = ink(PICTURE("a moon nobody ordered\nhangs over us\nlowers a ladder\nand waits")[0]).any(axis=1)
    lines = np.count_nonzero(marks[1:] & ~marks[:-1])

    assert lines >= 4


def test_a_dollar_is_a_dollar():
    """Nothing is taken for a formula."""
    assert PICTURE("$x^2$ and \\alpha")[0].content != PICTURE("x2 and α")[0].content


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("moon 月", "no font here has the sign '月': name one in font_path"),
        ("word " * 500, "2500 characters have no room in 1200 by 675 pixels"),
        ("w" * 400, "400 characters have no room"),
    ],
)
def test_what_cannot_be_drawn_gets_a_reason(text, reason):
    """No empty boxes, nothing too small to read."""
    with pytest.raises(BotError, match=reason):
        PICTURE(text)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"width": 100}, "each may be 200 to 4096"),
        ({"ink": "dark"}, "'dark' is no colour"),
        ({"font_path": "nowhere.ttf"}, "no such font file"),
    ],
)
def test_wrong_options_are_told(options, reason):
    """When the configuration is read."""
    with pytest.raises(ConfigError, match=reason):
        picture(**options)
