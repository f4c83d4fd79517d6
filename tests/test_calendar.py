"""Slot arithmetic against a reference that knows nothing of it: what clocks show, minute by minute."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.posting.calendar import (
    EPOCH,
    WEEKDAYS,
    coming,
    due_slot,
    free_from,
    next_slots,
    quiet_until,
    slots_between,
)

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TIMES = tuple(
    time(hour, minute)
    for hour, minute in [(0, 0), (0, 1), (0, 30), (1, 0), (1, 30), (2, 0), (2, 15), (2, 30), (3, 0), (23, 59)]
)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
RULES = tuple(time.fromisoformat(at) for at in ("00:00", "00:30", "01:30", "02:30", "03:00", "23:59"))
DECADES = (2011, 2026)  # the first has a missing day, zones that moved and summer times given up
NAIVE = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Plan:
    """A schedule as the configuration gives it."""

    at: tuple[time, ...] = ()
    days: tuple[str, ...] = WEEKDAYS
    zone: str = "UTC"
    every: timedelta | None = None
    missed: timedelta | str = "one"
    until: date | None = None
    jitter: timedelta | None = None
    quiet: tuple[time, time] | None = None
    distance: timedelta | None = None
    recycle: timedelta | None = None


def transitions(zone: ZoneInfo) -> list[datetime]:
    """The half days of 2026 in which the zone's offset changes, by their beginnings."""
    halves = [NEW_YEAR + n * 12 * HOUR for n in range(2 * 365)]
    offsets = [half.astimezone(zone).utcoffset() for half in halves]
    return [half for half, one, other in zip(halves, offsets, offsets[1:], strict=False) if one != other]


