"""Which sample stands in which row, what it has written, and which wait. It does not know the model.

Shapes: n rows that have a sample, of R in all; N samples.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.model.draw import Truncation
from bot.model.guide import Course, Guide
from bot.model.tags import Way
from bot.model.uniforms import counted_uniforms, sample_keys
from bot.records import Mirostat, Sampling
from bot.text.vocabulary import END, START

Numbers = NDArray[Any]
TURNS = np.uint64(0x632BE59BD9B4E019)  # where a sample's numbers for its ways between sources begin
FIRST_LIMIT = 2  # mirostat's first limit, times its target: as its authors' program has it


class Request(NamedTuple):
    """The samples of these indices, made so, of this seed."""

    sampling: Sampling
    seed: int
    indices: Sequence[int]
    course: Course = Course()


class Kind(NamedTuple):
    """A way to draw: what rows must share to be drawn in one go."""

    truncation: Truncation
    repetition_penalty: float
    mirostat: Mirostat | None
    guided: bool

    @property
    def simple(self) -> bool:
        """Whether a walk's own draw knows all of it."""
        plain = self.repetition_penalty == 1 and self.mirostat is None
        return plain and self.truncation == Truncation(*self.truncation[:3])


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
        self._tag = self._first_tags()
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
        self._courses, self._course = [request.course for request in requests], each(range(len(requests)))
        self._given = each([len(course.prefix) for course in self._courses])
        self._guides: dict[int, Guide] = {}  # of those that need one, while they are written
        self._limits = each([FIRST_LIMIT * s.mirostat.surprise if s.mirostat else 0.0 for s in samplings])
        kinds = [_kind(request) for request in requests]
        self._kinds = list(dict.fromkeys(kinds))
        self._kind = each([self._kinds.index(kind) for kind in kinds])

    @property
    def busy(self) -> Numbers:
        """(n,) the rows that have a sample."""
        return np.flatnonzero(self._sample >= 0)

    def ids(self, rows: Numbers, vocabulary_size: int = 0) -> Numbers:
        """(n,) what they read next, under their tags."""
        ids: Numbers = self._read[rows] + vocabulary_size * self._tag[self._sample[rows]]
        return ids

    def inverse_temperatures(self, rows: Numbers) -> Numbers:
        """(n,) float32."""
        inverse: Numbers = (1 / self._temperatures[self._sample[rows]]).astype(np.float32)
        return inverse

    def uniforms(self, rows: Numbers) -> Numbers:
        """(n,) in [0, 1): each sample's own for its next token. Number 0 gave the temperature."""
        samples = self._sample[rows]
        return counted_uniforms(self._keys[samples], self._length[samples] + 1)

    def by_kind(self, rows: Numbers) -> Iterator[tuple[Kind, Numbers]]:
        """The ways to draw, and the places in `rows` of those drawn so; what is given is not drawn."""
        samples = self._sample[rows]
        free = self._length[samples] >= self._given[samples]
        for number, kind in enumerate(self._kinds):
            yield kind, np.flatnonzero((self._kind[samples] == number) & free)

    def given(self, rows: Numbers) -> Iterator[tuple[int, int]]:
        """The places in `rows` of those still within their prefix, and the id that it has there."""
        samples = self._sample[rows]
        for place in np.flatnonzero(self._length[samples] < self._given[samples]).tolist():
            sample = samples[place]
            yield place, self._courses[self._course[sample]].prefix[self._length[sample]]

    def barred(self, rows: Numbers, always: Numbers) -> Numbers:
        """(n, V) as `draw` takes it: what is always barred (V,), and what each row's guide bars."""
        barred = np.repeat(always[None], len(rows), axis=0)
        for sample, row in zip(self._sample[rows].tolist(), barred, strict=True):
            self._guides[sample].bar(row)
        return barred

    def penalties(self, rows: Numbers, penalty: float, size: int) -> Numbers:
        """(n, size) the penalty where an id is written already, else 1."""
        lengths = self._length[self._sample[rows]]
        places = np.arange(self._written.shape[1]) < lengths[:, None]
        penalties = np.ones((len(rows), size), np.float32)
        penalties[np.nonzero(places)[0], self._written[rows][places]] = penalty
        return penalties

    def limits(self, rows: Numbers) -> Numbers:
        """(n,) mirostat's, in nats."""
        limits: Numbers = self._limits[self._sample[rows]]
        return limits

    def adjust(self, rows: Numbers, mirostat: Mirostat, surprises: Numbers) -> None:
        """Let the limits follow what was drawn."""
        self._limits[self._sample[rows]] -= mirostat.rate * (surprises - mirostat.surprise)

    def take(self, rows: Numbers, ids: Numbers, losses: Numbers) -> Numbers:
        """Write an id a row; the rows whose sample ended with it."""
        samples = self._sample[rows]
        places = self._length[samples]
        if places.max() == self._written.shape[1]:
            self._written = np.pad(self._written, ((0, 0), (0, self._written.shape[1])))
        self._written[rows, places] = self._read[rows] = ids
        self._length[samples] += 1
        self._losses[samples] += losses
        self._turn(samples, ids)
        stopped = self._guided(samples, ids) if self._guides else False
        ended: Numbers = rows[(ids == END) | (places + 1 == self._longest[samples]) | stopped]
        for row in ended.tolist():
            self._finish(row, int(self._sample[row]))
        return ended

    def begin(self, rows: Numbers) -> Numbers:
        """Let these rows start on what waits for them; those that did."""
        queues = [self._waiting[row] for row in rows.tolist()]
        self._sample[rows] = [queue.popleft() if queue else -1 for queue in queues]
        self._read[rows] = START
        begun: Numbers = rows[self._sample[rows] >= 0]
        if any(kind.guided for kind in self._kinds):
            self._guides |= self._new_guides(self._sample[begun].tolist())
        return begun

    def sample(self, request: int, index: int) -> Sample:
        """A finished sample, by the number of its request."""
        return self._finished[self._numbers[request, index]]

    def _ways(self) -> Iterator[tuple[Way, Numbers]]:
        """Each way between tags, and whether each sample takes it, (N,)."""
        for number, course in enumerate(self._courses):
            if course.way:
                yield course.way, self._course == number

    def _first_tags(self) -> Numbers:
        """(N,) under which tag each sample begins; 0 is none."""
        tags, draws = (
            np.zeros(len(self._keys), np.int64),
            counted_uniforms(self._keys + TURNS, self._given * 0),
        )
        for way, mine in self._ways():
            tags[mine] = way.first(draws[mine])
        return tags

    def _turn(self, samples: Numbers, ids: Numbers) -> None:
        """Let the samples that have just written these ids go on under the tag that follows."""
        for way, takes in self._ways():
            at = np.flatnonzero(takes[samples])
            mine = samples[at]
            lengths, keys = self._length[mine], self._keys[mine] + TURNS
            first, draws = (counted_uniforms(keys, places) for places in (lengths * 0, lengths))
            self._tag[mine] = way.next(way.first(first), self._tag[mine], ids[at], lengths, draws)

    def _new_guides(self, samples: Sequence[int]) -> dict[int, Guide]:
        courses = {sample: self._courses[self._course[sample]] for sample in samples}
        return {sample: Guide(course) for sample, course in courses.items() if course.guides}

    def _guided(self, samples: Numbers, ids: Numbers) -> Numbers:
        """Tell the guides what was drawn; whether each text has come to its end."""
        drawn = self._length[samples] > self._given[samples]
        found = [
            new and sample in self._guides and self._guides[sample].write(id)
            for sample, id, new in zip(samples.tolist(), ids.tolist(), drawn.tolist(), strict=True)
        ]
        return np.array(found, bool)

    def _finish(self, row: int, sample: int) -> None:
        self._guides.pop(sample, None)
        length = int(self._length[sample])
        ids = [id for id in self._written[row, :length].tolist() if id != END]
        nll = float(self._losses[sample]) / (length - int(self._given[sample]))
        self._finished[sample] = Sample(float(self._temperatures[sample]), ids, nll)


def _kind(request: Request) -> Kind:
    s = request.sampling
    truncation = Truncation(s.top_k, s.top_p, s.min_p, s.typical_p, s.eta)
    return Kind(truncation, s.repetition_penalty, s.mirostat, request.course.guides)
