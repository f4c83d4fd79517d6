"""Posts what is due: slots get their drafts, and the courier its targets, limits and pace."""

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from bot.brakes import Brakes
from bot.config import Config
from bot.errors import BotError
from bot.events import Approved, Delivered, SlotTaken, Tell
from bot.house import House
from bot.interfaces import Target
from bot.posting.calendar import LATE, Schedule, due_slot, free_from, quiet_until, slots_after
from bot.posting.courier import Courier
from bot.posting.outcomes import Outcome
from bot.posting.owner import identify
from bot.posting.sender import Sender
from bot.posting.strikes import Strikes
from bot.records import Delivery, Pace
from bot.review.policies import ACTOR, RECYCLE, recycle

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)
UNDER_WAY = ("planned", "claimed", "sending")


class Posting:
    """One turn: slots that have come are given a draft each, and what is due is delivered."""

    def __init__(self, house: House, courier: Courier, tell: Tell, stop: threading.Event):
        self._house, self._courier, self._tell, self._stop = house, courier, tell, stop
        self._brakes = Brakes(house, tell)
        self._sure = False  # that the database is sound, and the one that was left here
        self._since = house.clock()  # a bot that never had a slot has missed none before this
        self._looked = self._since
        self._next: dict[str, datetime] = {}  # bot -> when it has a slot again: until then nobody is asked

    def __call__(self) -> None:
        if not self._sure:
            make_sure(self._house)
            self._sure = True
        if not self._brakes.look():
            return
        for bot, setting in self._house.config.bots.items():
            if setting.schedule is None or self._stop.is_set() or self._brakes.stops(bot):
                continue
            if self._may_have_come(bot):
                self._take_slot(bot, setting.schedule)
        self._courier.deliver_due(self._stop.is_set)

    def _may_have_come(self, bot: str) -> bool:
        now, before = self._house.clock(), self._looked
        self._looked = now
        if now < before:  # what was foreseen by a clock that was wrong does not count
            self._next.clear()
        return self._next.get(bot, now) <= now

    def _take_slot(self, bot: str, schedule: Schedule) -> None:
        now, deliveries = self._house.clock(), self._house.deliveries
        self._since = min(self._since, now)  # the clock was wrong then
        slot = due_slot(bot, schedule, deliveries.last_slot(bot) or self._since, now)
        if slot is None:
            following = next(slots_after(bot, schedule, now), None)
            self._next[bot] = following.at if following else datetime.max.replace(tzinfo=UTC)
            return
        if free_from(schedule, deliveries.last_post(bot), now) > now:
            return
        self._recycle(bot, schedule, now)
        draft = deliveries.take_slot(slot, slot.at if now - slot.at < LATE else now)
        held = 0 if draft else self._house.drafts.count("approved", bot)
        self._tell(SlotTaken(slot, draft, held))

    def _recycle(self, bot: str, schedule: Schedule, now: datetime) -> None:
        if schedule.recycle is None or self._house.drafts.count("approved", bot):
            return
        desk = self._house.desk(ACTOR)
        if again := recycle(bot, now - schedule.recycle, self._house.drafts, desk):
            self._tell(Approved(bot, RECYCLE, [again]))


def open_sender(house: House) -> Sender:
    return Sender(Targets(house.config), fetch=house.media.attachments)


def make_sure(house: House) -> None:
    """What comes before any posting: the database is sound, and what an older copy has forgotten is known.

    Raises StoreError.
    """
    house.database.check()
    if told := house.lineage.examine():
        log.warning("%s", told)


@dataclass
class Targets:
    """A bot's target by label. Called in the sender's child, whose one house loads each plugin once."""

    config: Config

    def __call__(self, bot: str, label: str) -> Target:
        targets = self._house.targets(bot)
        if label not in targets:
            have = ", ".join(targets) or "none"
            msg = f"{self.config.file}: bots.{bot}.targets: there is no {label!r} any more (have {have})"
            raise BotError(msg)
        return targets[label]

    @cached_property
    def _house(self) -> House:
        return House(self.config)


def open_courier(house: House, sender: Sender, tell: Tell) -> Courier:
    def told(delivery: Delivery) -> None:
        others = house.deliveries.list(draft=delivery.draft)
        tell(Delivered(delivery, sum(other.state in UNDER_WAY for other in others)))

    return Courier(
        store=house.deliveries,
        sender=sender,
        gate=house.check_delivery,
        owner=identify(),
        clock=house.clock,
        told=told,
        pace=partial(pace, house),
        heard=partial(rest, house, Strikes(house.database.machine.uptime)),
    )


def rest(house: House, strikes: Strikes, delivery: Delivery, outcome: Outcome) -> None:
    """Let an account rest where what came of a call calls for it."""
    if found := strikes.hear(delivery, outcome):
        until = None if found.duration is None else house.clock() + found.duration
        house.switches.rest(found.account, "the program", found.reason, until)


def pace(house: House) -> Pace:
    """What the bots' schedules hold back at this moment."""
    now = house.clock()
    schedules = {bot: setting.schedule for bot, setting in house.config.bots.items() if setting.schedule}
    return Pace(
        resting=frozenset(bot for bot, schedule in schedules.items() if quiet_until(schedule, now)),
        distances={bot: schedule.distance for bot, schedule in schedules.items() if schedule.distance},
    )
