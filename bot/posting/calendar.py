"""Slot arithmetic: which moments a schedule means. Pure: it knows no clock, no database and no post.

A time of day that a zone's clocks leap over means the first instant after the gap, one that they show twice
means its first occurrence. Both follow from one rule: a slot begins when the local clock first reaches it.
All instants are aware datetimes in UTC; all slots come in the order of their instants.
"""

import bisect
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from bot.records import Slot

DAY = timedelta(days=1)
LATE = timedelta(minutes=5)  # what waited no longer was not missed: a slow target may hold others up
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # intervals are counted from here, so a restart does not shift them
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Schedule(Protocol):
    """Times of day on some weekdays of a zone, or an interval; then `at` is empty.

    until: the last day with slots, by their local dates. missed: of the slots that came while nothing ran the
    newest is made up, or none, or all not older.
    """

    @property
    def at(self) -> Sequence[time]: ...

    @property
    def days(self) -> Sequence[str]: ...

    @property
    def zone(self) -> str: ...

    @property
    def every(self) -> timedelta | None: ...

    @property
    def until(self) -> date | None: ...

    @property
    def missed(self) -> timedelta | Literal["one", "skip"]: ...


def slots_after(bot: str, schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """Every slot later than `after`, without end unless the schedule has one."""
    if schedule.every:
        slots = _intervals(bot, schedule.every, after, +1)
    else:
        slots = _days(bot, schedule, after.astimezone(ZoneInfo(schedule.zone)).date(), +1)
    last = schedule.until or date.max
    return takewhile(lambda slot: slot.local_date <= last, (slot for slot in slots if slot.at > after))


def slots_between(bot: str, schedule: Schedule, after: datetime, until: datetime) -> Iterator[Slot]:
    """The slots with after < at <= until."""
    return takewhile(lambda slot: slot.at <= until, slots_after(bot, schedule, after))


def next_slots(bot: str, schedule: Schedule, now: datetime, count: int) -> list[Slot]:
    """The next `count` slots."""
    return list(islice(slots_after(bot, schedule, now), count))


def due_slot(bot: str, schedule: Schedule, after: datetime, now: datetime) -> Slot | None:
    """The slot to take now of those with after < at <= now, None if there is none: by `schedule.missed`.

    The newest of them, where one is made up; also where none is, unless it has been missed itself; the oldest
    that is not too old, where all of some hours are: the next one's turn comes when that is taken.
    """
    if isinstance(schedule.missed, timedelta):
        oldest = slots_between(bot, schedule, max(after, now - schedule.missed), now)
        return next(oldest, None)
    newest = _newest(bot, schedule, now)
    since = max(after, now - LATE) if schedule.missed == "skip" else after
    return newest if newest.at > since else None


def _newest(bot: str, schedule: Schedule, now: datetime) -> Slot:
    """The newest slot with at <= now.

    It looks backwards from `now`, so that a long absence costs no more than a short one.
    """
    last = schedule.until or date.max
    if schedule.every:
        end = datetime.combine(last, time.max, UTC)
        slots = _intervals(bot, schedule.every, min(now, end), -1)
    else:
        today = now.astimezone(ZoneInfo(schedule.zone)).date()  # a clock set back has been in tomorrow
        slots = _days(bot, schedule, min(today + DAY, last), -1)
    return next(slot for slot in slots if slot.at <= now)


def is_leapt_over(slot: Slot) -> bool:
    """Whether the zone's clock never shows the slot's time on its day."""
    shown = slot.at.astimezone(ZoneInfo(slot.zone)).replace(tzinfo=None)
    return shown != datetime.combine(slot.local_date, slot.local_time)


def _intervals(bot: str, every: timedelta, start: datetime, direction: int) -> Iterator[Slot]:
    """Slots from the last one at or before `start` on, forwards or backwards."""
    count = (start - EPOCH) // every
    while True:
        at = EPOCH + count * every
        yield Slot(bot, at.date(), at.time(), "UTC", at)
        count += direction


def _days(bot: str, schedule: Schedule, day: date, direction: int) -> Iterator[Slot]:
    """The slots of `day` and of all days after it, or before it."""
    zone = ZoneInfo(schedule.zone)
    times = sorted(set(schedule.at), reverse=direction < 0)
    while True:
        if WEEKDAYS[day.weekday()] in schedule.days:
            for local_time in times:
                at = _first_reached(datetime.combine(day, local_time), zone)
                yield Slot(bot, day, local_time, schedule.zone, at)
        day += direction * DAY


def _first_reached(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the zone's clock shows `wall` (naive) or later."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:  # shown once, or twice
        return first
    after = first.astimezone(
        zone
    ).utcoffset()  # never shown: from `second` to `first` the clock leaps to this
    leap = bisect.bisect_left(
        range(int((first - second).total_seconds())),
        True,
        key=lambda s: (second + timedelta(seconds=s)).astimezone(zone).utcoffset() == after,
    )
    return second + timedelta(seconds=leap)
