"""How the characters of a corpus follow each other: n-grams under hashes of 32 bits, without any text.

Interpolated Kneser-Ney (Chen and Goodman 1999), one discount an order, stored as a back-off model: each
n-gram with its log-probability and with the log of the share that it, as a context, leaves to shorter ones.
Counting is vectorised. It does not know what a score is good for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot.curation.keys import Keys, mix

ORDER = 5  # characters in the longest n-gram
MOST_CHARACTERS = 4_000_000  # that are counted, spread over the corpus
MOST_GRAMS = 1 << 17  # kept of one order, the most frequent; 6 bytes each
STEP = 1 / 16  # nats: a logarithm is stored as so many steps below 0, in a byte

_START, _END = 0x110000, 0x110001  # no character has these codes

Numbers: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """The n-grams of one length."""

    keys: NDArray[np.uint32]  # sorted
    shares: NDArray[np.uint8]  # log-probability of each after its context
    left: NDArray[np.uint8]  # log of what each, as a context, leaves to shorter ones

    def find(self, hashes: Keys) -> tuple[Rows, Flags]:
        """For each hash a row, and whether it is that n-gram's."""
        wanted = _short(hashes)
        rows = self.keys.searchsorted(wanted).clip(max=len(self.keys) - 1)
        return rows, self.keys[rows] == wanted


@dataclass(frozen=True, slots=True)
class CharacterModel:
    """tables: of 1 to ORDER characters. alone: of each single character the log-probability by itself.

    unseen: log-probabilities of a character that was never seen, after an unknown context and by itself.
    """

    tables: tuple[Table, ...]
    alone: NDArray[np.uint8]
    unseen: tuple[float, float]

    def log_probabilities(self, text: str) -> tuple[Numbers, Numbers]:
        """Of each character of a text and of its end: after what stands before it, and by itself."""
        codes, _ = _line_up([text])
        whole = np.full(len(codes) - 1, self.unseen[0])
        left = np.zeros(len(codes))  # by the context that ends at each place
        for table, hashes in zip(self.tables, _hashes(codes), strict=True):
            if not len(table.keys):
                break  # all texts were shorter
            rows, found = table.find(hashes)
            whole = np.where(found[1:], table.shares[rows[1:]] * -STEP, whole + left[:-1])
            left = np.where(found, table.left[rows] * -STEP, 0.0)
            if table is self.tables[0]:
                alone = np.where(found, self.alone[rows] * -STEP, self.unseen[1])[1:]
        return whole, alone


def fit(texts: Sequence[str]) -> CharacterModel:
    """Count the n-grams of the texts; of a large corpus, of as many texts as may be read."""
    codes, depths = _line_up(list(_spread(texts)))
    hashes = list(_hashes(codes))
    grams = [_Grams.of(hashes[n], depths, n) for n in range(ORDER)]
    letters = grams[0]
    even = 1 / len(letters.keys)  # what is never seen has the share that the opening mark has no use for
    shares, left = [np.full(len(letters.keys), even)], list[Numbers]()
    for n, gram in enumerate(grams):
        counts = gram.continuations(grams[n + 1], hashes[n]) if n + 1 < ORDER else gram.counts
        context = grams[n - 1].rows(hashes[n - 1][gram.places - 1]) if n else np.zeros_like(gram.places)
        shorter = grams[n - 1].rows(hashes[n - 1][gram.places]) if n else np.arange(len(gram.keys))
        own, rest = _discounted(counts, context, len(grams[n - 1].keys) if n else 1)
        shares.append(own + rest[context] * shares[-1][shorter])
        left.append(rest)
    [[nothing], *left] = [*left, np.ones(len(grams[-1].keys))]
    tables = tuple(gram.table(*logs) for gram, *logs in zip(grams, shares[1:], left, strict=True))
    alone = (letters.counts + 1) / (letters.counts.sum() + len(letters.keys))
    never = 1 / (letters.counts.sum() + len(letters.keys))
    kept = letters.frequent()
    return CharacterModel(tables, _steps(alone[kept]), (float(np.log(nothing * even)), float(np.log(never))))


