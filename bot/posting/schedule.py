"""The wake-up: runs jobs again and again beside the main thread, each never twice at once.

It knows no slot and no delivery, and keeps nothing: what is due stands in the database, so a tick that was
missed or came late loses nothing. A job that fails is logged and runs again at its next tick.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Self

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

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
                _contained,
                "interval",
                args=(name, job),
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


def _contained(name: str, job: Job) -> None:
    try:
        job()
    except Exception:
        log.exception("the job %r failed and is run again at the next tick", name)
