"""How fast a training run goes and how long it will still take. It knows shares and tokens only."""

from collections.abc import Callable


class Pace:
    """Told of every step; its figures are of the latest.

    clock: seconds, monotonic. share_done: how much of the run was over when the clock was started.
    """

    def __init__(self, clock: Callable[[], float], share_done: float):
        self._clock, self._first_share = clock, share_done
        self._started = self._step_started = clock()
        self.tokens_per_second = self.steps_per_second = self.seconds_left = 0.0

    @property
    def seconds(self) -> float:
        """From the start of the clock to the beginning of the present step."""
        return self._step_started - self._started

    def step_begins(self) -> None:
        self._step_started = self._clock()

    def step_ends(self, share_done: float, tokens: int) -> None:
        """A step of that many tokens has been made; the time between steps counts for the time left alone."""
        now = self._clock()
        speed = 1 / max(now - self._step_started, 1e-9)
        self.steps_per_second = _smoothed(self.steps_per_second, speed)
        self.tokens_per_second = _smoothed(self.tokens_per_second, tokens * speed)
        per_share = (now - self._started) / max(share_done - self._first_share, 1e-9)
        self.seconds_left = (1 - share_done) * per_share


def _smoothed(before: float, now: float) -> float:
    return 0.95 * before + 0.05 * now if before else now
