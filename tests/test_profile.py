"""What a corpus's profile says of texts, and what its file does not tell."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.curation.habits import Habit
from bot.curation.profile import CorpusProfile
from bot.errors import CheckpointError

SYLLABLES = ("mor", "gath", "ul", "vren", "ash", "ki", "dro", "neth", "sul", "var", "el", "tho")


def names(count: int, seed: int = 1) -> list[str]:
    """Made up of syllables, one or two words each."""
    draw = random.Random(seed)
    words = ("".join(draw.choices(SYLLABLES, k=draw.randint(2, 4))) for _ in range(2 * count))
    return [f"{a} {b}" if draw.random() < 0.4 else a for a, b in zip(words, words, strict=True)]


def shuffled(text: str, draw: random.Random) -> str:
    return "".join(draw.sample(text, len(text)))


@pytest.fixture(scope="module")
def profile() -> CorpusProfile:
    items = names(2200)
    return CorpusProfile.of(items[200:], items[:200])


def test_a_likeness_is_a_z_score_of_held_out_items(profile):
    """Of those that the scale was measured on, mean and deviation are 0 and 1 to the last digit."""
    likenesses = np.array([profile.likeness(text) for text in names(2200)[:200]])

    assert likenesses.mean() == pytest.approx(0, abs=1e-9)
    assert likenesses.std() == pytest.approx(1)


def test_names_are_told_from_their_shuffled_letters(profile):
    """New names of the same kind, whose letters are the same: the area under the curve is at least .98."""
    draw = random.Random(5)
    real = names(300, seed=9)
    likenesses = np.array([[profile.likeness(text), profile.likeness(shuffled(text, draw))] for text in real])

    above = (likenesses[:, :1] > likenesses[:, 1]).mean()

    assert above >= 0.98


def test_the_order_of_letters_tells_more_than_the_letters(profile):
    """Another language's letters, one letter again and again, nothing: all lie far off."""
    assert all(
        profile.likeness(text) < -2 for text in ("Ночь над рекой", "aaaaaaaaaa", "🙂🙂🙂🙂", "q" * 300)
    )


@given(st.text(max_size=80))
def test_every_text_has_a_likeness(profile, text):
    """A number, whatever the text is."""
    assert np.isfinite(profile.likeness(text))


def test_the_words_of_the_corpus_are_known(profile):
    """After NFKC and casefold; those that only the held-out part has are not."""
    word = names(2200)[300].split()[0]

    assert profile.knows(word)
    assert profile.knows(word.upper())
    assert not profile.knows("wormhorn")


def test_how_items_begin_and_end_is_known():
    """By the share of the items that do."""
    profile = CorpusProfile.of(["Pale Moon", "Red Moon", "Pale Sun", "Tide"], ["Red Sun"])

    assert profile.share(Habit("ends in", "moon")) == pytest.approx(0.5)
    assert profile.share(Habit("begins with", "pale")) == pytest.approx(0.5)
    assert profile.share(Habit("ends in", "tide")) == 0


def test_a_file_gives_the_same_answers(profile, tmp_path):
    """To the last bit."""
    (tmp_path / "corpus.profile").write_bytes(profile.packed())
    again = CorpusProfile.open(tmp_path / "corpus.profile")

    assert again.packed() == profile.packed()
    assert again.likeness("morgath ulvren") == profile.likeness("morgath ulvren")


def test_a_file_holds_no_text():
    """Neither an item nor a word of it."""
    items = [f"Wormhorn of Abyssal Cathedral {number}" for number in range(40)]
    packed = CorpusProfile.of(items[4:], items[:4]).packed()

    for encoding in ("utf-8", "utf-16-le", "utf-32-le"):
        assert not any(part.encode(encoding) in packed for part in ("Worm", "worm", "Abys", "abys", "athe"))


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b"novelty\x01" + b[8:], lambda b: b[:3], lambda b: b""]
)
def test_a_damaged_file_is_named(profile, tmp_path, damage):
    """In one line, with its place."""
    (tmp_path / "corpus.profile").write_bytes(damage(profile.packed()))

    with pytest.raises(CheckpointError, match="not a corpus profile of version 1"):
        CorpusProfile.open(tmp_path / "corpus.profile")


def test_a_missing_file_is_named(tmp_path):
    """As what cannot be read."""
    with pytest.raises(CheckpointError, match="cannot be read"):
        CorpusProfile.open(Path(tmp_path, "corpus.profile"))


def test_long_items_are_scored_in_pieces():
    """A draft of a few lines is compared with a few lines, and a short text with the same yardstick."""
    draw = random.Random(3)
    stories = [" ".join(names(300, seed=draw.random())) for _ in range(12)]
    profile = CorpusProfile.of(stories[2:], stories[:2])

    assert -3 < profile.likeness(" ".join(names(20, seed=77))) < 3
