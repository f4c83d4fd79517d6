"""The form in which texts are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.normal import fingerprint, normal_form, standing


@given(st.text())
def test_the_normal_form_of_a_normal_form_is_itself(text):
    """There is nothing left to normalise."""
    assert normal_form(normal_form(text)) == normal_form(text)


@pytest.mark.parametrize(
    "text", ["Black Metal", " BLACK\n\tmetal ", "Ｂｌａｃｋ　Ｍｅｔａｌ", "ᴮlack\u00a0metal"]
)
def test_case_width_and_white_space_make_no_difference(text):
    """Texts that a reader takes for the same have one form and one fingerprint."""
    assert normal_form(text) == "black metal"
    assert fingerprint(text) == fingerprint("black metal")


def test_marks_and_punctuation_do_make_one():
    """Only what NFKC and casefold equate is the same text."""
    assert len({fingerprint(text) for text in ("Motorhead", "Motörhead", "Motor head", "Motorhead!")}) == 4


@given(st.text())
def test_a_fingerprint_fits_a_databases_integer(text):
    """64 bits, signed; half a surrogate pair, which no file could hold, has one too."""
    assert -(2**63) <= fingerprint(text) < 2**63
    assert fingerprint("\ud800") != fingerprint("\udfff")


def test_a_fingerprint_is_the_same_in_every_process():
    """Databases keep fingerprints: this value must never change."""
    assert fingerprint("Wormhorn") == 153709250955509508


@given(st.text("aB \nＣßﬁé\u0301\u3000", max_size=20).filter(normal_form), st.data())
def test_a_stretch_of_the_normal_form_is_found_in_the_text(text, data):
    """What stands there reads so, and no shorter beginning of the text reaches as far."""
    form = normal_form(text)
    start = data.draw(st.integers(0, len(form) - 1))
    end = data.draw(st.integers(start + 1, len(form)))
    first, last = standing(text, start, end)

    assert form[start:end].strip() in normal_form(text[first:last])
    assert len(normal_form(text[:first])) <= start


@given(st.text("aB Ｃ\u3000\n", max_size=20).filter(normal_form), st.data())
def test_where_characters_stay_what_they_are_the_stretch_is_exact(text, data):
    """Not a character more than it takes, spaces at its ends too."""
    form = normal_form(text)
    start = data.draw(st.integers(0, len(form) - 1))
    end = data.draw(st.integers(start + 1, len(form)))
    first, last = standing(text, start, end)
    stretch = "".join(text[first:last].split())

    assert normal_form(stretch) == form[start:end].replace(" ", "")
    assert text[first].isspace() == (form[start] == " ")
    assert text[last - 1].isspace() == (form[end - 1] == " ")
