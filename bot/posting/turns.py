"""What one job of the wake-up shows of itself: signs of life, failures, how long a turn took.

The thread that runs the job writes, another one looks. Time is counted by looks and not by a clock, so that a
process that was stopped for a while does not take that for silence.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from bot.errors import BotError

log = logging.getLogger(__name__)

Job = Callable[[], None]
LONGEST_PAUSE = 20.0  # seconds between two turns; a wake-up that lives needs a tick


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as it was last looked at; the numbers are seconds, `lasted` of the last turn."""

    running: bool
    turns: int
    lasted: float
    quiet: float  # since the last sign of life
    limit: float  # of that
    failure: str  # of the last turn, "" if it went well
    failing: float  # since the first such turn in a row

    @property
    def silent(self) -> bool:
        """Whether it hangs, or is not called any more."""
        return self.quiet > (self.limit if self.running else LONGEST_PAUSE)


class Turns:
    """A job that raises nothing, logs a failure when it is a new one, and can be looked at.

    limit: seconds that a turn may go on without a sign of life. failures: those that last, and which job told
    them; shared by jobs, what stops several is told once.
    """

    def __init__(
        self,
        name: str,
        job: Job,
        limit: float,
        steady: Callable[[], float] = time.monotonic,
        failures: dict[str, str] | None = None,
    ):
        self._failures = {} if failures is None else failures
        self.name, self._job, self._limit, self._steady = name, job, limit, steady
        self._running, self._turns, self._lasted, self._failure = False, 0, 0.0, ""
        self._told: set[str] = set()  # failures, since it worked
        self._signs = count(1)
        self._newest, self._met = 0, 0  # signs of life: given, and known to who looks
        self._quiet = self._failing = 0.0
        self._alone = threading.Lock()

    def __call__(self) -> None:
        """One turn, unless one is being made."""
        if not self._alone.acquire(blocking=False):
            return
        with self._alone_until_done():
            began = self._steady()
            self._failure = self._run()
            self._turns, self._lasted = self._turns + 1, self._steady() - began

    def alive(self) -> None:
        """A sign of life in the middle of a turn."""
        self._newest = next(self._signs)

    def rest(self) -> None:
        """Its next turn is given time; a turn that hangs is not."""
        if not self._running:
            self.alive()

    def look(self, seconds: float) -> Seen:
        """How it stands, `seconds` after it was looked at before."""
        self._quiet = 0.0 if self._newest != self._met else self._quiet + seconds
        self._met = self._newest
        self._failing = self._failing + seconds if self._failure else 0.0
        return Seen(
            running=self._running,
            turns=self._turns,
            lasted=self._lasted,
            quiet=self._quiet,
            limit=self._limit,
            failure=self._failure,
            failing=self._failing,
        )

    @contextmanager
    def _alone_until_done(self) -> Iterator[None]:
        self._running = True
        self.alive()
        try:
            yield
        finally:
            self._running = False
            self.alive()
            self._alone.release()

    def _run(self) -> str:
        """What the job failed of, "" if it went well."""
        try:
            self._job()
        except BaseException as error:  # SystemExit too: the thread is not the job's to end
            failure = f"{type(error).__name__}: {error}"
            if self._is_new(failure):
                traceback = None if isinstance(error, BotError) else error
                log.error("the job %r failed, and is run again: %s", self.name, error, exc_info=traceback)
            return failure
        if self._told:
            log.warning("the job %r works again", self.name)
        for failure in self._told:
            self._failures.pop(failure, None)
        self._told.clear()
        return ""

    def _is_new(self, failure: str) -> bool:
        """Whether no job has told it since it worked; from then on this one has."""
        new = self._failures.setdefault(failure, self.name) == self.name and failure not in self._told
        if new:
            self._told.add(failure)
        return new
