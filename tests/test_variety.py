"""distinct-n, self-BLEU and the rut alarm, against the formulas written out."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.habits import Habit
from bot.curation.variety import distinct, ruts, self_bleu, variety

texts = st.lists(st.text("abc", max_size=7).map(list), min_size=2, max_size=7)


def grams(text, n):
    return [tuple(text[at : at + n]) for at in range(len(text) - n + 1)]


def slow_bleu(text: list, others: list[list]) -> float:
    """Papineni et al. (2002), sentence by sentence, 0.1 for no match at all."""
    log = 0.0
    for n in range(1, 5):
        counts = Counter(grams(text, n))
        shared = sum(
            min(count, max(Counter(grams(other, n))[gram] for other in others))
            for gram, count in counts.items()
        )
        log += math.log((shared or 0.1) / max(1, sum(counts.values()))) / 4
    nearest = min((abs(len(other) - len(text)), len(other)) for other in others)[1]
    if len(text) >= nearest:
        return math.exp(log)
    return math.exp(log + 1 - nearest / len(text)) if text else 0.0


@given(texts)
def test_self_bleu_equals_the_formula_written_out(texts):
    """Each text against all others; the fast way compares none of them with any."""
    slow = [slow_bleu(text, texts[:at] + texts[at + 1 :]) for at, text in enumerate(texts)]

    assert self_bleu(texts) == pytest.approx(sum(slow) / len(slow))


@given(texts, st.integers(1, 3))
def test_distinct_is_the_share_of_different_ngrams(texts, n):
    """Of all texts together."""
    every = [gram for text in texts for gram in grams(text, n)]

    assert distinct(texts, n) == pytest.approx(len(set(every)) / len(every) if every else 1.0)


def test_the_same_again_and_again_has_no_variety():
    """And texts that share nothing have all of it."""
    same, other = variety(["abcdefgh"] * 10), variety(["abcdefgh", "ijklmnop", "qrstuvwx"])

    assert same.self_bleu == pytest.approx(1)
    assert same.distinct == pytest.approx((0.1, 0.1, 0.1))
    assert other.self_bleu < 0.1
    assert other.distinct == (1, 1, 1)


def test_long_texts_are_compared_by_words():
    """Names by characters; of one text nothing can be said."""
    assert variety(["one two three four five six seven eight"] * 2).units == "words"
    assert variety(["Grave Digger", "Wormhorn"]).units == "characters"
    assert variety(["Wormhorn"]) is None


REMIXES = [f"Song {chr(97 + at)}{chr(105 + at)} (Remix)" for at in range(10)]
OTHERS = [f"{chr(97 + at)}{chr(98 + at)} tune number{chr(99 + at)}" for at in range(14)]


def test_a_rut_is_told_in_words():
    """With what is usual; a word says what its last letters would."""
    assert list(map(str, ruts(REMIXES + OTHERS))) == [
        "42% begin with “song”, in the corpus 0%",
        "42% end in “remix”, in the corpus 0%",
    ]


def test_what_the_corpus_does_as_well_is_no_rut():
    """Three times as many are."""
    usual = {
        Habit("ends in", "remix"): 0.2,
        Habit("ends in -", "emix"): 0.2,
        Habit("begins with", "song"): 0.1,
    }

    assert [rut.habit.form for rut in ruts(REMIXES + OTHERS, lambda habit: usual.get(habit, 0.0))] == ["song"]


def test_few_texts_show_no_rut():
    """Nor do many with much in common at their middle only."""
    assert ruts(REMIXES) == []
    assert ruts([f"{chr(97 + at)} grave {chr(120 - at)}" for at in range(22)]) == []
