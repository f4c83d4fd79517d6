"""What the items of a corpus are like: their characters' n-grams, their words, how they begin and end.

Statistics only, each under a hash of 32 bits: `corpus.profile` holds no text. They are of the training part;
what real items score is measured on the held-out part, so a likeness is a z-score of texts not counted.

A text's score is the mean, over its characters, of the log-probability after what stands before it, less half
of the log-probability of the character by itself: rare letters tell against a text, their order more. It does
not know which likeness is too small.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot.curation.habits import Habit, habits_of, words_of
from bot.curation.ngrams import ORDER, CharacterModel, Table, fit
from bot.curation.normal import fingerprint
from bot.errors import CheckpointError

FILE_NAME = "corpus.profile"
MOST_WORDS = 1 << 18  # the most frequent; 4 bytes each
MOST_HABITS = 1 << 10  # the most frequent; 8 bytes each
PIECE = 200  # characters: longer held-out items are scored in pieces of about a draft's length
PRIOR = 4  # characters of the mean score that every text is given, lest short ones be outliers

_MAGIC = b"profile\x01"
_HEADER = struct.Struct(f"<8s5d{ORDER}I2I")  # magic, what is unseen, the scale, sizes of what follows

Hashes: TypeAlias = NDArray[np.uint32]


class Scale(NamedTuple):
    """How held-out items score: a character's mean, then the items' own mean and deviation."""

    character: float = 0.0
    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> "Scale":
        character = float(sums.sum() / sizes.sum())
        means = (sums + PRIOR * character) / (sizes + PRIOR)
        return cls(character, float(means.mean()), float(means.std()) or 1.0)


class CorpusProfile:
    """A Profile. words: hashes, sorted. habits: hashes, sorted; shares: of the items that have each."""

    def __init__(
        self, model: CharacterModel, scale: Scale, words: Hashes, habits: Hashes, shares: NDArray[np.float32]
    ):
        self._model, self._scale, self._words = model, scale, words
        self._habits, self._shares = habits, shares

    @classmethod
    def of(cls, train: Sequence[str], held_out: Sequence[str]) -> Self:
        """Of a corpus's two parts, as they were when the model was trained."""
        model = fit(train)
        scores = [_score(model, piece) for piece in chain.from_iterable(map(_pieces, held_out))]
        scale = Scale.of(*np.array(scores).T) if scores else Scale()
        return cls(model, scale, _words(train), *_habits(train))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises CheckpointError if it is missing or is not one."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
        profile = cls._unpacked(content)
        if profile is None:
            raise CheckpointError(f"{path}: not a corpus profile of version {_MAGIC[-1]}, or cut short")
        return profile

    def packed(self) -> bytes:
        """The content of the file: about 5 bytes for each n-gram, 4 for each word, 8 for each habit."""
        tables = self._model.tables
        sizes = [len(table.keys) for table in tables]
        header = (*self._model.unseen, *self._scale, *sizes, len(self._words), len(self._habits))
        arrays: list[NDArray[Any]] = [array for table in tables for array in (table.keys, table.shares)]
        arrays += [table.left for table in tables[:-1]]  # the longest are no context
        arrays += [self._model.alone, self._words, self._habits, self._shares]
        return _HEADER.pack(_MAGIC, *header) + b"".join(array.tobytes() for array in arrays)

    @classmethod
    def _unpacked(cls, content: bytes) -> Self | None:
        if len(content) < _HEADER.size or content[: len(_MAGIC)] != _MAGIC:
            return None
        _, *numbers = _HEADER.unpack_from(content)
        (after, alone, *scale), (*sizes, words, habits) = numbers[:5], numbers[5:]
        kinds = [(size, kind) for size in sizes for kind in ("<u4", "u1")]
        kinds += [(size, "u1") for size in (*sizes[:-1], sizes[0])] + [
            (words, "<u4"),
            (habits, "<u4"),
            (habits, "<f4"),
        ]
        ends = np.cumsum([_HEADER.size, *(size * np.dtype(kind).itemsize for size, kind in kinds)])
        if ends[-1] != len(content):
            return None
        parts = [
            np.frombuffer(content, kind, size, at) for (size, kind), at in zip(kinds, ends, strict=False)
        ]
        lefts = [*parts[2 * ORDER : -4], np.zeros(sizes[-1], dtype=np.uint8)]
        tables = tuple(Table(parts[2 * n], parts[2 * n + 1], lefts[n]) for n in range(ORDER))
        return cls(CharacterModel(tables, parts[-4], (after, alone)), Scale(*scale), *parts[-3:])

    def likeness(self, text: str) -> float:
        """How much a text reads like an item, in deviations from what held-out items score on average."""
        total, size = _score(self._model, text)
        mean = (total + PRIOR * self._scale.character) / (size + PRIOR)
        return (mean - self._scale.mean) / self._scale.deviation

    def knows(self, word: str) -> bool:
        """Whether a word, after NFKC and casefold, stands in the corpus."""
        return _find(self._words, _hash(word)) is not None

    def share(self, habit: Habit) -> float:
        """Of the items that have this habit; 0.0 for what is rarer than the most frequent habits."""
        found = _find(self._habits, _hash(f"{habit.kind} {habit.form}"))
        return 0.0 if found is None else float(self._shares[found])


def _score(model: CharacterModel, text: str) -> tuple[float, int]:
    """The sum of the characters' scores, and how many there are, the end included."""
    whole, alone = model.log_probabilities(text)
    return float((whole - 0.5 * alone).sum()), len(whole)


def _pieces(text: str) -> Iterator[str]:
    return (text[at : at + PIECE] for at in range(0, len(text), PIECE))


def _words(texts: Iterable[str]) -> Hashes:
    counts = Counter(chain.from_iterable(map(words_of, texts)))
    return np.array(sorted({_hash(word) for word, _ in counts.most_common(MOST_WORDS)}), dtype=np.uint32)


def _habits(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.float32]]:
    counts = Counter(chain.from_iterable(map(habits_of, texts)))
    shares = {
        _hash(f"{habit.kind} {habit.form}"): n / len(texts) for habit, n in counts.most_common(MOST_HABITS)
    }
    hashes = sorted(shares)
    return np.array(hashes, dtype=np.uint32), np.array([shares[one] for one in hashes], dtype=np.float32)


def _hash(text: str) -> int:
    return fingerprint(text) & 0xFFFFFFFF


def _find(hashes: Hashes, wanted: int) -> int | None:
    at = int(hashes.searchsorted(np.uint32(wanted)))
    return at if at < len(hashes) and hashes[at] == wanted else None
