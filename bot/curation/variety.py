"""How varied a batch is, and what it has got stuck in.

distinct-n is the share of different n-grams among all (Li et al. 2016, arXiv 1510.03055). Self-BLEU-4 is
each text's BLEU against all others, averaged (Zhu et al. 2018, arXiv 1802.01886); where no n-gram of a length
matches, a tenth of one is counted. Both count words where texts have eight of them on average, or characters.

It does not know where the texts come from, nor what is done about them.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bot.curation.habits import ENDING, Habit, Kind, habits_of
from bot.curation.normal import normal_form

LONGEST = 4  # units of an n-gram in BLEU
UNMATCHED = 0.1
WORDY = 8  # words of a text from which words are counted

FEWEST = 20  # texts that show a rut
MUCH = 0.15  # of all texts share a habit ...
TIMES = 3  # ... and so many times as many as in the corpus

Grams = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Variety:
    """Of a batch. distinct: for 1, 2 and 3 units; 1 is all different. self_bleu: 1 is all the same."""

    units: str  # words or characters
    distinct: tuple[float, float, float]
    self_bleu: float


@dataclass(frozen=True, slots=True)
class Rut:
    """A habit that has got out of hand: the share of the texts that have it, and of the corpus's items."""

    habit: Habit
    share: float
    usual: float

    def __str__(self) -> str:
        """As: 42% end in “remix”, in the corpus 1%."""
        return f"{self.share:.0%} {self.habit}, in the corpus {self.usual:.0%}"


def variety(texts: Sequence[str]) -> Variety | None:
    """None for fewer than two texts."""
    if len(texts) < 2:
        return None
    words = [normal_form(text).split() for text in texts]
    wordy = fmean(map(len, words)) >= WORDY
    units = words if wordy else [list(normal_form(text)) for text in texts]
    shares = (distinct(units, 1), distinct(units, 2), distinct(units, 3))
    return Variety("words" if wordy else "characters", shares, self_bleu(units))


def distinct(texts: Sequence[Sequence[str]], n: int) -> float:
    """Different n-grams over all; 1.0 if there are none."""
    counts: Grams = Counter()
    for text in texts:
        counts.update(_grams(text, n))
    return len(counts) / counts.total() if counts else 1.0


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """The mean of each text's BLEU with all others as references; of two texts at least."""
    logs = [0.0] * len(texts)
    for n in range(1, LONGEST + 1):
        for at, precision in enumerate(_precisions([_grams(text, n) for text in texts])):
            logs[at] += math.log(precision) / LONGEST if precision else -math.inf
    penalties = _brevity([len(text) for text in texts])
    return fmean(penalty * math.exp(log) for penalty, log in zip(penalties, logs, strict=True))


def ruts(
    texts: Sequence[str],
    usual: Callable[[Habit], float] = lambda habit: 0.0,
    forced: Callable[[Kind], bool] = lambda kind: False,
) -> list[Rut]:
    """The habits that far more of the texts have than of the corpus, the worst first; of few texts none.

    usual: the share of the corpus's items that have a habit. forced: whether habits of a kind come of what
    was asked for; then the corpus is no measure of them.
    """
    if len(texts) < FEWEST:
        return []
    counts = Counter(habit for text in texts for habit in habits_of(text))
    found = [Rut(habit, count / len(texts), usual(habit)) for habit, count in counts.items()]
    stuck = [rut for rut in found if rut.share >= max(MUCH, TIMES * rut.usual)]
    free = {kind for kind in {rut.habit.kind for rut in stuck} if not forced(kind)}
    stuck = [rut for rut in stuck if rut.habit.kind in free]
    return _without_parts(sorted(stuck, key=lambda rut: (-rut.share, rut.habit)))


def _without_parts(found: Sequence[Rut]) -> list[Rut]:
    """A word that texts end in tells more than its last letters."""
    words = {rut.habit.form[-ENDING:] for rut in found if rut.habit.kind == "ends in"}
    return [rut for rut in found if rut.habit.kind != "ends in -" or rut.habit.form not in words]


def _grams(text: Sequence[str], n: int) -> Grams:
    return Counter(zip(*(text[start:] for start in range(n)), strict=False))


def _precisions(counts: Sequence[Grams]) -> list[float]:
    """Of each text: the share of its n-grams that some other text has, as often as that one has it."""
    most, second = _two_most(counts)
    found = []
    for grams in counts:
        shared = sum(min(n, second[gram] if most[gram] == n else most[gram]) for gram, n in grams.items())
        found.append((shared or UNMATCHED) / max(1, grams.total()))
    return found


def _two_most(counts: Sequence[Grams]) -> tuple[Grams, Grams]:
    """How often each n-gram stands in the text that has it most often, and in the next one."""
    most, second = Grams(), Grams()
    for grams in counts:
        for gram, n in grams.items():
            if n > most[gram]:
                most[gram], second[gram] = n, most[gram]
            elif n > second[gram]:
                second[gram] = n
    return most, second


def _brevity(sizes: Sequence[int]) -> list[float]:
    """What a text loses that is shorter than the nearest length among the others, the shorter of two."""
    how_many, lengths = Counter(sizes), sorted(set(sizes))
    found = []
    for size in sizes:
        nearest = size if how_many[size] > 1 else _nearest(size, lengths)
        found.append(1.0 if size >= nearest else math.exp(1 - nearest / size) if size else 0.0)
    return found


def _nearest(size: int, lengths: Sequence[int]) -> int:
    """Of the lengths, among which `size` is, the nearest other one."""
    at = bisect_left(lengths, size)
    neighbours = (*lengths[max(0, at - 1) : at], *lengths[at + 1 : at + 2])
    return min(neighbours, key=lambda other: abs(other - size))
