"""The character model against Kneser and Ney's formula written out by hand."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation import ngrams
from bot.curation.ngrams import ORDER, STEP, fit

texts = st.lists(st.text("abc ", max_size=9), min_size=1, max_size=9)


def slow_probability(train: list[str]):
    """probability(context, character) with dictionaries; ^ and $ mark the ends."""
    raw: Counter[str] = Counter()
    for text in train:
        marked = f"^{' '.join(text.split())}$"
        for end in range(1, len(marked)):
            raw.update(marked[end - before : end + 1] for before in range(min(ORDER, end + 1)))
    counts = {
        gram: raw[gram] if len(gram) == ORDER or gram[0] == "^" else sum(other[1:] == gram for other in raw)
        for gram in raw
    }
    after: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for gram, count in counts.items():
        after[gram[:-1]][gram[-1]] = count

    def discount(length: int) -> float:
        once, twice = (sum(len(g) == length and c == n for g, c in counts.items()) for n in (1, 2))
        return once / (once + 2 * twice) if once and twice else 0.75

    def probability(context: str, character: str) -> float:
        lower = probability(context[1:], character) if context else 1 / (len(after[""]) + 1)
        if context not in after:
            return lower
        follow, d = after[context], discount(len(context) + 1)
        return (max(follow.get(character, 0) - d, 0) + d * len(follow) * lower) / sum(follow.values())

    return probability


@given(texts, st.text("abcd", min_size=1, max_size=7))
def test_it_equals_the_formula_written_out(train, text):
    """To the rounding of what is stored: half a step for the share, and for each context backed off from."""
    marked, probability = f"^{text}$", slow_probability(train)
    expected = [
        math.log(probability(marked[max(0, at - ORDER + 1) : at], marked[at])) for at in range(1, len(marked))
    ]

    whole, _ = fit(train).log_probabilities(text)

    assert whole == pytest.approx(expected, abs=STEP / 2 * ORDER + 1e-9)


def test_a_character_by_itself_is_a_matter_of_counting():
    """One is added to each, and one kept for all that were never seen."""
    _, alone = fit(["aab"]).log_probabilities("ax")

    assert np.exp(alone) == pytest.approx([3 / 8, 1 / 8, 2 / 8], rel=STEP)


def test_what_comes_in_any_script_is_scored():
    """Unknown characters, surrogates, emoji, nothing at all."""
    model = fit(["wormhorn", "grave"])

    for text in ("", "Ночь", "🙂🙂", "\ud800", "a" * 5000):
        whole, alone = model.log_probabilities(text)
        assert np.isfinite(whole).all()
        assert len(whole) == len(alone) == len(text) + 1


def test_a_large_corpus_is_read_in_part(monkeypatch):
    """Evenly, from its beginning to its end."""
    monkeypatch.setattr(ngrams, "MOST_CHARACTERS", 100)
    read = list(ngrams._spread([f"{number:05}" for number in range(200)]))

    assert sum(map(len, read)) == 100
    assert read[0] == "00000"
    assert int(read[-1]) >= 180


def test_rare_ngrams_of_a_large_corpus_are_left_out(monkeypatch):
    """The most frequent ones stay, and shorter ones speak for the rest."""
    monkeypatch.setattr(ngrams, "MOST_GRAMS", 4)
    model = fit(["aaaa"] * 50 + ["xyzx"])

    assert max(len(table.keys) for table in model.tables) == 4
    whole, _ = model.log_probabilities("aaaa")
    assert whole.sum() > model.log_probabilities("xyzx")[0].sum()
