"""The wake-up: runs jobs again and again beside the main thread, each never twice at once.

It knows no slot and no delivery, and keeps nothing: what is due stands in the database, so a tick that was
missed or came late loses nothing. A job that fails runs again at its next tick; what goes on failing in the
same way for days is logged once.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from bot.errors import BotError

log = logging.getLogger(__name__)

Job = Callable[[], None]


class Wakeup:
    """jobs: by name, run as soon as it starts and then every `tick`, each in a thread of its own.

    Leaving the `with` block waits for the jobs that are running.
    """

    def __init__(self, jobs: Mapping[str, Job], tick: timedelta = timedelta(seconds=1)):
        logging.getLogger("apscheduler").setLevel(
            logging.ERROR
        )  # a tick that finds its job running is normal
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(max(1, len(jobs)))}
        )
        for name, job in jobs.items():
            self._scheduler.add_job(
                _Contained(name, job),
                "interval",
                seconds=tick.total_seconds(),
                next_run_time=datetime.now(UTC),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Wake nobody any more, and wait for the jobs that are running."""
        self._scheduler.shutdown(wait=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Contained:
    """A job that raises nothing, and logs a failure when it is a new one."""

    def __init__(self, name: str, job: Job):
        self._name, self._job = name, job
        self._failure = ""  # of the run before

    def __call__(self) -> None:
        before, self._failure = self._failure, ""
        try:
            self._job()
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            if self._failure != before:
                traceback = None if isinstance(error, BotError) else error
                log.error("the job %r failed, and is run again: %s", self._name, error, exc_info=traceback)
        else:
            if before:
                log.warning("the job %r works again", self._name)
