"""What a corpus is like, in numbers: size, lengths, alphabet, how many of its words stand there once.

It does not know how a corpus is learned from; a word here is what stands between two spaces or signs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import regex

from bot.text.corpus import Corpus

WORD = regex.compile(r"\w+(?:['’]\w+)*")
LETTER = regex.compile(r"\p{L}")
UNSPACED = regex.compile(  # of scripts that put no space between two words
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SMALL, FEW_CHUNKS, CHUNK = 1_000_000, 100, 50 * 50  # characters; chunks of char-rnn's own size
RARE = 20  # letters that are told


def count_words(texts: Iterable[str]) -> Counter[str]:
    """How often each word stands there, in any case."""
    return Counter(word.casefold() for text in texts for word in WORD.findall(text))


def share_once(words: Mapping[str, int]) -> float:
    """The share of distinct words that are counted once."""
    return sum(count == 1 for count in words.values()) / max(1, len(words))


@dataclass(frozen=True)
class Statistics:
    """Of the distinct texts of a corpus. Lengths are in characters."""

    corpus: Corpus

    @cached_property
    def texts(self) -> Sequence[str]:
        return [document.text for document in self.corpus.documents]

    @cached_property
    def bytes(self) -> int:
        """In UTF-8, without what stands between two texts."""
        return sum(len(text.encode()) for text in self.texts)

    @cached_property
    def alphabet(self) -> Counter[str]:
        """How often each character stands there."""
        return Counter(character for text in self.texts for character in text)

    @cached_property
    def rarest(self) -> list[str]:
        """The rarest characters first, at most twenty."""
        counts = self.alphabet
        return sorted(counts, key=lambda sign: (counts[sign], sign))[:RARE]

    @cached_property
    def lengths(self) -> list[int]:
        return sorted(map(len, self.texts))

    def length_at(self, share: float) -> int:
        """What so large a share of the texts is not longer than."""
        return self.lengths[min(len(self.lengths) - 1, int(share * len(self.lengths)))]

    @cached_property
    def words(self) -> Counter[str]:
        """How often each word stands there, in any case."""
        return count_words(self.texts)

    @cached_property
    def spaced(self) -> bool:
        """Whether spaces stand between words: otherwise what `words` counts are whole phrases."""
        letters = Counter({sign: count for sign, count in self.alphabet.items() if LETTER.match(sign)})
        unspaced = sum(count for sign, count in letters.items() if UNSPACED.match(sign))
        return unspaced <= letters.total() / 2

    @property
    def once(self) -> float:
        """The share of distinct words that stand there once."""
        return share_once(self.words)

    @property
    def warnings(self) -> list[str]:
        return list(self._warnings())

    def _warnings(self) -> Iterator[str]:
        characters = self.corpus.characters
        if characters < SMALL:
            yield f"{characters:,} characters: below {SMALL:,} a network learns little but by heart"
        if characters // CHUNK < FEW_CHUNKS:
            chunks = f"{characters // CHUNK} chunks of {CHUNK:,} characters"
            yield f"{chunks}: below {FEW_CHUNKS} losses say little"

    def histogram(self, bars: int) -> list[tuple[int, int, int]]:
        """From, up to (both included) and how many texts are so long; the longest twentieth is one bar."""
        edge = max(1, self.length_at(0.95))
        width = -(-edge // (bars - 1))
        counts = Counter(min(length // width, bars - 1) for length in self.lengths)
        ends = [*((at + 1) * width - 1 for at in range(bars - 1)), max(self.lengths)]
        return [
            (at * width, end, counts[at]) for at, end in enumerate(ends) if counts[at] or at * width <= edge
        ]