def scanned(zone: ZoneInfo, start: datetime, end: datetime) -> dict[tuple[date, time], datetime]:
    """When each time of TIMES is first reached between two instants, by looking at the clock every minute."""
    minutes = [start + n * MINUTE for n in range((end - start) // MINUTE + 1)]
    furthest = list(accumulate((minute.astimezone(zone).replace(tzinfo=None) for minute in minutes), max))
    days = (furthest[0].date() + n * DAY for n in range((furthest[-1] - furthest[0]).days + 2))
    walls = (datetime.combine(day, at) for day in days for at in TIMES)
    reached = {wall: bisect_left(furthest, wall) for wall in walls}
    return {(wall.date(), wall.time()): minutes[n] for wall, n in reached.items() if 0 < n < len(minutes)}


def test_every_zone_around_its_transitions():
    """In all zones, near each change of 2026, each slot begins when the clock first shows it, once."""
    slots = 0
    for name in ZONES:
        for change in transitions(ZoneInfo(name)) or [NEW_YEAR]:
            start, end = change - 14 * HOUR, change + 38 * HOUR
            expected = scanned(ZoneInfo(name), start, end)
            found = list(slots_between("bot", Plan(at=TIMES, zone=name), start, end))
            assert {(slot.local_date, slot.local_time): slot.at for slot in found} == expected, name
            assert len(found) == len(expected), name
            slots += len(found)
    assert slots > 15_000


class Steps:
    """A zone's clock over ten years as the steps of its offset, found by going through UTC; all in seconds.

    It knows nothing of gaps and folds: a time is reached in the first step whose clock goes beyond it.
    """

    def __init__(self, zone: ZoneInfo, year: int):
        def offset(second: int) -> int:
            return int((EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset().total_seconds())

        first, last = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 10))
        days = range(first - 3 * 86_400, last + 4 * 86_400, 86_400)
        offsets = [offset(day) for day in days]
        self.begins, self.offsets = [days[0]], [offsets[0]]
        for day, before, after in zip(days, offsets, offsets[1:], strict=False):
            if before != after:
                self.begins.append(
                    day + bisect_left(range(86_400), True, key=lambda s: offset(day + s) == after)
                )
                self.offsets.append(after)
        ends = [begin + before for begin, before in zip(self.begins[1:], self.offsets, strict=False)]
        self.furthest = list(
            accumulate([*ends, last * 2], max)
        )  # what the clock has shown by each step's end
        self.first, self.last = first, last

    def reached(self, wall: datetime) -> datetime:
        shown = int((wall - NAIVE).total_seconds())
        step = bisect_right(self.furthest, shown)
        return EPOCH + timedelta(seconds=max(self.begins[step], shown - self.offsets[step]))


def differences(zone: str, steps: Steps, start: int, end: int) -> tuple[int, int]:
    """How many slots of RULES there are with start < at <= end, and how many are skipped, double or wrong."""
    after, until = (EPOCH + timedelta(seconds=second) for second in (start, end))
    first, last = (NAIVE + timedelta(seconds=second) for second in (start - 2 * 86_400, end + 2 * 86_400))
    dates = (first.date() + n * DAY for n in range((last - first).days + 1))
    expected = {(day, at): steps.reached(datetime.combine(day, at)) for day in dates for at in RULES}
    expected = {key: at for key, at in expected.items() if after < at <= until}
    slots = list(slots_between("bot", Plan(at=RULES, zone=zone), after, until))
    found = {(slot.local_date, slot.local_time): slot.at for slot in slots}
    wrong = len(slots) - len(found) + len(expected.items() ^ found.items())
    return len(expected), wrong


def test_ten_years_of_every_zone_around_their_transitions():
    """Each of six times on the days about each change comes once, when the clock first reaches it."""
    counted = wrong = 0
    for name in ZONES:
        steps = Steps(ZoneInfo(name), 2026)
        for change in steps.begins[1:]:
            more, differ = differences(name, steps, change - 86_400, change + 86_400)
            counted, wrong = counted + more, wrong + differ
    assert wrong == 0
    assert counted > 20_000


@pytest.mark.proof
@pytest.mark.parametrize("year", DECADES)
def test_ten_years_of_every_zone_in_full(year, capsys):
    """None of some thirteen million slots is skipped, doubled or at another instant."""
    counted = wrong = 0
    for name in ZONES:
        steps = Steps(ZoneInfo(name), year)
        more, differ = differences(name, steps, steps.first, steps.last)
        counted, wrong = counted + more, wrong + differ
    with capsys.disabled():
        years = f"{year} to {year + 9}"
        print(f"\n{len(ZONES)} zones, {years}: {counted:,} slots, {wrong} skipped, double or wrong")
    assert wrong == 0
    assert counted > 3_650 * len(RULES) * len(ZONES)


@pytest.mark.parametrize("moved", [-3600, 1800])
def test_the_reference_would_find_a_wrong_slot(moved):
    """A clock whose step lies elsewhere differs from ours: the comparison can fail."""
    steps = Steps(ZoneInfo("Europe/Berlin"), 2026)
    change = steps.begins[1]
    assert differences("Europe/Berlin", steps, change - 86_400, change + 86_400) == (14, 0)
    steps.begins[1] += moved
    assert differences("Europe/Berlin", steps, change - 86_400, change + 86_400)[1] > 0


@pytest.mark.parametrize(
    ("zone", "day", "at", "begins"),
    [
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00"),  # a gap: its end
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),  # shown twice: the first time
        ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00"),  # no midnight on this day
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30"),  # half an hour is missing
        ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T10:00"),  # a whole day is missing
        ("America/St_Johns", "2010-11-07", "00:00", "2010-11-07T02:30"),  # back over midnight at 00:01
    ],
)
def test_known_oddities(zone, day, at, begins):
    """Gaps, repeats, a missing midnight and a missing day give the instant that the rule says."""
    instant = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    plan = Plan(at=(time.fromisoformat(at),), zone=zone)

    [slot] = [
        s for s in slots_between("bot", plan, instant - 2 * DAY, instant + DAY) if str(s.local_date) == day
    ]

    assert slot.at == instant


def test_weekdays_are_those_of_the_zone():
    """A Monday in Auckland is a Monday there, also while UTC still has Sunday."""
    plan = Plan(at=(time(9),), days=("mon",), zone="Pacific/Auckland")

    slots = next_slots("bot", plan, NEW_YEAR, 3)

    assert [str(slot.local_date) for slot in slots] == ["2026-01-05", "2026-01-12", "2026-01-19"]
    assert {slot.at.strftime("%a") for slot in slots} == {"Sun"}


def test_interval_slots_are_instants():
    """Interval slots are keyed by their instant in UTC and do not depend on when one asks."""
    plan = Plan(every=timedelta(hours=6))

    slots = next_slots("bot", plan, NEW_YEAR + 7 * HOUR, 2)

    assert [(slot.local_date, slot.local_time, slot.zone) for slot in slots] == [
        (date(2026, 1, 1), time(12), "UTC"),
        (date(2026, 1, 1), time(18), "UTC"),
    ]
    assert slots == next_slots("bot", plan, NEW_YEAR + 11 * HOUR, 2)
    assert due_slot("bot", plan, NEW_YEAR, NEW_YEAR + 19 * HOUR) == slots[1]


