"""A training of a recipe as it runs; what it shows is kept at every measurement: Ctrl-C loses nothing."""

import time
from collections.abc import Callable
from pathlib import Path

from bot.errors import NoCheckpoint
from bot.records import Progress
from bot.reproduction.kept import Kept
from bot.trainer import Trainer

Clock = Callable[[], float]
Show = Callable[[Progress], None]


class Recording:
    """Runs a training and writes down what came of it in `now`, which lies in `file`.

    cpu: the seconds that this process has computed. A run that is gone on with adds to what it took before.
    """

    def __init__(self, now: Kept, file: Path, trainer: Trainer, cpu: Clock):
        self._now, self._file, self._trainer, self._cpu = now, file, trainer, cpu
        self._before = now.seconds - time.monotonic(), now.cpu_seconds - cpu()

    def run(self, show: Show) -> None:
        """`note` says afterwards how it ended; it is "" where Ctrl-C was pressed."""
        now = self._now
        try:
            trained = self._trainer.run(lambda progress: self._see(progress, show))
        except NoCheckpoint as error:
            now.note, now.failed = (error.note, True) if error.failed else ("", False)
        else:
            now.history = list(self._trainer.history or trained.result.history)
            now.checkpoint, now.failed = trained.folder.name, trained.result.gave_up
            now.note = "" if trained.result.interrupted else trained.result.note
        self._keep()

    def _see(self, progress: Progress, show: Show) -> None:
        if progress.note:
            self._now.remark(progress.step, progress.note)
        if progress.samples:
            self._now.samples.append((progress.step, list(progress.samples)))
        if progress.validation_loss is not None:
            self._now.history = list(self._trainer.history)
            self._keep()
        show(progress)

    def _keep(self) -> None:
        wall, cpu = self._before
        self._now.seconds, self._now.cpu_seconds = wall + time.monotonic(), cpu + self._cpu()
        self._now.save(self._file)
