"""Where the time of a training goes, part by part. It makes some steps and keeps nothing.

Seconds are wall time: a step waits for the slower of its threads. On a GPU work is only queued, so there the
parts tell where the program waits for it.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bot.model.goal import NEXT_TOKEN, Goal
from bot.model.language_model import LanguageModel
from bot.model.run import FEWEST, Run, Sample, Save
from bot.model.tags import NO_TAGS, Tags
from bot.model.threads import one_thread
from bot.model.training_state import Ids

WARM = 5  # steps before it is measured: memory is taken, fast passes are compiled, libraries are loaded
ORDER = ("batches", "noise", "forward", "backward", "clip", "optimizer")  # of every step
ONCE = ("evaluation", "samples", "saving")  # made at every evaluation only


@dataclass(frozen=True, slots=True)
class Profile:
    """What was measured. parts: seconds a step by name, those of an evaluation spread over its steps."""

    parts: dict[str, float]
    once: dict[str, float]  # seconds of one evaluation, by part
    evaluate_every: int  # steps
    tokens: float  # a step
    cores: float  # busy on average while steps are made
    steps: int  # that the whole run would make

    @property
    def seconds(self) -> float:
        """A step, evaluations and all."""
        return sum(self.parts.values())


def profile(
    model: LanguageModel,
    train_ids: Ids,
    held_out_ids: Ids,
    settings: Any,
    *,
    save: Save,
    state_file: Path,
    sample: Sample | None = None,
    evaluations: int = 0,
    steps: int = 50,
    tags: Tags = NO_TAGS,
    goal: Goal = NEXT_TOKEN,
) -> Profile:
    """Train for a moment and measure; the arguments are those of `training.train`. The model is changed."""
    passes = _timed_passes(model)  # before a run makes copies of it
    with torch.random.fork_rng(devices=[]), one_thread():
        run = Run(
            model, train_ids, held_out_ids, settings, save, state_file, sample, evaluations, {}, tags, goal
        )
        run.begin()
        _make(run, WARM, passes)
        run.evaluate()
        run.spans.seconds.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        forward, tokens = _make(run, steps, passes)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        run.evaluate()
        whole = min(round((WARM + steps) / run.share_done), _within_minutes(settings, wall / steps))
    seconds = dict(run.spans.seconds)
    once = {name: seconds.pop(name) for name in ONCE if name in seconds}
    made = _with_passes(seconds, forward)
    parts = made | {"rest": wall - sum(made.values())}
    every = min(settings.evaluate_every, max(FEWEST, whole // (evaluations or 1)))
    spread = {name: span / every for name, span in once.items()}
    a_step = {name: span / steps for name, span in parts.items()}
    return Profile(a_step | spread, once, every, tokens / steps, cpu / wall, whole)


def _within_minutes(settings: Any, seconds: float) -> int:
    """How many steps of so many seconds the run's minutes allow, where they are limited, else all."""
    return round(60 * settings.max_minutes / seconds) if settings.max_minutes else int(settings.max_steps)


def _make(run: Run, steps: int, passes: list[float]) -> tuple[float, int]:
    """So many steps; seconds of their forward passes, of the slowest thread each, and their tokens.

    For the run no time passes: the first steps are slow, and would count for more than they are.
    """
    forward, tokens = 0.0, 0
    for _ in range(steps):
        passes.clear()
        run.step(0.0)
        forward, tokens = forward + max(passes), tokens + run.tokens
    return forward, tokens


def _with_passes(seconds: dict[str, float], forward: float) -> dict[str, float]:
    """The span of both passes cut in two, all in the order in which they happen."""
    split = {"forward": forward, "backward": seconds["forward and backward"] - forward}
    return {name: (seconds | split)[name] for name in ORDER}


def _timed_passes(model: LanguageModel) -> list[float]:
    """A list that gets the seconds of every forward pass, also of the copies that threads compute with."""
    passes: list[float] = []
    began = threading.local()

    def begin(*_: object) -> None:
        began.at = time.perf_counter()

    def end(*_: object) -> None:
        passes.append(time.perf_counter() - began.at)

    model.register_forward_pre_hook(begin)
    model.register_forward_hook(end)
    return passes
