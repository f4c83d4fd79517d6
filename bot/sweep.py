"""A model trained in many settings, one after another: what each came to, best first.

Stopped at any time it goes on where it was; a training that fails is told so, and the next one begins.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bot.config import Model
from bot.errors import TrainingError
from bot.house import House
from bot.model.training_state import Position, load_position
from bot.records import Progress
from bot.trainer import FAILED, STATE, Trainer, opened

Watched = Callable[[Trainer], AbstractContextManager[Callable[[Progress], None]]]


@dataclass(frozen=True)
class Point:
    """One training of a sweep. held_out: its lowest loss, None where it has none. seconds: wall time.

    note: how it ended, "" where it was interrupted. remarks: what the watch said, after which step.
    """

    name: str
    held_out: float | None
    train: float | None
    steps: int
    seconds: float
    note: str
    failed: bool
    remarks: tuple[tuple[int, str], ...] = ()


def in_order(points: list[Point]) -> list[Point]:
    """The lowest held-out loss first, failed ones last."""
    return sorted(points, key=lambda one: (one.failed, one.held_out is None, one.held_out or 0.0))


def sweep(house: House, models: Mapping[str, Model], watched: Watched) -> Iterator[Point]:
    """Train each, or say what came of it before; one that was interrupted is the last.

    watched: is entered for each training and told of its steps. Raises CorpusError, ConfigError.
    """
    every = house.having(models)
    for name in models:
        with opened(every, name) as trainer:
            point = _trained(trainer, watched)
        yield point
        if not point.note:
            return


def _trained(trainer: Trainer, watched: Watched) -> Point:
    if trainer.failure:
        return _point(trainer, failed=True)
    if trainer.plan().do != "nothing":
        trainer.prepare()
        with watched(trainer) as progress:
            return _point(trainer, failed=_run(trainer, progress))
    return _point(trainer, failed=False)


def _run(trainer: Trainer, progress: Callable[[Progress], None]) -> bool:
    """Whether it failed. Raises TrainingError where it did not begin or left nothing."""
    try:
        return trainer.run(progress).result.gave_up
    except TrainingError:
        if not trainer.failure:
            raise
        return True


def _point(trainer: Trainer, failed: bool) -> Point:
    shelf = trainer.root / trainer.name
    then: Position = load_position(shelf / (FAILED if failed else STATE))
    best = min((row.held_out_loss for row in then.history), default=None)
    return Point(
        name=trainer.name,
        held_out=best,
        train=then.history[-1].train_loss if then.history else None,
        steps=then.step,
        seconds=then.seconds,
        note=then.ended,
        failed=failed,
        remarks=tuple(then.notes),
    )
