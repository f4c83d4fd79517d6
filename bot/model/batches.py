"""Sequences of ids, cut and lined up for training. It does not know who learns from them.

A sequence s is asked for as START s -> s END: [0, 179, 341, 416] -> [179, 341, 416, 1].
Shapes: T time steps, B rows. One item a row where items are short, else long texts in B streams.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.text.vocabulary import END, START

IGNORED = -100  # the target after a row's end: what torch's cross_entropy leaves out
POOL = 32  # batches whose items are sorted by length together: little padding, still a new mix every epoch

Ids = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """A window of B rows; its rows go on from the states after the batch before, unless `fresh`."""

    inputs: Tensor  # (T, B) int64
    targets: Tensor  # (T, B) int64, IGNORED where a row has ended
    fresh: bool


class Batches(Protocol):
    """A corpus as batches; `tokens` counts the targets of one epoch, end marks included.

    rows: of the largest batch, fewer than were asked for where the corpus has no more.
    """

    tokens: int
    rows: int

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        """All of it once, shuffled: seed and number of the epoch decide the order."""

    def in_order(self) -> Iterator[Batch]:
        """All of it once, the same way every time: for evaluation."""


def arrange(sequences: Sequence[Sequence[int]], batch_size: int, sequence_length: int) -> Batches:
    """As items where 19 in 20 fit into `sequence_length` and so does most of the text, else as streams."""
    lengths = np.array([len(sequence) + 1 for sequence in sequences])
    fit = lengths <= sequence_length
    if fit.mean() >= 0.95 and lengths[fit].sum() >= 0.5 * lengths.sum():
        return ItemBatches(sequences, batch_size, sequence_length)
    return StreamBatches(sequences, batch_size, sequence_length)


class ItemBatches:
    """One item a row, from the initial state; rows of similar length together.

    An item longer than `sequence_length` takes several windows.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], batch_size: int, sequence_length: int):
        self.batch_size, self.sequence_length = batch_size, sequence_length
        self._targets, self._lengths = _flat(sequences)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self.tokens, self.rows = len(self._targets), min(batch_size, len(self._lengths))

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        random = np.random.default_rng((seed, number))
        shuffled = random.permutation(len(self._lengths))
        groups = self._groups(shuffled, POOL * self.batch_size)
        for at in random.permutation(len(groups)):
            yield from self._windows(groups[at])

    def in_order(self) -> Iterator[Batch]:
        rows = np.arange(len(self._lengths))
        for group in self._groups(rows, len(rows)):
            yield from self._windows(group)

    def _groups(self, rows: Ids, pool: int) -> list[Ids]:
        groups: list[Ids] = []
        for at in range(0, len(rows), pool):
            part = rows[at : at + pool]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            groups += [part[at : at + self.batch_size] for at in range(0, len(part), self.batch_size)]
        return groups

    def _windows(self, rows: Ids) -> Iterator[Batch]:
        longest = int(self._lengths[rows].max())
        for at in range(0, longest, self.sequence_length):
            steps = np.arange(at, min(at + self.sequence_length, longest))[:, None]  # (T, 1)
            inputs = np.where(steps == 0, START, self._at(rows, steps - 1))
            targets = np.where(steps < self._lengths[rows], self._at(rows, steps), IGNORED)
            yield Batch(_tensor(inputs), _tensor(targets), fresh=at == 0)

    def _at(self, rows: Ids, steps: Ids) -> Ids:
        """(T, B): what each row asks for at each step, its END for ever after."""
        ids: Ids = self._targets[self._starts[rows] + np.clip(steps, 0, self._lengths[rows] - 1)]
        return ids


class StreamBatches:
    """Long texts end to end, cut into B streams that are read side by side with carried state."""

    def __init__(self, sequences: Sequence[Sequence[int]], batch_size: int, sequence_length: int):
        self.sequence_length = sequence_length
        self._targets, self._lengths = _flat(sequences)
        self.tokens = len(self._targets)
        self.rows = max(1, min(batch_size, self.tokens // sequence_length))

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        random = np.random.default_rng((seed, number))
        inputs, targets = self._read(random.permutation(len(self._lengths)))
        shift = int(random.integers(self.tokens))  # even a single text is cut at other places every epoch
        return self._windows(np.roll(inputs, shift), np.roll(targets, shift))

    def in_order(self) -> Iterator[Batch]:
        return self._windows(*self._read(np.arange(len(self._lengths))))

    def _read(self, order: Ids) -> tuple[Ids, Ids]:
        """Inputs and targets of all texts in this order."""
        texts = np.split(self._targets, np.cumsum(self._lengths)[:-1])
        targets = np.concatenate([texts[at] for at in order])
        inputs = np.roll(targets, 1)
        inputs[inputs == END] = START  # what follows a text's end is the next one's beginning
        return inputs, targets

    def _windows(self, inputs: Ids, targets: Ids) -> Iterator[Batch]:
        length = -(-self.tokens // self.rows)  # of a stream; the last is filled up
        missing = length * self.rows - self.tokens
        inputs, targets = (  # (length, B)
            np.pad(ids, (0, missing), constant_values=filling).reshape(self.rows, length).T
            for ids, filling in ((inputs, END), (targets, IGNORED))
        )
        for at in range(0, length, self.sequence_length):
            window = slice(at, at + self.sequence_length)
            yield Batch(_tensor(inputs[window]), _tensor(targets[window]), fresh=at == 0)


def _tensor(ids: Ids) -> Tensor:
    return torch.from_numpy(ids.astype(np.int64, order="C"))


def _flat(sequences: Sequence[Sequence[int]]) -> tuple[Ids, Ids]:
    """The targets of all sequences in one row, each with its END, and how many belong to each."""
    lengths = np.array([len(sequence) + 1 for sequence in sequences], np.int64)
    pieces = chain.from_iterable(chain(sequence, (END,)) for sequence in sequences)
    return np.fromiter(pieces, np.int32, count=int(lengths.sum())), lengths
