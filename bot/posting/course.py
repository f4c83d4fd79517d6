"""How each target has fared, from the steps of its deliveries: what works, what fails, since when. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.records import DeliveryState

OWN_FAULT = "gate."  # the text was refused, and not by the target
UNTRIED = "its process ended before anything was sent"
BOUNDS = (1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)  # seconds after the slot


class Change(Protocol):
    """A step of a delivery, as the store tells it."""

    @property
    def id(self) -> int: ...
    @property
    def bot(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def old(self) -> DeliveryState | None: ...
    @property
    def new(self) -> DeliveryState: ...
    @property
    def reason(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def slot_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Course:
    """One target's: its last success, and the failures in a row since then with the last one's reason."""

    sent_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    reason: str = ""

    def after(self, change: Change) -> "Course":
        if change.new == "sent":
            return Course(sent_at=change.at)
        if change.old == "uncertain" and change.new in ("refused", "cancelled"):
            return Course(sent_at=self.sent_at)  # a person, or the target itself, has said what became of it
        if not is_failure(change):
            return self
        since = self.failing_since or change.at
        return replace(self, failures=self.failures + 1, failing_since=since, reason=change.reason)


class Courses:
    """All targets' courses, and what metrics count; `newest` is the number of the last step in them."""

    def __init__(self, newest: int = 0):
        self.newest = newest
        self.of: dict[tuple[str, str], Course] = {}  # bot, target
        self.steps: Counter[tuple[str, str, DeliveryState]] = Counter()
        self.failures: Counter[tuple[str, str]] = Counter()
        self.late: Counter[tuple[str, float]] = Counter()  # bot, bound: posts as late as that at most
        self.seconds: defaultdict[str, float] = defaultdict(
            float
        )  # bot -> the lateness of all posts together

    def add(self, changes: Iterable[Change]) -> None:
        """In the order of their numbers."""
        for change in changes:
            where = change.bot, change.target
            self.of[where] = self.of.get(where, Course()).after(change)
            self.steps[*where, change.new] += 1
            self.failures[where] += is_failure(change)
            self._time(change)
            self.newest = change.id

    def _time(self, change: Change) -> None:
        if change.new == "sent" and change.slot_at is not None:
            seconds = max(0.0, (change.at - change.slot_at).total_seconds())
            bound = next((bound for bound in BOUNDS if seconds <= bound), float("inf"))
            self.late[change.bot, bound] += 1
            self.seconds[change.bot] += seconds


def is_failure(change: Change) -> bool:
    """Whether a step tells of a target that did not take a post, or could not be asked."""
    if change.old == "uncertain":
        return change.new == "uncertain"
    tried = change.old in ("claimed", "sending") and change.new in ("planned", "refused", "uncertain")
    return tried and not change.reason.startswith(OWN_FAULT) and change.reason != UNTRIED
