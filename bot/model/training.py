"""The training loop: ids in, a trained model out, interrupted and gone on with at will.

What a step and an evaluation are stands in run.py.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bot.model.goal import NEXT_TOKEN, Goal
from bot.model.language_model import LanguageModel
from bot.model.pace import Pace
from bot.model.run import Run, Sample, Save
from bot.model.tags import NO_TAGS, Tags
from bot.model.threads import one_thread
from bot.model.training_state import Ids
from bot.model.watch import Measurement
from bot.records import Progress


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended; `note` says why in plain words. gave_up: there is no use in going on with it."""

    history: tuple[Measurement, ...]
    interrupted: bool
    note: str
    gave_up: bool = False

    @property
    def best(self) -> Measurement | None:
        """The measurement with the lowest held-out loss."""
        return min(self.history, key=lambda row: row.held_out_loss, default=None)


def train(
    model: LanguageModel,
    train_ids: Ids,
    held_out_ids: Ids,
    settings: Any,
    *,
    save: Save,
    progress: Callable[[Progress], None],
    state_file: Path,
    sample: Sample | None = None,
    resume: bool = False,
    evaluations: int = 0,
    about: dict[str, Any] | None = None,
    tags: Tags = NO_TAGS,
    clock: Callable[[], float] = time.monotonic,
    goal: Goal = NEXT_TOKEN,
) -> Result:
    """Train until the settings say enough, Ctrl-C is pressed or the losses get no better.

    settings: has the attributes of the configuration's Training. save: called at every evaluation with
    the model and all measurements so far; it keeps what it likes. state_file: where the run can be gone on
    with, exactly as if it had never stopped; `resume` does so. evaluations: at least about so many, whatever
    `evaluate_every` says. about: what else must be as it was when the run is gone on with, by name. tags: of
    each text to learn from and each held out, where the model reads them. goal: what is learned. The
    caller's random numbers are left alone.
    Raises TrainingError if there is nothing to train on, CheckpointError if there is nothing to resume.
    """
    cuda = [model.embedding.weight.device] if model.embedding.weight.is_cuda else []
    with torch.random.fork_rng(devices=cuda), one_thread(), _interrupts() as interrupted:
        run = Run(
            model,
            train_ids,
            held_out_ids,
            settings,
            save,
            state_file,
            sample,
            evaluations,
            about or {},
            tags,
            goal,
        )
        run.resume() if resume else run.begin()
        pace = Pace(clock, run.share_done)
        while not run.ended and not interrupted.is_set():
            pace.step_begins()
            run.step(pace.seconds)
            pace.step_ends(run.share_done, run.tokens)
            if run.due:
                run.evaluate()
            progress(run.report(pace))
        if interrupted.is_set():
            run.interrupt()
            return Result(run.history, True, "interrupted")
        return Result(run.history, False, run.why_ended(), run.gave_up)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; pressed again it interrupts at once. Only the main thread hears it."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def note(*_: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)
