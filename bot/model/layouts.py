"""Layouts of a corpus that take it for one text: whole chunks in its order, or excerpts from anywhere.

They do not know who learns from them. Shapes: T time steps, B rows. The other layouts stand in batches.py.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bot.model.batches import IGNORED, Batch, Batches, arrange
from bot.text.vocabulary import END, START

Ids = NDArray[Any]

AT_ONCE = 64  # excerpts that are measured side by side; each begins anew, so how many changes nothing


def lay_out(sequences: Sequence[Sequence[int]], settings: Any) -> Batches:
    """As `settings.layout` says: auto (see `batches.arrange`), stream or excerpts."""
    sizes = settings.batch_size, settings.sequence_length
    if settings.layout == "stream":
        return ChunkBatches(sequences, *sizes)
    if settings.layout == "excerpts":
        return ExcerptBatches(sequences, *sizes)
    return arrange(sequences, *sizes)


class ChunkBatches:
    """One text in B rows side by side, in chunks of B x T tokens, every epoch in the same order.

    The state goes from chunk to chunk and from epoch to epoch, never anew; what fills no whole chunk is left
    out. So does Karpathy's char-rnn, whose arithmetic this is.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], batch_size: int, sequence_length: int):
        targets = joined(sequences)
        self.sequence_length = min(sequence_length, len(targets))
        self.rows = max(1, min(batch_size, len(targets) // self.sequence_length))
        self.chunks = len(targets) // (self.rows * self.sequence_length)
        self.tokens = self.chunks * self.rows * self.sequence_length
        self._inputs, self._targets = (
            ids[: self.tokens].reshape(self.rows, -1).T for ids in (_before(targets), targets)
        )

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        return self._windows(fresh=number == 0)

    def in_order(self) -> Iterator[Batch]:
        return self._windows(fresh=True)

    def _windows(self, fresh: bool) -> Iterator[Batch]:
        for at in range(0, len(self._targets), self.sequence_length):
            window = slice(at, at + self.sequence_length)
            yield _batch(self._inputs[window], self._targets[window], fresh and at == 0)


class ExcerptBatches:
    """B excerpts of T tokens from anywhere in the text, each read from the initial state.

    An epoch has as many tokens as the text: some are read twice, others not at all. In order, each once.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], batch_size: int, sequence_length: int):
        self._targets = joined(sequences)
        self._inputs = _before(self._targets)
        self.sequence_length = min(sequence_length, len(self._targets))
        self.rows = batch_size
        self.batches = -(-len(self._targets) // (self.rows * self.sequence_length))
        self.tokens = self.batches * self.rows * self.sequence_length

    def epoch(self, seed: int, number: int) -> Iterator[Batch]:
        last = len(self._targets) - self.sequence_length
        starts = np.random.default_rng((seed, number)).integers(0, last + 1, (self.batches, self.rows))
        return map(self._excerpts, starts)

    def in_order(self) -> Iterator[Batch]:
        starts = np.arange(0, len(self._targets), self.sequence_length)
        rows = max(self.rows, AT_ONCE)
        return (self._excerpts(starts[at : at + rows]) for at in range(0, len(starts), rows))

    def _excerpts(self, starts: Ids) -> Batch:
        """Where the text ends within an excerpt, nothing more is asked for."""
        places = starts + np.arange(self.sequence_length)[:, None]  # (T, B)
        there = np.minimum(places, len(self._targets) - 1)
        targets = np.where(places < len(self._targets), self._targets[there], IGNORED)
        return _batch(self._inputs[there], targets, fresh=True)


def joined(sequences: Sequence[Sequence[int]]) -> Ids:
    """All texts end to end with an END between two, none after the last."""
    ids = [id for sequence in sequences for id in (*sequence, END)]
    return np.array(ids[:-1], np.int32)


def _before(targets: Ids) -> Ids:
    """What is read where these are asked for."""
    inputs = np.concatenate(([END], targets[:-1]))
    inputs[inputs == END] = START
    return inputs


def _batch(inputs: Ids, targets: Ids, fresh: bool) -> Batch:
    read, asked = (torch.from_numpy(ids.astype(np.int64, order="C")) for ids in (inputs, targets))
    return Batch(read, asked, fresh)
