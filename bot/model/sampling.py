"""A model's texts, many at a time, each the same whatever is sampled beside it.

Sample k of a seed always stands in row k % WIDTH of a batch of WIDTH rows, and its random numbers are
counted, not drawn in turn. So a product of matrices sees a sample in the same place of the same shape
alone as among a thousand, and gives the same bits. It does not know what becomes of the texts.

Shapes: W rows, H hidden_size, G what a cell projects to, V vocabulary_size.
"""

import math
import platform
from collections import deque
from collections.abc import Sequence
from statistics import fmean
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.errors import BotError
from bot.interfaces import Tokenizer
from bot.model.cell import Cell
from bot.model.language_model import LanguageModel, States
from bot.model.threads import one_thread
from bot.records import Candidate, Sampling
from bot.text.vocabulary import END, START, UNKNOWN, Vocabulary

WIDTH = 32  # rows; benchmarks/sampling.py compares. Another width is another build: see `build`
CALIBRATION = (0.4, 0.6, 0.8, 1.0, 1.3)  # temperatures

Numbers = NDArray[Any]


class Sampler:
    """Samples from one model, on the device it is on.

    checkpoint: MODEL/NAME. held_out_loss: nats per token, what a sample's surprise is measured by.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        checkpoint: str,
        held_out_loss: float,
    ):
        self.checkpoint, self.held_out_loss = checkpoint, held_out_loss
        self._model, self._vocabulary, self._tokenizer = model, vocabulary, tokenizer

    def sample(self, sampling: Sampling, seed: int, indices: Sequence[int]) -> list[Candidate]:
        """The samples of these indices, in their order.

        Exactly these are begun and all are kept: taking the first to finish would favour short ones.
        """
        low, high = sampling.temperature
        if not 0 < low <= high < math.inf or sampling.max_length < 1:
            msg = f"cannot sample at temperature {low:g} to {high:g}, at most {sampling.max_length} tokens"
            raise BotError(f"{msg}: a temperature is above 0, a length at least 1")
        rows = _Rows(sampling, seed, indices)
        with torch.inference_mode(), one_thread():
            walk = _Walk(self._model)
            barred = self._model.embedding.weight.new_zeros(len(self._vocabulary))
            barred[[START, UNKNOWN]] = -math.inf
            while rows.busy:
                ids, losses = _draw(walk.step(rows.ids), barred, rows.temperatures, rows.uniforms())
                if len(ended := rows.take(ids, losses)):
                    rows.begin(ended)
                    walk.begin(ended)
        return [self._candidate(sampling, seed, index, rows.finished[index]) for index in indices]

    def _candidate(
        self, sampling: Sampling, seed: int, index: int, sample: tuple[float, list[int], float]
    ) -> Candidate:
        temperature, ids, nll = sample
        text = self._tokenizer.join(self._vocabulary.decode(ids))
        return Candidate(
            text=text,
            raw_text=text,
            checkpoint=self.checkpoint,
            sampling=sampling,
            seed=seed,
            index=index,
            temperature=temperature,
            nll=nll,
            surprise=nll / self.held_out_loss,
            build=build(),
            device=device_name(self._model.embedding.weight.device),
        )


def calibrate(sampler: Sampler, samples: int = 256) -> tuple[tuple[float, float], ...]:
    """(temperature, mean surprise) of a sweep: what a band's temperatures are looked up in."""

    def surprise(temperature: float) -> float:
        candidates = sampler.sample(Sampling((temperature, temperature)), 0, range(samples))
        return fmean(candidate.surprise for candidate in candidates)

    return tuple((temperature, surprise(temperature)) for temperature in CALIBRATION)


def build() -> str:
    """What must be equal for a replay to be byte-identical, beside the device."""
    kernels = torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__}, {platform.machine()} {kernels}, width {WIDTH}"


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


