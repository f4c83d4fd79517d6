"""ABC read element by element: bars that add up, what is wrong and where, keys, tunes put into others."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import abc_notation
from bot.notation.keys import height
from bot.notation.reading import length
from tests.tunes import RIGHT, WRONG

LETTERS = "CDEFGABcdefgab"
lengths = st.sampled_from([1, 2, 3, 4, 6, 8])


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_tune_has_no_fault(name):
    assert abc_notation.survey(RIGHT[name]).faults == ()


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_told_with_its_place(name):
    text, reason = WRONG[name]
    assert reason in " · ".join(map(str, abc_notation.survey(text).faults))


@given(st.lists(st.lists(lengths, min_size=1, max_size=8), min_size=2, max_size=6), lengths)
def test_a_bar_is_right_if_its_notes_last_as_long_as_the_metre_says(bars, units):
    """By adding up: the first may be shorter, and then the last by as much."""
    music = " | ".join(" ".join(f"c{n}" for n in bar) for bar in bars)
    tune = abc_notation.survey(f"M:{units}/8\nL:1/8\nK:C\n{music} |]")

    sums = [sum(bar) for bar in bars]
    pickup = sums[0] if sums[0] < units else 0
    right = all(total == units for total in sums[1:-1]) and sums[0] <= units
    right = right and sums[-1] in (units, units - pickup)
    assert (tune.faults == ()) == right
    assert tune.bars == len(bars)


@pytest.mark.parametrize(
    ("written", "units"),
    [("", 1), ("3", 3), ("/", "1/2"), ("//", "1/4"), ("/4", "1/4"), ("3/2", "3/2"), ("12", 12)],
)
def test_a_notes_length(written, units):
    assert length(written) == Fraction(units)


@pytest.mark.parametrize(
    ("key", "altered"),
    [
        ("C", {}),
        ("G", {"F": 1}),
        ("D", {"F": 1, "C": 1}),
        ("Bb", {"B": -1, "E": -1}),
        ("Am", {}),
        ("Dmin", {"B": -1}),
        ("Ador", {"F": 1}),
        ("Gmix", {}),
        ("F#", dict.fromkeys("FCGDAE", 1)),
        ("Cb", dict.fromkeys("CDEFGAB", -1)),
    ],
)
def test_the_signature_of_a_key(key, altered):
    assert {letter: one for letter, one in abc_notation.signature(key).items() if one} == altered


def test_what_is_no_key_is_refused():
    with pytest.raises(ValueError, match="'H' is no key"):
        abc_notation.signature("H")


@pytest.mark.parametrize(
    ("pitch", "number"), [("C", 60), ("c", 72), ("C,", 48), ("c'", 84), ("^F", 66), ("_B", 70)]
)
def test_a_pitch_is_midis_number(pitch, number):
    assert height(pitch, 0) == number


@given(st.sampled_from("CDEFGAB"), st.sampled_from("CDEFGAB"), st.text(LETTERS, min_size=1, max_size=12))
def test_a_tune_put_into_another_key_keeps_its_intervals(old, new, notes):
    """Every note sounds as far from the key's first tone as before, up to an octave for all."""

    def heights(music: str, key: str) -> list[int]:
        return [
            one.height for one in abc_notation.survey(f"M:{len(notes)}/8\nL:1/8\nK:{key}\n{music} |]").notes
        ]

    before, after = heights(notes, old), heights(abc_notation.transposed(notes, old, new), new)
    assert len({b - a for a, b in zip(before, after, strict=True)}) == 1
    assert abs(before[0] - after[0]) <= 7


def test_the_share_of_foreign_notes_counts_accidentals_within_their_bar():
    """An accidental holds to the bar's end, and no longer."""
    tune = abc_notation.survey("M:4/4\nL:1/4\nK:C\n^f f g a | f f f f |]")

    assert [one.foreign for one in tune.notes] == [True, True, *[False] * 6]
    assert tune.foreign == 0.25
    assert tune.accidentals == 1 / 8


def test_the_pentatonic_share_is_that_of_the_best_scale():
    assert abc_notation.survey("M:5/4\nL:1/4\nK:G\nG A B d e |]").pentatonic == 1.0
    assert abc_notation.survey("M:4/4\nL:1/4\nK:C\nC D E F |]").pentatonic == 0.75
