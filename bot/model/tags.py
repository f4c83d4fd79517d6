"""Tags: which source a text comes from, read with every token. It does not know what sources are called.

An id read under a tag is `id + V * tag`; tag 0 is no tag, so plain ids read as ever. Tags 1 to S are of
sources, S + 1 is the mean of all. Shapes: T time steps, B rows, V vocabulary_size, S sources, N samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.model.batches import Batch, Batches
from bot.model.layouts import lay_out
from bot.text.vocabulary import END

Numbers = NDArray[Any]

UNTAGGED = 1 / 8  # of the rows read without their tag, so that the model can write without one too
PAIRED = 0.6  # of the texts are paired in an epoch; pairs of two sources cross, of two balanced ones half
CROSSING = 7  # sets the random numbers of pairs apart from those of batches


@dataclass(frozen=True)
class Tags:
    """Of the texts to learn from and of those held out, where the model reads them; ends: see `word_ends`."""

    train: Sequence[int] = ()
    held_out: Sequence[int] = ()
    ends: Numbers = field(default_factory=lambda: np.zeros(0, bool))


NO_TAGS = Tags()


def lay_out_tagged(
    sequences: Sequence[Sequence[int]],
    tags: Sequence[int],
    settings: Any,
    ends: Numbers,
) -> Batches:
    """As `layouts.lay_out`; tags: of each sequence, none where the model reads none."""
    if not tags:
        return lay_out(sequences, settings)
    pairs = zip(sequences, tags, strict=True)
    return TaggedBatches([[id + len(ends) * tag for id in ids] for ids, tag in pairs], settings, ends)


class TaggedBatches:
    """Batches of sequences whose ids carry tags: targets lose theirs, inputs have that of what comes next.

    Within a text the context tells its source as well as the tag does, and a model would go by the context.
    So in every epoch some pairs of texts of two sources are crossed where a word ends: there the tag alone
    tells what comes. Crossed, they have as many tokens as before.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], settings: Any, ends: Numbers):
        self._sequences, self._settings, self._ends = sequences, settings, ends
        self._plain = lay_out(sequences, settings)
        self.tokens, self.rows = self._plain.tokens, self._plain.rows

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        random = np.random.default_rng((seed, number, CROSSING))
        crossed = lay_out(cross(self._sequences, self._ends, random), self._settings)
        shown = np.ones(1, bool)
        for batch in crossed.epoch(seed, number):
            if batch.fresh or len(shown) != batch.inputs.shape[1]:
                shown = random.random(batch.inputs.shape[1]) >= UNTAGGED
            yield self._separated(batch, torch.from_numpy(shown))

    def in_order(self) -> Iterator[Batch]:
        return (self._separated(batch, torch.ones(1, dtype=torch.bool)) for batch in self._plain.in_order())

    def _separated(self, batch: Batch, shown: Tensor) -> Batch:
        """shown: (B,) whether a row reads its tags; of two sources it must. An END has none of its own."""
        inputs, targets, size = batch.inputs, batch.targets, len(self._ends)
        tags = torch.where(targets > END, targets, inputs) // size
        one = (tags == tags[:1]) | (targets <= END)
        plain = torch.where(targets > END, targets % size, targets)
        return Batch(inputs % size + size * tags * (shown | ~one.all(0)), plain, batch.fresh)


def cross(
    sequences: Sequence[Sequence[int]], ends: Numbers, random: np.random.Generator
) -> list[Sequence[int]]:
    """The sequences, some pairs of them with their second parts exchanged. Their ids carry tags."""
    crossed = list(sequences)
    chosen = random.permutation(len(sequences))[: int(len(sequences) * PAIRED) // 2 * 2]
    for a, b in chosen.reshape(-1, 2).tolist():
        one, other = crossed[a], crossed[b]
        if one and other and one[0] // len(ends) != other[0] // len(ends):
            here, there = (_cut(ids, ends, random) for ids in (one, other))
            if here and there:
                crossed[a], crossed[b] = [*one[:here], *other[there:]], [*other[:there], *one[here:]]
    return crossed


def _cut(ids: Sequence[int], ends: Numbers, random: np.random.Generator) -> int:
    """Behind one of its words but the last, 0 if there is only one."""
    places = np.flatnonzero(ends[np.array(ids[:-1], np.int64) % len(ends)])
    return int(random.choice(places)) + 1 if len(places) else 0


@dataclass(frozen=True)
class Way:
    """How a text goes from tag to tag. draws: evenly from [0, 1), each text's own.

    tags: to choose from, rising. ends: (V,) whether a token ends a word. switch: how probably a word's end
    leads to another tag; with half, only the first end after so many tokens does, and surely.
    """

    tags: tuple[int, ...]
    ends: Numbers
    switch: float = 1.0
    half: int = 0

    def first(self, draws: Numbers) -> Numbers:
        """(N,) where each text begins."""
        return np.array(self.tags)[(draws * len(self.tags)).astype(np.int64)]

    def next(self, first: Numbers, now: Numbers, ids: Numbers, lengths: Numbers, draws: Numbers) -> Numbers:
        """(N,) the tags under which ids (N,), the last of `lengths` tokens, are read; now: those before."""
        count = len(self.tags)
        if self.half:
            moves, steps = (lengths >= self.half) & (now == first), np.ones(len(now), np.int64)
        else:
            moves = draws < self.switch
            steps = 1 + (draws / self.switch * (count - 1)).astype(np.int64)
        places = (np.searchsorted(self.tags, now) + steps) % count
        moved: Numbers = np.where(moves & self.ends[ids] & (count > 1), np.array(self.tags)[places], now)
        return moved


def word_ends(texts: Sequence[str]) -> Numbers:
    """(V,) of each token's text: what has a space ends a word; where none has, every token is one."""
    spaced = np.array([any(map(str.isspace, text)) for text in texts])
    return spaced if spaced.any() else np.ones(len(texts), bool)
