"""Watches the jobs of the wake-up: starts it anew where it is dead, and ends the process where a job hangs.

It knows no job's work. Threads die and hang without a word, and a bot left alone has nobody who sees it.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from bot.errors import Stalled
from bot.posting.turns import Seen, Turns

log = logging.getLogger(__name__)

HOPELESS = 10  # times a job's limit: it comes back no more


class Restarting(Protocol):
    def restart(self) -> None: ...


class Watchdog:
    """For one thread, which is not one of those that are watched."""

    def __init__(self, jobs: Sequence[Turns], wakeup: Restarting):
        self._jobs, self._wakeup = jobs, wakeup
        self._turns_then = -1  # all turns, when the wake-up was last started anew

    def look(self, seconds: float) -> dict[str, Seen]:
        """How the jobs stand, `seconds` after the last look. Raises Stalled where nothing else helps."""
        seen = {job.name: job.look(seconds) for job in self._jobs}
        for name, job in seen.items():
            if job.running and job.quiet > HOPELESS * job.limit:
                msg = f"the job {name!r} has hung for {job.quiet:.0f} s: the process must be started again"
                raise Stalled(msg)
        if any(job.silent and not job.running for job in seen.values()):
            self._wake(sum(job.turns for job in seen.values()))
        return seen

    def _wake(self, turns: int) -> None:
        if turns == self._turns_then:
            msg = "the wake-up is dead and could not be started anew: the process must be started again"
            raise Stalled(msg)
        self._turns_then = turns
        log.error("no job was woken for a while; the wake-up is started anew")
        for job in self._jobs:
            job.rest()
        self._wakeup.restart()
