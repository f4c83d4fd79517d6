"""One look at everything: the pulse, the database, the disk. It waits for no database that hangs."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.errors import BotError
from bot.health.patience import NoAnswer, Patience
from bot.health.posting import Posting, posting
from bot.health.process import lives, process
from bot.house import House
from bot.posting.course import Courses
from bot.pulse import Pulse, read_pulse
from bot.records import Check, Secret

FRESH = 5.0  # seconds; who asks more often gets the same answer
PATIENCE = 12.0  # seconds; a SQLite file that is locked says so after ten
REMEMBERED = 50_000  # of the newest steps of deliveries: as far back as anybody looks
AT_ONCE = 10_000  # steps read in one transaction
NEW = timedelta(minutes=10)  # a bot that has just been started may still fill its queue
SELDOM, SHORT = 3600.0, 2.0  # seconds between two readings of the whole database, and to wait for one
LEAST = 100 * 2**20  # bytes free on the disk


@dataclass(frozen=True)
class Health:
    """All checks at a moment, and what they rest on; of a database that cannot be asked, the last it said."""

    at: datetime
    checks: tuple[Check, ...]
    pulse: Pulse | None
    state: Posting
    courses: Courses

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def readable(self) -> bool:
        """Whether the database can be asked."""
        return any(check.name == "database" and check.ok for check in self.checks)


class Examiner:
    """Examines one configuration's bots; it may be kept, and be asked by any thread.

    steady: seconds by a clock that nobody sets. usage: how a folder's disk is used.
    """

    def __init__(
        self,
        house: House,
        steady: Callable[[], float] = time.monotonic,
        usage: Callable[[Path], Any] = shutil.disk_usage,
        patience: float = PATIENCE,
    ):
        self._house, self._steady, self._usage = house, steady, usage
        self._patience, self._reading = Patience(patience), Patience(SHORT)
        self._read_at: float | None = None
        self._sound: Check | None = None
        self._alone = threading.Lock()
        self._health: Health | None = None
        self._made_at = 0.0
        self._failing: dict[str, datetime] = {}  # check -> when it was first seen to fail
        self._courses: Courses | None = None

    def examine(self) -> Health:
        """How all stands now, or FRESH seconds ago at most."""
        with self._alone:
            if self._health is None or self._steady() - self._made_at >= FRESH:
                self._health = self._examined()
                self._made_at = self._steady()
            return self._health

    def _examined(self) -> Health:
        now, pulse, state = self._house.clock(), None, Posting()
        checks: list[Check] = []
        try:
            pulse = read_pulse(self._house.config.run_folder)
            checks += process(pulse, now)
        except BotError as error:
            checks.append(Check("run", False, str(error)))
        try:
            state, found = self._patience.ask(lambda: self._ask_database(pulse, now))
            checks += [*found, *self._soundness()]
        except BotError as error:
            checks.append(Check("database", False, Secret.redact(str(error))))
        checks += self._disk()
        courses = deepcopy(self._courses or Courses())
        return Health(now, tuple(map(self._remembered, checks)), pulse, state, courses)

    def _ask_database(self, pulse: Pulse | None, now: datetime) -> tuple[Posting, list[Check]]:
        house = self._house
        house.overview.probe()
        courses = self._catch_up()
        overview = house.overview
        state = Posting(overview.unfinished(), overview.stock(), overview.spent())
        up = lives(pulse, now) and pulse is not None and now - pulse.started_at > NEW
        well = Check("database", True, f"{house.database.name} can be read and written")
        return state, [well, *posting(house, state, courses, up)]

    def _soundness(self) -> Iterator[Check]:
        """Reading all of a large file takes a while: so now and then, and without waiting for the end."""
        if self._read_at is None or self._steady() - self._read_at >= SELDOM:
            self._read_at = self._steady()
            with suppress(NoAnswer):
                self._reading.ask(self._read_all)
        if self._sound is not None:
            yield self._sound

    def _read_all(self) -> None:
        try:
            self._house.database.check()
            self._sound = Check("integrity", True, "all of the database was read and is sound")
        except BotError as error:
            self._sound = Check("integrity", False, Secret.redact(str(error)))

    def _catch_up(self) -> Courses:
        overview = self._house.overview
        courses = self._courses or Courses(max(0, overview.newest() - REMEMBERED))
        while changes := overview.changes(courses.newest, AT_ONCE):
            courses.add(changes)
        self._courses = courses
        return courses

    def _disk(self) -> Iterator[Check]:
        folder = self._house.config.run_folder.parent
        try:
            free = self._usage(folder).free
        except OSError as error:
            yield Check("disk", False, f"{folder}: {error.strerror}: is the disk mounted?")
            return
        text = f"{free / 2**20:,.0f} MiB are free at {folder}"
        remedy = "" if free >= LEAST else ": make room, for a full disk stops all posting"
        yield Check("disk", free >= LEAST, text + remedy)

    def _remembered(self, check: Check) -> Check:
        """A failing check says since when; where nobody has written that down, since it was first seen."""
        if check.ok:
            self._failing.pop(check.name, None)
            return check
        since = self._failing.setdefault(check.name, self._house.clock())
        return replace(check, since=min(since, check.since or since))
