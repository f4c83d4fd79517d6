"""Which sample stands in which row, what it has written, and which wait. It does not know the model.

Shapes: n rows that have a sample, of R in all; N samples.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.model.uniforms import counted_uniforms, sample_keys
from bot.records import Sampling
from bot.text.vocabulary import END, START

Numbers = NDArray[Any]
Truncation = tuple[int, float, float]  # top_k, top_p, min_p


class Request(NamedTuple):
    """The samples of these indices, made so, of this seed."""

    sampling: Sampling
    seed: int
    indices: Sequence[int]


class Sample(NamedTuple):
    """A finished one. nll: mean loss a token, the end mark counted."""

    temperature: float
    ids: list[int]
    nll: float


class Rows:
    """A row whose sample has ended takes the next that waits. placed: sample k always in row k % R."""

    def __init__(self, requests: Sequence[Request], count: int, placed: bool):
        asked = [dict.fromkeys(request.indices) for request in requests]
        self._numbers = {name: n for n, name in enumerate((r, k) for r, ks in enumerate(asked) for k in ks)}
        self._finished: dict[int, Sample] = {}
        self._describe(requests, [np.array(list(indices), np.int64) for indices in asked])
        self._length, self._losses = np.zeros(len(self._numbers), np.int64), np.zeros(len(self._numbers))
        self._waiting = [deque[int]() for _ in range(count)] if placed else [deque[int]()] * count
        for (_, index), number in self._numbers.items():
            self._waiting[index % count].append(number)
        self._sample = np.full(count, -1)  # -1: nothing left to do
        self._read = np.full(count, START)  # the id that a row reads next
        self._written = np.zeros((count, 64), np.int64)
        self.begin(np.arange(count))

    def _describe(self, requests: Sequence[Request], indices: Sequence[Numbers]) -> None:
        """What is known of each sample before it begins, (N,) each."""

        def each(values: Sequence[Any]) -> Numbers:
            return np.repeat(np.array(values), [len(chosen) for chosen in indices])

        samplings = [request.sampling for request in requests]
        self._keys = np.concatenate([sample_keys(r.seed, i) for r, i in zip(requests, indices, strict=True)])
        low, high = each([s.temperature[0] for s in samplings]), each([s.temperature[1] for s in samplings])
        self._temperatures = low + (high - low) * counted_uniforms(self._keys, np.zeros(len(low)))
        self._longest = each([s.max_length for s in samplings])
        truncations: list[Truncation] = [(s.top_k, s.top_p, s.min_p) for s in samplings]
        self._kinds = list(dict.fromkeys(truncations))
        self._kind = each([self._kinds.index(truncation) for truncation in truncations])

    @property
    def busy(self) -> Numbers:
        """(n,) the rows that have a sample."""
        return np.flatnonzero(self._sample >= 0)

    def ids(self, rows: Numbers) -> Numbers:
        """(n,) what they read next."""
        ids: Numbers = self._read[rows]
        return ids

    def inverse_temperatures(self, rows: Numbers) -> Numbers:
        """(n,) float32."""
        inverse: Numbers = (1 / self._temperatures[self._sample[rows]]).astype(np.float32)
        return inverse

    def uniforms(self, rows: Numbers) -> Numbers:
        """(n,) in [0, 1): each sample's own for its next token. Number 0 gave the temperature."""
        samples = self._sample[rows]
        return counted_uniforms(self._keys[samples], self._length[samples] + 1)

    def by_truncation(self, rows: Numbers) -> Iterator[tuple[Truncation, Numbers]]:
        """The truncations that are asked for, and the places in `rows` of those they are asked for."""
        for number, truncation in enumerate(self._kinds):
            yield truncation, np.flatnonzero(self._kind[self._sample[rows]] == number)

    def take(self, rows: Numbers, ids: Numbers, losses: Numbers) -> Numbers:
        """Write an id a row; the rows whose sample ended with it."""
        samples = self._sample[rows]
        places = self._length[samples]
        if places.max() == self._written.shape[1]:
            self._written = np.pad(self._written, ((0, 0), (0, self._written.shape[1])))
        self._written[rows, places] = self._read[rows] = ids
        self._length[samples] += 1
        self._losses[samples] += losses
        ended: Numbers = rows[(ids == END) | (places + 1 == self._longest[samples])]
        for row in ended.tolist():
            self._finish(row, int(self._sample[row]))
        return ended

    def begin(self, rows: Numbers) -> Numbers:
        """Let these rows start on what waits for them; those that did."""
        queues = [self._waiting[row] for row in rows.tolist()]
        self._sample[rows] = [queue.popleft() if queue else -1 for queue in queues]
        self._read[rows] = START
        begun: Numbers = rows[self._sample[rows] >= 0]
        return begun

    def sample(self, request: int, index: int) -> Sample:
        """A finished sample, by the number of its request."""
        return self._finished[self._numbers[request, index]]

    def _finish(self, row: int, sample: int) -> None:
        length = int(self._length[sample])
        ids = [id for id in self._written[row, :length].tolist() if id != END]
        nll = float(self._losses[sample]) / length
        self._finished[sample] = Sample(float(self._temperatures[sample]), ids, nll)
