"""Time, chance and processes. One seed is one world: everything that happens in it follows from the seed.

A process is a greenlet, so what runs in it needs no change: where it touches a seam (`Process.seam`) it may
be killed, stopped for hours or suspended with its host, and others run meanwhile. It knows no delivery.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from greenlet import getcurrent, greenlet

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """Ends a process: thrown at the seam where it dies, and at every one that it might still touch."""


@dataclass(frozen=True)
class Weather:
    """How probable things are at each seam of a process, and for how long anything goes wrong."""

    kill: float = 0.02
    stop: float = 0.02  # the process alone, as by SIGSTOP
    suspend: float = 0.01  # its host, and every clock but the one on the wall
    step: float = 0.01  # the wall clock is set
    fault: float = 0.35  # of a request
    store: float = 0.005  # the database fails
    leave: float = 0.01  # of its turns: the process is asked to end
    until: float = 4 * 3600.0


@dataclass
class World:
    """The queue of what happens next, by true time in seconds."""

    seed: int
    weather: Weather = Weather()
    trace: list[str] | None = None  # what happened, if anybody wants to read it
    now: float = 0.0
    skew: float = 0.0  # of the clocks on the wall
    random: Random = field(init=False)
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.now + self.skew)

    def chance(self, share: float) -> bool:
        """Whether something goes wrong now; after a while nothing does any more."""
        return self.now < self.weather.until and self.random.random() < share

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._count), action))

    def run(self, most: int) -> bool:
        """Until nothing is left to happen; False if that is not within so many events."""
        for _ in range(most):
            if not self._queue:
                return True
            at, _, action = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            action()
        return False

    def note(self, who: str, what: str) -> None:
        if self.trace is not None:
            wall = self.wall().strftime("%d %H:%M:%S")
            self.trace.append(f"{self.now:10.2f}  {wall}  {who:<9} {what}")


@dataclass
class Host:
    """A machine. While it is suspended none of its processes runs, and its steady clock stands still."""

    world: World
    name: str
    asleep_until: float = 0.0
    slept: float = 0.0

    def steady(self) -> float:
        return self.world.now - self.slept

    def suspend(self, seconds: float) -> None:
        if self.asleep_until <= self.world.now:
            self.asleep_until = self.world.now + seconds
            self.slept += seconds


class Process:
    """Runs `main(process)` until it returns or is killed; then `ended(process)` is called."""

    def __init__(
        self,
        host: Host,
        number: int,
        main: Callable[["Process"], None],
        ended: Callable[["Process"], None],
    ):
        self.host, self.world = host, host.world
        self.name = f"{host.name}/{number}"
        self.alive = True
        self._main, self._ended = main, ended
        self._greenlet = greenlet(self._run)
        self.world.later(0.0, self._go_on)

    def seam(self, what: str) -> None:
        """A place at which anything may happen to it, and a little time passes."""
        if not self.alive:
            raise Killed
        world = self.world
        if world.trace is not None:
            world.note(self.name, what)
        draw = world.random.random
        if world.now < world.weather.until:
            self._suffer(draw())
        self.wait(draw() * 0.3)

    def wait(self, seconds: float) -> None:
        """Let others run for so long."""
        if not self.alive:
            raise Killed
        self.world.later(seconds, self._go_on)
        self._switch()
        if not self.alive:  # its host was lost meanwhile
            raise Killed

    def _suffer(self, dice: float) -> None:
        """What befalls it, by a number in [0, 1)."""
        world, weather = self.world, self.world.weather
        if (dice := dice - weather.kill) < 0:
            world.note(self.name, "IS KILLED")
            self.alive = False
            raise Killed
        if (dice := dice - weather.stop) < 0:
            seconds = _long(world)
            world.note(self.name, f"IS STOPPED for {seconds:.0f} s")
            self.wait(seconds)
        elif (dice := dice - weather.suspend) < 0:
            seconds = _long(world)
            world.note(self.host.name, f"IS SUSPENDED for {seconds:.0f} s")
            self.host.suspend(seconds)
        elif dice < weather.step:
            step = _long(world) * world.random.choice((-1, 1))
            world.note("the clock", f"IS SET by {step:+.0f} s")
            world.skew += step

    def _switch(self) -> None:
        parent = self._greenlet.parent
        assert parent is not None
        parent.switch()

    def _go_on(self) -> None:
        late = self.host.asleep_until - self.world.now
        if late > 0:
            self.world.later(late, self._go_on)
            return
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()
        if self._greenlet.dead:
            self._ended(self)

    def _run(self) -> None:
        try:
            self._main(self)
        except Killed:
            pass
        finally:
            self.alive = False


def _long(world: World) -> float:
    """Seconds to hours, each length as probable as ten times it."""
    return float(10 ** world.random.uniform(0.5, 4.1))
