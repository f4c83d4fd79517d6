"""Slot arithmetic: which moments a schedule means. Pure: it knows no clock, no database and no post.

A time of day that a zone's clocks leap over means the first instant after the gap, one that they show twice
means its first occurrence. Both follow from one rule: a slot begins when the local clock first reaches it.
All instants are aware datetimes in UTC; all slots come in the order of their instants.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import islice, pairwise, takewhile
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
    newest is made up, or none, or all not older. jitter: each slot is moved by less than this, always the
    same way, and never past the next one. quiet: hours in `zone`, from and to, in which nothing is posted; an
    interval has no slots in them. distance: at least so long from one post to the next. recycle: after so
    long a favourite goes out again where nothing is approved.
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

    @property
    def jitter(self) -> timedelta | None: ...

    @property
    def quiet(self) -> tuple[time, time] | None: ...

    @property
    def distance(self) -> timedelta | None: ...

    @property
    def recycle(self) -> timedelta | None: ...


def slots_after(bot: str, schedule: Schedule, after: datetime) -> Iterator[Slot]:
    """Every slot later than `after`, without end unless the schedule has one."""
    begins = _begins(bot, schedule, after - (schedule.jitter or timedelta()), +1)
    moved = (_moved(slot, following, schedule) for slot, following in pairwise(begins))
    last = schedule.until or date.max
    return takewhile(lambda slot: slot.local_date <= last, (slot for slot in moved if slot.at > after))


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
    newest, before = islice((slot for slot in _begins(bot, schedule, now, -1) if slot.at <= now), 2)
    following = next(slot for slot in _begins(bot, schedule, newest.at, +1) if slot.at > newest.at)
    moved = _moved(newest, following, schedule)
    return moved if moved.at <= now else _moved(before, newest, schedule)


def quiet_until(schedule: Schedule, moment: datetime) -> datetime | None:
    """When the quiet hours end in which a moment lies; None if it lies in none."""
    if schedule.quiet is None:
        return None
    zone, (begin, end) = ZoneInfo(schedule.zone), schedule.quiet
    today = moment.astimezone(zone).date()
    for day in (today - DAY, today):
        until = _first_reached(datetime.combine(day + DAY * (end <= begin), end), zone)
        if _first_reached(datetime.combine(day, begin), zone) <= moment < until:
            return until
    return None


def free_from(schedule: Schedule, last_post: datetime | None, moment: datetime) -> datetime:
    """The first instant, `moment` or later, at which the bot may post again."""
    if last_post and schedule.distance:
        moment = max(moment, last_post + schedule.distance)
    return quiet_until(schedule, moment) or moment


def coming(
    bot: str, schedule: Schedule, last_slot: datetime, last_post: datetime | None, now: datetime
) -> Iterator[tuple[Slot, datetime]]:
    """Each slot after `last_slot` that will be taken, and when, if each brings a post."""
    while slot := next(slots_after(bot, schedule, last_slot), None):
        now = free_from(schedule, last_post, max(slot.at, now))
        due = due_slot(bot, schedule, last_slot, now)
        if due:
            yield due, now
            last_post = now
        last_slot = due.at if due else now  # all until now are missed


def is_leapt_over(slot: Slot) -> bool:
    """Whether the zone's clock never shows the slot's time on its day."""
    wall = datetime.combine(slot.local_date, slot.local_time)
    instant = wall.replace(tzinfo=ZoneInfo(slot.zone)).astimezone(UTC)
    return instant.astimezone(ZoneInfo(slot.zone)).replace(tzinfo=None) != wall


def _begins(bot: str, schedule: Schedule, start: datetime, direction: int) -> Iterator[Slot]:
    """The slots from about `start` on, forwards or backwards, before they are moved.

    Forwards without an end; backwards from the last day of the schedule, if that has come.
    """
    last = schedule.until if schedule.until and direction < 0 else date.max
    if schedule.every:
        start = min(start, datetime.combine(last, time.max, UTC))
        slots = _intervals(bot, schedule.every, start, direction)
        return (slot for slot in slots if not quiet_until(schedule, slot.at))
    day = start.astimezone(ZoneInfo(schedule.zone)).date()
    # a clock set back has been in tomorrow
    return _days(bot, schedule, min(day + DAY, last) if direction < 0 else day, direction)


def _moved(slot: Slot, following: Slot, schedule: Schedule) -> Slot:
    """The slot at its own instant: never in the next one's time, nor in the quiet hours."""
    if schedule.jitter is None:
        return slot
    room = min(schedule.jitter, following.at - slot.at)
    digest = sha256(f"{slot.bot} {slot.at.isoformat()}".encode()).digest()
    at = slot.at + timedelta(seconds=int(room.total_seconds() * (digest[0] * 256 + digest[1]) / 65536))
    return slot if quiet_until(schedule, at) else replace(slot, at=at)


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
