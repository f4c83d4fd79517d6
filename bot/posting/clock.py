"""Whether the clock on the wall can be believed: it is compared with one that nobody sets.

Pure: it is handed both. A clock that was set far back or forward is not believed at once, since what sets it
may be mistaken and set it again: posting waits until readings a minute apart agree. A machine that slept has
set no clock, where the steady one counts the time asleep.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

BACK, FORWARD = timedelta(seconds=60), timedelta(hours=1)  # more, between two readings, is a step
AGREE = timedelta(seconds=2)
APART = 60.0  # seconds between two readings that must agree


class ClockWatch:
    """wall: the present. uptime: seconds by a clock that nobody sets.

    believed: a moment that is known to have been right, by both clocks; the present if None.
    """

    def __init__(
        self,
        wall: Callable[[], datetime],
        uptime: Callable[[], float],
        believed: tuple[datetime, float] | None = None,
    ):
        self._wall, self._uptime = wall, uptime
        self._believed = believed or (wall(), uptime())
        self._doubted: tuple[datetime, float] | None = None  # the first reading after a step

    def read(self) -> timedelta:
        """How far the clock was set, while that is not believed; else none."""
        now = self._wall(), self._uptime()
        step = _step(self._believed, now)
        if -BACK <= step <= FORWARD or self._is_confirmed(now):
            self._believed, self._doubted = now, None
            return timedelta()
        return step

    def _is_confirmed(self, now: tuple[datetime, float]) -> bool:
        """Whether a reading long enough ago was of the same opinion."""
        if self._doubted is None or abs(_step(self._doubted, now)) > AGREE:
            self._doubted = now
        return now[1] - self._doubted[1] >= APART


def _step(before: tuple[datetime, float], now: tuple[datetime, float]) -> timedelta:
    """How much further the wall has gone than the steady clock."""
    return now[0] - before[0] - timedelta(seconds=now[1] - before[1])
