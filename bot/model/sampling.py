"""A model's texts, many at a time, each the same whatever is sampled beside it.

A sample's random numbers are counted, not drawn in turn, and a walk computes a row by itself: so sample k of
a seed has the same bits alone as among a thousand. It does not know what becomes of the texts.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.errors import BotError, CorpusError
from bot.interfaces import Constraint, Tokenizer
from bot.model import devices
from bot.model.automaton import NOWHERE, Automaton, Together, allows
from bot.model.bounds import check
from bot.model.counted import Model
from bot.model.draw import draw_by
from bot.model.guide import Course, Stops
from bot.model.pieces import Pieces
from bot.model.rows import Kind, Request, Rows, Sample
from bot.model.tags import Way, word_ends
from bot.model.threads import one_thread
from bot.model.walk import Walk, open_walk
from bot.records import Candidate, Rule, Sampling, Sources, Suggestion
from bot.text.vocabulary import END, START, UNKNOWN, Vocabulary

SPREAD = 3  # times the weights' bytes, as measured for the shipped model (3.3)
CALIBRATION = (0.4, 0.6, 0.8, 1.0, 1.3)  # temperatures


def _unknown(rule: Rule) -> Constraint:
    msg = f"no constraint is called {rule.name!r} here"
    raise BotError(msg)


class Sampler:
    """Samples from one model, on the device it is on, with the weights it has at the first sample.

    checkpoint: MODEL/NAME. held_out_loss: nats per token, what a sample's surprise is measured by.
    constraint: makes the constraints that a sampling names. sources: whose tags the model reads.
    One thread at a time.
    """

    def __init__(
        self,
        model: Model,
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        checkpoint: str,
        held_out_loss: float,
        open_walk: Callable[[Model, str], Walk] = open_walk,
        constraint: Callable[[Rule], Constraint] = _unknown,
        sources: Sequence[str] = (),
    ):
        self.checkpoint, self.held_out_loss = checkpoint, held_out_loss
        self._model, self._vocabulary, self._tokenizer = model, vocabulary, tokenizer
        self._open_walk, self._constraint, self._sources = open_walk, constraint, tuple(sources)
        self._walks: dict[str, Walk] = {}  # by the weights they compute with

    @property
    def size(self) -> int:
        """About how many bytes it takes: a walk keeps the weights once more, in its own order, and rows."""
        return SPREAD * sum(tensor.nbytes for tensor in self._tensors())

    def sample(self, sampling: Sampling, seed: int, indices: Sequence[int]) -> list[Candidate]:
        """The samples of these indices, in their order.

        Exactly these are begun and all are kept: taking the first to finish would favour short ones.
        """
        return self.sample_many([(sampling, seed, indices)])[0]

    def sample_many(self, requests: Sequence[tuple[Sampling, int, Sequence[int]]]) -> list[list[Candidate]]:
        """What `sample` gives for each request, side by side."""
        found: dict[int, list[Candidate]] = {}
        named = [Request(*request, self._course(request[0])) for request in requests]
        for weights in dict.fromkeys(request.sampling.weights for request in named):
            chosen = [n for n, request in enumerate(named) if request.sampling.weights == weights]
            found |= zip(chosen, self._decode([named[n] for n in chosen], weights), strict=True)
        return [found[n] for n in range(len(named))]

    def suggest(self, prefix: str, count: int) -> list[Suggestion]:
        """The likeliest tokens after a prefix, the likeliest first. Raises BotError if it cannot begin so."""
        ids = self._prefix(Sampling(prefix=prefix, max_length=sys.maxsize))
        row = np.zeros(1, np.int64)
        with torch.inference_mode(), one_thread():
            walk = self._walk("float32")
            walk.begin(row)
            for id in (START, *ids):
                logits = walk.step(np.array([id]), row)
            logits = torch.as_tensor(logits)[0].float().cpu() + torch.from_numpy(self._barred())
            shares, found = torch.softmax(logits, 0).topk(min(count, len(self._vocabulary) - 2))
        return [self._suggestion(ids, *it) for it in zip(found.tolist(), shares.tolist(), strict=True)]

    def _suggestion(self, ids: tuple[int, ...], id: int, probability: float) -> Suggestion:
        if id == END:
            return Suggestion("", self._text(ids), probability)
        return Suggestion(self._text([id]), self._text([*ids, id]), probability)

    def _decode(self, requests: Sequence[Request], weights: str) -> list[list[Candidate]]:
        count = max(1, sum(len(request.indices) for request in requests))
        with torch.inference_mode(), one_thread():
            build, rows = devices.within_memory(partial(self._walked, requests, weights), count, self._device)
        where = build, devices.name_of(self._device)
        return [
            [self._candidate(where, request, index, rows.sample(n, index)) for index in request.indices]
            for n, request in enumerate(requests)
        ]

    def _walked(
        self, requests: Sequence[Request], weights: str, most: int, device: torch.device
    ) -> tuple[str, Rows]:
        """The walk's build, and all samples ended; at most so many stand side by side."""
        if device != self._device:  # memory is short where the model was: it stays away from there
            self._model, self._walks = devices.moved(self._model, device), {}
        walk = self._walk(weights)
        rows = Rows(requests, walk.room(most), walk.placed)
        _run(walk, rows, self._barred(), self.checkpoint)
        return walk.build, rows

    def _walk(self, weights: str) -> Walk:
        if weights not in self._walks:
            self._walks[weights] = self._open_walk(self._model, weights)
        return self._walks[weights]

    @property
    def _device(self) -> torch.device:
        return next(self._tensors()).device

    def _tensors(self) -> Iterator[Tensor]:
        return chain(self._model.parameters(), self._model.buffers())

    def _barred(self) -> NDArray[np.float32]:
        """(V,) -inf for what is never written."""
        barred = np.zeros(len(self._vocabulary), np.float32)
        barred[[START, UNKNOWN]] = -math.inf
        return barred

    def _course(self, sampling: Sampling) -> Course:
        """Raises BotError for what cannot be sampled."""
        check(sampling)
        prefix = self._prefix(sampling)
        free = max(len(prefix), sampling.min_length)
        constraint = Together([self._constraint(rule) for rule in sampling.constraints])
        return Course(
            prefix=prefix,
            min_length=sampling.min_length,
            max_length=sampling.max_length,
            no_repeat_ngram=sampling.no_repeat_ngram,
            stops=Stops(sampling.stop, self._text, free, partial(allows, constraint))
            if sampling.stop
            else None,
            automaton=self._automaton(constraint, sampling, prefix) if sampling.constraints else None,
            allows=partial(allows, constraint),
            way=self._way(sampling.sources) if sampling.sources else None,
        )

    def _way(self, sources: Sources) -> Way:
        """Raises BotError for a source whose tag the model does not read."""
        unknown = [name for name in sources.names if name not in self._sources]
        if unknown or not sources.names:
            there = ", ".join(self._sources) or "it was trained without source_tags"
            msg = (
                f"{self.checkpoint} cannot write as {', '.join(map(repr, unknown)) or 'no source'} ({there})"
            )
            raise BotError(msg)
        mean = len(self._sources) + 1
        tags = {mean} if sources.blend else {self._sources.index(name) + 1 for name in sources.names}
        return Way(tuple(sorted(tags)), self._word_ends, sources.switch, sources.half)

    @cached_property
    def _word_ends(self) -> NDArray[Any]:
        return word_ends([self._text([id]) for id in range(len(self._vocabulary))])

    def _automaton(self, constraint: Constraint, sampling: Sampling, prefix: Sequence[int]) -> Automaton:
        """Raises BotError where no text of its length can be right."""
        size, least, most = len(self._vocabulary), sampling.min_length, sampling.max_length
        automaton = Automaton(constraint, self._pieces, size, least, most)
        state = automaton.follow(0, prefix)
        if state == NOWHERE or automaton.distance(state) > most - len(prefix):
            begun = f" that begins with {sampling.prefix!r}" if prefix else ""
            names = ", ".join(rule.name for rule in sampling.constraints)
            msg = f"{self.checkpoint}: no text of {least} to {most} tokens{begun} can satisfy {names}"
            raise BotError(msg)
        return automaton

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self._text, range(UNKNOWN + 1, len(self._vocabulary)))

    def can_begin(self, prefix: str) -> bool:
        """Whether all tokens of a prefix are in the vocabulary."""
        return all(token in self._vocabulary for token in self._tokenizer.split(prefix))

    def _prefix(self, sampling: Sampling) -> tuple[int, ...]:
        if not sampling.prefix:
            return ()
        tokens = self._tokenizer.split(sampling.prefix)
        try:
            ids = tuple(self._vocabulary.encode(tokens))
        except CorpusError as error:
            raise BotError(f"{self.checkpoint} cannot begin with {sampling.prefix!r}: {error}") from error
        if UNKNOWN in ids:
            first = tokens[ids.index(UNKNOWN)]
            msg = f"{self.checkpoint} cannot begin with {sampling.prefix!r}: it does not know {first!r}"
            raise BotError(msg)
        if len(ids) >= sampling.max_length:
            msg = f"the prefix {sampling.prefix!r} has {len(ids)} tokens, max_length is {sampling.max_length}"
            raise BotError(f"{msg}: nothing would be left to sample")
        return ids

    def _text(self, ids: Sequence[int]) -> str:
        return self._tokenizer.join(self._vocabulary.decode(ids))

    def _candidate(self, where: tuple[str, str], request: Request, index: int, sample: Sample) -> Candidate:
        """where: build and device."""
        stops = request.course.stops
        text = stops.cut(sample.ids) if stops else self._text(sample.ids)
        if not request.course.allows(text):
            msg = f"{self.checkpoint}: its tokenizer joins tokens in ways that constraints cannot follow"
            raise BotError(f"{msg}: {text!r} came of it")
        return Candidate(
            text=text,
            raw_text=text,
            checkpoint=self.checkpoint,
            sampling=request.sampling,
            seed=request.seed,
            index=index,
            temperature=sample.temperature,
            nll=sample.nll,
            surprise=sample.nll / self.held_out_loss,
            build=where[0],
            device=where[1],
        )