@dataclass(frozen=True, slots=True)
class _Grams:
    """The distinct n-grams of one length."""

    keys: Keys  # sorted
    places: Rows  # where one of each ends
    counts: Rows  # the mark that a text begins with counts nothing: it never follows
    opening: Flags  # those that begin with that mark

    @classmethod
    def of(cls, hashes: Keys, depths: Rows, before: int) -> "_Grams":
        """before: the characters of an n-gram but its last."""
        whole = np.flatnonzero(depths >= before)
        keys, firsts, counts = np.unique(hashes[whole], return_index=True, return_counts=True)
        places = whole[firsts]
        return cls(keys, places, np.where(depths[places] == 0, 0, counts), depths[places] == before)

    def rows(self, hashes: Keys) -> Rows:
        return self.keys.searchsorted(hashes)

    def continuations(self, longer: "_Grams", hashes: Keys) -> Rows:
        """Kneser and Ney's counts: how many characters each was seen after; nothing precedes an opening."""
        kinds = np.bincount(self.rows(hashes[longer.places]), minlength=len(self.keys))
        return np.where(self.opening, self.counts, kinds)

    def frequent(self) -> Rows:
        """The rows of the most frequent ones."""
        return np.sort(np.argsort(-self.counts, kind="stable")[:MOST_GRAMS])

    def table(self, shares: Numbers, left: Numbers) -> Table:
        """As they are stored."""
        kept = self.frequent()
        return Table(_short(self.keys[kept]), _steps(shares[kept]), _steps(left[kept]))


def _discounted(counts: Rows, context: Rows, contexts: int) -> tuple[Numbers, Numbers]:
    """Each n-gram's own share after its context, and what each context leaves to shorter ones."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    discount = once / (once + 2 * twice) if once and twice else 0.75
    totals = np.bincount(context, counts, contexts)
    kinds = np.bincount(context, counts > 0, contexts)
    left = np.where(totals > 0, discount * kinds / np.maximum(totals, 1), 1.0)
    return np.maximum(counts - discount, 0) / np.maximum(totals, 1)[context], left


def _steps(shares: Numbers) -> NDArray[np.uint8]:
    with np.errstate(divide="ignore"):  # of what never follows
        return (np.log(shares) / -STEP).round().clip(0, 255).astype(np.uint8)


def _short(hashes: Keys) -> NDArray[np.uint32]:
    """The 32 upper bits, which sort as the whole."""
    return (hashes >> np.uint64(32)).astype(np.uint32)


def _hashes(codes: Keys) -> Iterator[Keys]:
    """For n = 1 to ORDER the hash of the n characters that end at each place."""
    values = mix(codes + np.uint64(1))
    hashes = values
    yield hashes
    for _ in range(ORDER - 1):
        hashes = np.append(hashes[:1], mix(hashes[:-1]) + values[1:])
        yield mix(hashes)


def _line_up(texts: Sequence[str]) -> tuple[Keys, Rows]:
    """The codes of all texts, each between its marks, and how far each code is from its text's first mark."""
    tidy = [" ".join(text.split()) for text in texts]
    sizes = np.array([len(text) + 2 for text in tidy] or [2])
    ends = sizes.cumsum()
    depths = np.arange(ends[-1]) - np.repeat(ends - sizes, sizes)
    last = np.repeat(sizes, sizes) - 1
    codes = np.where(depths == 0, _START, _END).astype(np.uint64)
    points = "".join(tidy).encode("utf-32-le", "surrogatepass")
    codes[(depths > 0) & (depths < last)] = np.frombuffer(points, dtype="<u4")
    return codes, depths


def _spread(texts: Sequence[str]) -> Iterator[str]:
    """As many of the texts as may be read, evenly spread; of one that is too long its beginning."""
    step = max(1.0, sum(map(len, texts)) / MOST_CHARACTERS)
    left = MOST_CHARACTERS
    for at in range(round(len(texts) / step) or len(texts)):
        text = texts[int(at * step)][:left]
        left -= len(text)
        yield text