def test_a_long_absence_is_cheap():
    """After 200 years the newest slot is found by looking back from now, not by counting up to it."""
    for plan in (
        Plan(at=(time(9),), days=("tue",), zone="Europe/Berlin"),
        Plan(every=timedelta(seconds=4)),
        Plan(every=timedelta(seconds=4), missed=DAY),
    ):
        now = NEW_YEAR.replace(year=2226)
        slot = due_slot("bot", plan, NEW_YEAR, now)
        assert slot is not None
        assert now - 7 * DAY < slot.at <= now


def test_of_missed_slots_none_or_all_of_some_hours_are_made_up():
    """skip: only what is hardly late; within: all that are not too old, from the oldest on, one at a time."""
    four = tuple(time(hour) for hour in (6, 9, 12, 15))
    now = NEW_YEAR + 15 * HOUR
    made_up = {
        missed: list(taken(Plan(at=four, missed=missed), NEW_YEAR - DAY, now + late))
        for missed, late in [("one", HOUR), ("skip", MINUTE), (6 * HOUR, HOUR), (7 * HOUR, 0 * HOUR)]
    }

    assert {missed: [at.hour for at in times] for missed, times in made_up.items()} == {
        "one": [15],
        "skip": [15],
        6 * HOUR: [12, 15],  # at four o'clock
        7 * HOUR: [9, 12, 15],  # at three
    }
    assert not list(taken(Plan(at=four, missed="skip"), NEW_YEAR, now + 5 * MINUTE))
    assert not list(taken(Plan(at=four, missed=7 * HOUR), now, now + HOUR))


@pytest.mark.parametrize(
    ("plan", "last"),
    [
        (Plan(at=(time(9), time(23, 59)), zone="Pacific/Auckland"), "2026-01-03T10:59"),
        (Plan(every=6 * HOUR), "2026-01-03T18:00"),
    ],
)
def test_a_schedule_ends_with_its_last_day(plan, last):
    """By the zone's calendar; a slot of it that was missed is made up, and nothing comes after."""
    plan, last = replace(plan, until=date(2026, 1, 3)), datetime.fromisoformat(last).replace(tzinfo=UTC)

    assert next_slots("bot", plan, NEW_YEAR, 99)[-1].at == last
    assert due_slot("bot", plan, NEW_YEAR, last + 100 * 365 * DAY).at == last
    assert due_slot("bot", plan, last, last + DAY) is None
    assert due_slot("bot", plan, NEW_YEAR, last - MINUTE).at < last


def taken(plan, after, now):
    """The slots that are taken when a run begins, turn by turn."""
    while slot := due_slot("bot", plan, after, now):
        after = slot.at
        yield after


def test_nothing_is_due_between_two_slots():
    """A slot that was used is not due again, and the next one not before its time."""
    plan = Plan(at=(time(9),), zone="Europe/Berlin")
    used, following = next_slots("bot", plan, NEW_YEAR, 2)

    assert due_slot("bot", plan, used.at, following.at - MINUTE) is None
    assert due_slot("bot", plan, used.at, following.at) == following


minutes = st.times().map(lambda t: t.replace(second=0, microsecond=0))
jitters = st.none() | st.timedeltas(timedelta(seconds=4), timedelta(hours=20))
plans = st.one_of(
    st.builds(
        Plan,
        jitter=jitters,
        at=st.lists(minutes, min_size=1, max_size=4).map(tuple),
        days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True).map(tuple),
        zone=st.sampled_from(ZONES),
    ),
    st.builds(Plan, jitter=jitters, every=st.timedeltas(timedelta(minutes=7), timedelta(days=3))),
)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(plans, instants, st.timedeltas(timedelta(0), timedelta(days=20)), st.floats(0, 1))
def test_slots_of_two_stretches_are_those_of_the_whole(plan, start, length, share):
    """Cutting a stretch of time in two loses no slot and doubles none; the newest of them is the due one."""
    end, cut = start + length, start + length * share

    whole = list(slots_between("bot", plan, start, end))

    assert [*slots_between("bot", plan, start, cut), *slots_between("bot", plan, cut, end)] == whole
    assert len({(slot.local_date, slot.local_time) for slot in whole}) == len(whole)
    assert [slot.at for slot in whole] == sorted(slot.at for slot in whole)
    assert due_slot("bot", plan, start, end) == (whole[-1] if whole else None)


