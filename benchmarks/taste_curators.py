"""Simulated owners with a hidden taste, for `benchmarks.taste`.

Each scores a text by what the ranking is not given as such: word lists, endings, the share of vowels, runs of
consonants, and nonlinear mixtures of them. Two (`short`, `odd`) also look at what it is given; they say so.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.records import Draft

Scores = np.ndarray
VOWELS = "aeiouy"
THEMES = {  # written for this benchmark
    "weather": "frost cold ice snow storm wind rain winter north moon sun night dawn mist fog thunder cloud",
    "body": "blood flesh bone skull corps gut brain vein skin eye throat limb womb gore heart spine bowel",
    "church": "god christ church cross holy sacr bless saint altar angel priest pray crucif heaven bapti",
    "grave": "grave tomb crypt bur coffin dead death mort funer necro decay rot decomp cadav burial",
    "war": "war battle sword steel iron blade kill slaught massacr siege army tank gun execut",
    "mind": "dream mind soul hate fear mad insan sorrow grief pain torment agony silen despair",
}


def sound(text: str) -> list[float]:
    """Vowels, runs of consonants, syllables a word, variety, hissing and hard letters."""
    low = text.casefold()
    letters = [c for c in low if c.isalpha()] or ["x"]
    syllables = len(re.findall(f"[{VOWELS}]+", low)) / max(1, len(low.split()))
    run = max(map(len, re.findall(rf"[^{VOWELS}\W\d_]+", low)), default=0)
    counts = np.array(list(Counter(letters).values())) / len(letters)
    entropy = -float(counts @ np.log(counts))
    return [
        sum(c in VOWELS for c in letters) / len(letters),
        run,
        syllables,
        entropy,
        sum(c in "szxfv" for c in letters) / len(letters),
        sum(c in "kgtdbp" for c in letters) / len(letters),
        math.log(max(map(len, low.split()), default=1)),
    ]


def themes(text: str) -> list[float]:
    low = text.casefold()
    return [float(any(stem in low for stem in stems.split())) for stems in THEMES.values()]


def _standard(rows: Sequence[Sequence[float]]) -> np.ndarray:
    table = np.array(rows, dtype=float)
    return (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-9)


def likes_endings(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """A third of the common word endings of three to five letters are liked, as many disliked."""
    found = [{w[-n:] for w in d.text.casefold().split() for n in (3, 4, 5) if len(w) > n} for d in drafts]
    common = [ending for ending, n in sorted(Counter(e for f in found for e in f).items()) if n >= 12]
    worth = dict(zip(common, rng.choice([-1, 0, 1], len(common)), strict=True))
    return np.array([sum(worth.get(ending, 0) for ending in f) for f in found], dtype=float)


def likes_sound(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """A random line through the numbers of `sound`."""
    table = _standard([sound(d.text) for d in drafts])
    return table @ rng.normal(size=table.shape[1])


def likes_themes(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """Two themes are liked, two disliked, and a name shall not be shrill."""
    table = np.array([themes(d.text) for d in drafts])
    worth = rng.permutation([2.0, 1.0, 0.0, 0.0, -1.0, -2.0])
    vowels = np.array([sound(d.text)[0] for d in drafts])
    return table @ worth - 3 * abs(vowels - 0.38)


def likes_a_mixture(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """A random network of eight units over sound, themes and length: no line, whatever the features."""
    rows = [[*sound(d.text), *themes(d.text), len(d.text), d.text.count(" ")] for d in drafts]
    table = _standard(rows)
    hidden = np.tanh(table @ rng.normal(size=(table.shape[1], 8)) / 2 + rng.normal(size=8))
    return hidden @ rng.normal(size=8)


def likes_short(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """Short, alliterating, with two letter groups of its own; length and alliteration are features."""
    groups = rng.choice(["or", "gh", "th", "ul", "ax", "um", "ra", "ven", "os"], 2, replace=False)

    def score(text: str) -> float:
        low = text.casefold()
        initials = [word[0] for word in low.split()]
        twice = len(initials) > 1 and len(set(initials)) < len(initials)
        return 1.5 * twice + sum(group in low for group in groups) - 0.08 * len(low)

    return np.array([score(d.text) for d in drafts])


def likes_odd(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """High surprise, which is a feature, and a random sound, which is none."""
    surprise = _standard([[d.candidate.surprise] for d in drafts])[:, 0]
    return surprise + 0.5 * likes_sound(drafts, rng) / 2.6


def dislikes_copies(drafts: Sequence[Draft], rng: np.random.Generator) -> Scores:
    """What is far from 400 names it has heard, and sounds well."""
    heard = [
        drafts[i].text.casefold() for i in rng.choice(len(drafts), min(400, len(drafts) // 2), replace=False)
    ]
    texts = [d.text.casefold() for d in drafts]
    table = process.cdist(texts, heard, scorer=Levenshtein.normalized_distance, dtype=np.float32)
    table[table == 0] = 1.0  # itself
    return _standard(table.min(axis=1, keepdims=True))[:, 0] + 0.5 * likes_sound(drafts, rng) / 2.6


CURATORS: dict[str, Callable[[Sequence[Draft], np.random.Generator], Scores]] = {
    "endings": likes_endings,
    "sound": likes_sound,
    "themes": likes_themes,
    "mixture": likes_a_mixture,
    "short": likes_short,
    "odd": likes_odd,
    "no copies": dislikes_copies,
}
