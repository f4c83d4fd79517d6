"""The wake-up: runs jobs again and again beside the main thread, each never twice at once.

It knows no slot and no delivery, and keeps nothing: what is due stands in the database, so a tick that was
missed or came late loses nothing. A job that fails runs again at its next tick. Its own thread may die
without a word, or wait for an hour that a clock was set back by: bot.posting.watchdog starts it anew.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from bot.errors import Stalled
from bot.posting.turns import Turns


class After(BaseTrigger):  # type: ignore[misc]
    """The next tick, counted from now: the library's own interval walks through every tick that was missed.

    When a clock is set forward by 200 years these are six billion.
    """

    def __init__(self, tick: timedelta):
        self._tick = tick

    def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime:
        return now + self._tick


class Wakeup:
    """jobs: run as soon as it starts and then every `tick`, each in a thread of its own.

    Leaving the `with` block waits for the jobs that are running, unless one of them is what has stalled.
    """

    def __init__(self, jobs: Iterable[Turns], tick: timedelta = timedelta(seconds=1)):
        self._jobs, self._tick = list(jobs), tick
        logging.getLogger("apscheduler").setLevel(
            logging.ERROR
        )  # a tick that finds its job running is normal
        self._scheduler = self._make()

    def _make(self) -> BackgroundScheduler:
        pool = ThreadPoolExecutor(max(1, len(self._jobs)))
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": pool})
        for job in self._jobs:
            scheduler.add_job(
                job,
                After(self._tick),
                next_run_time=datetime.now(UTC),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        return scheduler

    def start(self) -> None:
        self._scheduler.start()

    def restart(self) -> None:
        """Wake with a new thread; a job that is running goes on, and is not run beside itself."""
        self._scheduler.shutdown(wait=False)
        self._scheduler = self._make()
        self.start()

    def stop(self) -> None:
        """Wake nobody any more, and wait for the jobs that are running."""
        self._scheduler.shutdown(wait=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Stalled):
            self.stop()