class _Rows:
    """What stands in each of WIDTH rows, and what waits for it: sample k in row k % WIDTH and no other."""

    def __init__(self, sampling: Sampling, seed: int, indices: Sequence[int]):
        self.finished: dict[int, tuple[float, list[int], float]] = {}  # index -> temperature, ids, nll
        self._sampling, self._seed = sampling, seed
        self._waiting: list[deque[int]] = [deque() for _ in range(WIDTH)]
        for index in dict.fromkeys(indices):
            self._waiting[index % WIDTH].append(index)
        self.ids = np.full(WIDTH, START)
        self.temperatures = np.ones(WIDTH)
        self._index = np.full(WIDTH, -1)  # -1: nothing left to do
        self._keys = np.zeros(WIDTH, np.uint64)
        self._length = np.zeros(WIDTH, np.int64)
        self._written = np.zeros((WIDTH, sampling.max_length), np.int64)
        self._losses = np.zeros(WIDTH)
        self.begin(np.arange(WIDTH))

    @property
    def busy(self) -> bool:
        return bool((self._index >= 0).any())

    def uniforms(self) -> Numbers:
        """(W,) in [0, 1): each row's own for its next token. Number 0 gave the temperature."""
        return counted_uniforms(self._keys, self._length + 1)

    def take(self, ids: Numbers, losses: Numbers) -> Numbers:
        """Write one token a row; the rows whose sample ended with it."""
        rows = np.arange(WIDTH)
        self.ids = ids
        self._written[rows, self._length] = ids
        self._length += 1
        self._losses += losses
        ended = np.flatnonzero((ids == END) | (self._length == self._sampling.max_length))
        for row in ended.tolist():
            if self._index[row] >= 0:
                self._finish(row)
        return ended

    def _finish(self, row: int) -> None:
        length = int(self._length[row])
        ids = [id for id in self._written[row, :length].tolist() if id != END]
        nll = float(self._losses[row]) / length
        self.finished[int(self._index[row])] = float(self.temperatures[row]), ids, nll

    def begin(self, rows: Numbers) -> None:
        """Let these rows start on what waits for them, if anything does."""
        self._index[rows] = [self._waiting[row].popleft() if self._waiting[row] else -1 for row in rows]
        self._keys[rows] = sample_keys(self._seed, self._index[rows])
        low, high = self._sampling.temperature
        self.temperatures[rows] = low + (high - low) * counted_uniforms(self._keys[rows], np.zeros(len(rows)))
        self.ids[rows], self._length[rows], self._losses[rows] = START, 0, 0.0


class _Walk:
    """The model step by step. What layer 1 makes of an id is looked up in a table made once."""

    def __init__(self, model: LanguageModel):
        self._cells, self._read = [cast(Cell, cell) for cell in model.cells], model.read
        self._table = self._cells[0].project(model.embedding.weight)  # (V, G)
        self._first: States = model.initial_state(WIDTH)
        self._state = self._first

    def step(self, ids: Numbers) -> Tensor:
        """ids (W,) -> logits (W, V)."""
        wx = self._table[torch.from_numpy(ids).to(self._table.device)]
        output, state = self._cells[0].step(wx, self._state[0])
        after = [state]
        for cell, before in zip(self._cells[1:], self._state[1:], strict=True):
            output, state = cell.step(cell.project(output), before)
            after.append(state)
        self._state = tuple(after)
        logits: Tensor = self._read(output)
        return logits

    def begin(self, rows: Numbers) -> None:
        """Put these rows back to the initial state."""
        fresh = torch.zeros(WIDTH, dtype=torch.bool, device=self._table.device)
        fresh[torch.from_numpy(rows)] = True
        self._state = tuple(
            tuple(
                torch.where(fresh.view(-1, *[1] * (now.dim() - 1)), first, now)
                for now, first in zip(state, firsts, strict=True)
            )
            for state, firsts in zip(self._state, self._first, strict=True)
        )


def _draw(
    logits: Tensor, barred: Tensor, temperatures: Numbers, uniforms: Numbers
) -> tuple[Numbers, Numbers]:
    """One id a row by inverse transform, and its loss at temperature 1 with nothing barred: both (W,).

    barred: (V,), -inf where an id must not be written, else 0.
    """
    scaled = torch.addcmul(barred, logits, torch.from_numpy(1 / temperatures).to(logits)[:, None])
    below = scaled.softmax(1).cumsum(1, dtype=torch.float64)
    aims = torch.from_numpy(uniforms).to(logits.device)[:, None] * below[:, -1:]
    ids = (below <= aims).sum(1, keepdim=True)  # <=: what has probability 0 is never hit
    losses = -logits.log_softmax(1).gather(1, ids)
    return ids[:, 0].cpu().numpy(), losses[:, 0].double().cpu().numpy()


def sample_keys(seed: int, indices: Numbers) -> Numbers:
    """uint64: where in the random numbers each sample's own begin."""
    return _mix(_mix(np.array([seed % 2**64], np.uint64)) + indices.astype(np.uint64) * GOLDEN)


def counted_uniforms(keys: Numbers, positions: Numbers) -> Numbers:
    """The number at each position of each key's own sequence, in [0, 1) with 52 bits.

    SplitMix64 (Steele, Lea and Flood 2014): any number is had without those before it.
    """
    return (_mix(keys + (positions.astype(np.uint64) + np.uint64(1)) * GOLDEN) >> np.uint64(12)) * 2.0**-52


GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: Numbers) -> Numbers:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Numbers = x ^ (x >> np.uint64(31))
    return mixed