def calibrate(
    sampler: Sampler, samples: int = 256, told: Callable[[float, float], None] | None = None
) -> tuple[tuple[float, float], ...]:
    """(temperature, mean surprise) of a sweep: what a band's temperatures are looked up in.

    Nothing is left out, penalised or masked. told: what was just measured.
    """
    found = []
    for temperature in CALIBRATION:
        candidates = sampler.sample(Sampling((temperature, temperature)), 0, range(samples))
        found.append((temperature, fmean(candidate.surprise for candidate in candidates)))
        if told:
            told(*found[-1])
    return tuple(found)


def _run(walk: Walk, rows: Rows, barred: NDArray[np.float32], checkpoint: str) -> None:
    """Walk until every sample has ended. Raises BotError where the model computes no numbers."""
    walk.begin(rows.busy)
    while len(busy := rows.busy):
        logits = walk.step(rows.ids(busy, len(barred)), busy)
        ids, losses = _draw(walk, logits, rows, busy, barred)
        if not np.isfinite(losses).all():
            msg = f"{checkpoint} computes no numbers: its state has grown beyond all bounds"
            raise BotError(f"{msg}; a cell with gates, or a lower learning rate, would help")
        walk.begin(rows.begin(rows.take(busy, ids, losses)))


def _draw(
    walk: Walk, logits: Any, rows: Rows, busy: NDArray[Any], barred: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """An id and its loss for each busy row. Requests seldom differ in how to draw: mostly it is one draw."""
    ids, losses = np.zeros(len(busy), np.int64), np.zeros(len(busy))
    for place, id in rows.given(busy):
        ids[place] = id
    for kind, at in rows.by_kind(busy):
        if len(at):
            some = logits if len(at) == len(busy) else logits[at]
            ids[at], losses[at] = _draw_kind(walk, some, rows, busy[at], kind, barred)
    return ids, losses


def _draw_kind(
    walk: Walk, logits: Any, rows: Rows, chosen: NDArray[Any], kind: Kind, barred: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The walk's own draw, the quickest, where it knows all that is asked for."""
    bars = rows.barred(chosen, barred) if kind.guided else barred
    inputs = (rows.inverse_temperatures(chosen), bars, rows.uniforms(chosen))
    if kind.simple:
        return walk.draw(logits, *inputs, *kind.truncation[:3])
    drawn = draw_by(
        torch.as_tensor(logits),
        *inputs,
        kind.truncation,
        rows.penalties(chosen, kind.repetition_penalty, len(barred))
        if kind.repetition_penalty != 1
        else None,
        rows.limits(chosen) if kind.mirostat else None,
    )
    if kind.mirostat:
        rows.adjust(chosen, kind.mirostat, drawn.surprises)
    return drawn.ids, drawn.losses
