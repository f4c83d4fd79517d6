"""How running text is written, in numbers: lengths of words, letters, capitals, endings, words of a class.

It does not know who wrote it. A word is what `statistics` takes for one, in any case.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import regex

from bot.text.statistics import count_words, share_once

CAPITAL = regex.compile(r"\p{Lu}")
STRAY = regex.compile(r"(?<=[^\s\"'“‘])\p{Lu}")  # neither first nor after white space or a quotation mark
LONGEST = 15  # letters from which on words are counted together
OVER, ALIKE = 1.15, 1.05  # held-out loss over training loss: learnt by heart; no better on what was read
COPIED, KNOWN = 0.1, 0.9  # shares: more is copying; less is not spelling

Key = TypeVar("Key")


@dataclass(frozen=True)
class Prose:
    """Texts of one origin."""

    texts: Sequence[str]

    @cached_property
    def words(self) -> Counter[str]:
        """How often each word stands there."""
        return count_words(self.texts)

    @cached_property
    def size(self) -> int:
        """Words, each as often as it stands there."""
        return self.words.total()

    @cached_property
    def lengths(self) -> dict[int, float]:
        """The share of words that have so many letters; those of LONGEST and more are one."""
        counts: Counter[int] = Counter()
        for word, count in self.words.items():
            counts[min(len(word), LONGEST)] += count
        return {length: counts[length] / max(1, self.size) for length in range(1, LONGEST + 1)}

    @property
    def mean_length(self) -> float:
        """Letters of a word."""
        return sum(len(word) * count for word, count in self.words.items()) / max(1, self.size)

    @cached_property
    def letters(self) -> dict[str, float]:
        """The share of each letter among all letters, the most frequent first."""
        counts = Counter(sign for text in self.texts for sign in text.casefold() if sign.isalpha())
        return {letter: count / counts.total() for letter, count in counts.most_common()}

    @property
    def stray_capitals(self) -> float:
        """The share of capitals that do not follow white space, a quotation mark or a text's beginning."""
        capitals, stray = (sum(len(kind.findall(text)) for text in self.texts) for kind in (CAPITAL, STRAY))
        return stray / max(1, capitals)

    @property
    def once(self) -> float:
        """The share of distinct words that stand there once."""
        return share_once(self.words)

    @property
    def once_of_all(self) -> float:
        """The share that these have of all words."""
        return sum(count == 1 for count in self.words.values()) / max(1, self.size)

    def per_10000(self, what: str) -> float:
        """How many of 10,000 words are this one; `-ing` means those that end so and are longer."""
        ending = what.removeprefix("-")
        if ending == what:
            return 10_000 * self.words[what] / max(1, self.size)
        found = sum(n for word, n in self.words.items() if word.endswith(ending) and word != ending)
        return 10_000 * found / max(1, self.size)

    def share(self, words: Collection[str]) -> float:
        """The share of its words that are among these."""
        return sum(count for word, count in self.words.items() if word in words) / max(1, self.size)

    def known(self, words: Collection[str]) -> float:
        """The same of its words of two letters and more: any letter stands by itself somewhere."""
        longer = {word: count for word, count in self.words.items() if len(word) > 1}
        return sum(count for word, count in longer.items() if word in words) / max(1, sum(longer.values()))

    def longest(self, words: Collection[str]) -> str:
        """The longest of its words that are among these, "" if none is."""
        return max(
            (word for word in self.words if word in words), key=lambda word: (len(word), word), default=""
        )


def distance(ours: Mapping[Key, float], theirs: Mapping[Key, float]) -> float:
    """How far two distributions lie apart: 0 if they are the same, 1 if they have nothing in common."""
    return sum(abs(ours.get(key, 0.0) - theirs.get(key, 0.0)) for key in {*ours, *theirs}) / 2


def fit(train_loss: float, held_out_loss: float, copied: float, known: float) -> str:
    """Whether a model under- or over-fits, in plain words, with what it is told by.

    copied: the share of its texts that stands in the corpus. known: the share of its words that are words.
    """
    losses = f"training loss {train_loss:.3f}, held-out loss {held_out_loss:.3f}"
    evidence = f"{losses}; {copied:.0%} copied, {known:.0%} of its words are words"
    if copied > COPIED or held_out_loss > OVER * train_loss:
        return f"over-fitting: it learns by heart ({evidence})"
    if known < KNOWN and held_out_loss < ALIKE * train_loss:
        return (
            f"under-fitting: it has not learned to spell, and does no better on what it has read ({evidence})"
        )
    if known < KNOWN:
        return f"under-fitting: it has not learned to spell ({evidence})"
    return f"neither under- nor over-fitting ({evidence})"