@given(plans.filter(lambda plan: plan.jitter), instants)
def test_jitter_moves_each_slot_later_but_never_into_the_next_ones_time(plan, start):
    """By less than it says, each slot the same way whenever it is asked for; no slot is lost."""
    plain = replace(plan, jitter=None)
    slots = next_slots("bot", plan, start, 20)
    own = {(slot.local_date, slot.local_time): slot.at for slot in next_slots("bot", plain, start - DAY, 999)}
    begins = [own[slot.local_date, slot.local_time] for slot in slots if slot.local_date in _days(own)]

    for slot, begin, following in zip(slots, begins, begins[1:], strict=False):
        assert begin <= slot.at < begin + plan.jitter
        assert slot.at <= following
    again = next_slots("bot", plan, start + HOUR, 20)
    assert [slot for slot in slots if slot.at > start + HOUR] == again[
        : sum(s.at > start + HOUR for s in slots)
    ]


def _days(own):
    return {day for day, _ in own}


def test_jitter_reaches_all_of_its_time():
    """A month of slots lies in every quarter of it, and two bots are moved in different ways."""
    plan = Plan(at=(time(9),), jitter=HOUR)
    slots = {bot: next_slots(bot, plan, NEW_YEAR, 31) for bot in ("ash", "bone")}

    quarters = {slot.at.minute // 15 for slot in slots["ash"]}
    assert quarters == {0, 1, 2, 3}
    assert [slot.at for slot in slots["ash"]] != [slot.at for slot in slots["bone"]]


@given(st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]), st.sampled_from(ZONES), instants)
def test_quiet_hours_end_when_the_clock_shows_their_end(quiet, zone, moment):
    """Inside them the end lies ahead, at most a day (and a change of the clocks) away, and is outside."""
    plan = Plan(at=(time(9),), zone=zone, quiet=quiet)
    until = quiet_until(plan, moment)

    shown = moment.astimezone(ZoneInfo(zone)).time()
    begin, end = quiet
    inside = begin <= shown < end if begin < end else shown >= begin or shown < end
    changes = {(moment + n * HOUR).astimezone(ZoneInfo(zone)).utcoffset() for n in range(-26, 27)}
    if len(changes) == 1:  # else the clock's face alone does not tell
        assert (until is not None) == inside
    if until is not None:
        assert moment < until <= moment + DAY + 2 * HOUR
        assert quiet_until(plan, until) is None


def test_an_interval_has_no_slots_in_quiet_hours():
    """By the zone's clock, in winter and in summer; jitter moves none into them."""
    for start in (NEW_YEAR, NEW_YEAR.replace(month=7)):
        plan = Plan(every=HOUR, zone="Europe/Berlin", quiet=(time(22), time(7)), jitter=HOUR)
        hours = [slot.at.astimezone(ZoneInfo(plan.zone)).hour for slot in next_slots("bot", plan, start, 300)]

        assert set(hours) == set(range(7, 22))


def test_a_slot_that_came_in_quiet_hours_is_taken_at_their_end():
    """What was missed in the evening is made up in the morning."""
    plan = Plan(at=(time(21),), quiet=(time(22), time(7)))
    missed = NEW_YEAR + 21 * HOUR

    foreseen = coming("bot", plan, NEW_YEAR, None, missed + 2 * HOUR)

    assert [(slot.at, at) for slot, at in islice(foreseen, 2)] == [
        (missed, NEW_YEAR + 31 * HOUR),
        (missed + DAY, missed + DAY),
    ]


whole_minutes = st.integers(0, 3 * 24 * 60).map(lambda n: n * MINUTE)


@settings(max_examples=50)
@given(
    plans.filter(lambda plan: plan.at or plan.every % MINUTE == timedelta()),
    instants.map(lambda now: now.replace(second=0, microsecond=0)),
    whole_minutes,
    st.sampled_from(["one", "skip", 6 * HOUR, 3 * DAY]),
    whole_minutes,
)
def test_what_is_foreseen_is_what_a_turn_a_minute_takes(plan, now, distance, missed, absence):
    """Missed slots and the distance between posts included: the same slots at the same moments."""
    plan = replace(plan, distance=distance, missed=missed, jitter=None)
    last = post = now - absence

    foreseen = list(takewhile(lambda pair: pair[1] <= now + 6 * HOUR, coming("bot", plan, last, post, now)))

    taken = []
    for moment in (now + n * MINUTE for n in range(6 * 60 + 1)):
        while (slot := due_slot("bot", plan, last, moment)) and free_from(plan, post, moment) <= moment:
            taken.append((slot, moment))
            last, post = slot.at, moment
    assert taken == foreseen
