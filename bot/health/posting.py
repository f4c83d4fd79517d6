"""What the database tells: what is late, how each target fares, whether a bot's queue lasts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.house import House
from bot.posting.calendar import due_slot, free_from, next_slots
from bot.posting.course import Course, Courses
from bot.records import Check, Halt, Hold
from bot.store.holding import told
from bot.store.overview import Unfinished

LATE = timedelta(seconds=60)  # less is the work of many bots at one moment
WARNED = timedelta(days=1)  # before the first slot that would pass
Served = tuple[datetime, int | None]  # when a slot came, and the draft it got
FAR = 1000  # slots that are looked at


@dataclass
class Posting:
    """The state of all deliveries at one moment. stock: approved drafts by bot. spent: USD by account."""

    unfinished: Sequence[Unfinished] = ()
    stock: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)


def posting(house: House, state: Posting, courses: Courses, up: bool) -> Iterator[Check]:
    """up: whether a `bot run` has been at work for a while, so that what is missing is not on its way."""
    now = house.clock()
    holds, halts = house.deliveries.holds(), house.switches.in_force()
    held = {(hold.bot, hold.account) for hold in holds}
    stopped = {halt.name for halt in halts if halt.scope != "account"}  # "": all
    free = {bot for bot in house.config.bots if not stopped & {"", bot} and _is_free(house, bot, now - LATE)}
    yield from _held(holds, halts)
    awaited = [it for it in state.unfinished if it.bot in free and (it.bot, it.account) not in held]
    yield _lateness(awaited, now)
    for bot in house.config.bots:
        last = house.overview.newest_slot(bot)
        yield from _slots(house, bot, last, now, bot in free)
        yield from _queue(house, bot, last, state.stock.get(bot, 0), now, up)
        for label in house.labels(bot):
            course = courses.of.get((bot, label), Course())
            yield _target(bot, label, course, _doubts(state.unfinished, bot, label))


def _held(holds: Sequence[Hold], halts: Sequence[Halt]) -> Iterator[Check]:
    """What a person has stopped is as it shall be; what limits and resting accounts hold back is not."""
    wanted = {told(halt): halt.at for halt in halts if halt.scope != "account"}
    text = ", ".join(f"{reason} (since {_when(at)})" for reason, at in wanted.items())
    yield Check("stop switch", True, f"{text}; lift it with: bot resume" if text else "nothing is stopped")
    resting = [halt for halt in halts if halt.scope == "account" and halt.until is None]
    text = f"{'; '.join(map(told, resting))}: mend it, then: bot resume" if resting else "none rests"
    yield Check("accounts", not resting, text, min((halt.at for halt in resting), default=None))
    for hold in holds:
        if hold.reason not in set(map(told, halts)):
            until = f"until {_when(hold.until)}" if hold.until else "raise the limit"
            text = f"due but held back: {hold.waiting}, for {hold.reason}; {until}"
            yield Check(f"limits {hold.bot}", False, text)


def _is_free(house: House, bot: str, moment: datetime) -> bool:
    """Whether neither quiet hours nor a distance between posts hold the bot back."""
    schedule = house.bot(bot).schedule
    if schedule is None:
        return True
    last_post = house.deliveries.last_post(bot) if schedule.distance else None
    return free_from(schedule, last_post, moment) <= moment


def _lateness(unfinished: Sequence[Unfinished], now: datetime) -> Check:
    late = [it for it in unfinished if it.state != "uncertain" and it.oldest and it.oldest < now - LATE]
    if not late:
        return Check("deliveries", True, "none is late")
    oldest = min(it.oldest for it in late if it.oldest)
    where = ", ".join(sorted({f"{it.bot} on {it.target}" for it in late}))
    text = f"late: {where}: see that `bot run` is at work and what it says"
    return Check("deliveries", False, text, oldest)


def _slots(house: House, bot: str, last: Served | None, now: datetime, free: bool) -> Iterator[Check]:
    """A bot that has never had a slot has missed none."""
    schedule = house.bot(bot).schedule
    if schedule is None or last is None:
        return
    missed = due_slot(bot, schedule, last[0], now - LATE)
    if missed and free:
        text = "a slot has come that nobody served: see that `bot run` is at work and what it says"
        yield Check(f"slots {bot}", False, text, missed.at)
    else:
        yield Check(f"slots {bot}", True, f"the last one was served {_when(last[0])}")


def _queue(
    house: House, bot: str, last: Served | None, stock: int, now: datetime, up: bool
) -> Iterator[Check]:
    schedule = house.bot(bot).schedule
    if schedule is None:
        return
    coming = next_slots(bot, schedule, now, min(stock, FAR) + 1)
    passed = last[0] if last and last[1] is None else None
    name, remedy = f"queue {bot}", f"approve drafts: bot review {bot}"
    if not coming or (stock and not (passed and _all_held(house, bot, coming[0].at))):
        dry = f"; the slot of {_when(coming[-1].at)} gets none" if len(coming) > stock else ""
        yield Check(name, True, f"{stock} approved{dry}")
    elif stock:
        yield Check(name, False, f"all {stock} approved are like what goes out this week: {remedy}", passed)
    else:
        soon = up and coming[0].at < now + WARNED
        text = f"nothing is approved, the slot of {_when(coming[0].at)} gets none: {remedy}"
        yield Check(name, not (passed or soon), text, passed)


def _all_held(house: House, bot: str, at: datetime) -> bool:
    return house.deliveries.foreseen(bot, [at]) == [None]


def _doubts(unfinished: Sequence[Unfinished], bot: str, label: str) -> int:
    """How many posts are in doubt that no target can be asked for."""
    return sum(it.waiting for it in unfinished if (it.bot, it.target, it.state) == (bot, label, "uncertain"))


def _target(bot: str, label: str, course: Course, doubts: int) -> Check:
    name = f"target {bot}/{label}"
    sent = f"last post {_when(course.sent_at)}" if course.sent_at else "no post yet"
    if doubts:
        text = f"in doubt, for a person to decide: {doubts}; look there whether they were posted"
        return Check(name, False, f"{text} (bot settle)", course.failing_since)
    if course.failures:
        text = f"{sent}; failures in a row: {course.failures}, the last: {course.reason}"
        return Check(name, False, f"{text} (`bot doctor` asks it)", course.failing_since)
    return Check(name, True, sent)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
