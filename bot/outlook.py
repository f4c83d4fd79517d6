"""What a bot's coming slots will bring as things are, for `bot calendar`. It only reads.

Which draft a slot gets is asked of the same rule that gives it away when the slot has come.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, takewhile

from bot.errors import BotError
from bot.house import House
from bot.interfaces import Target
from bot.posting import fit
from bot.posting.calendar import coming
from bot.records import Delivery, Draft, Favourite, Halt, Limits, Slot
from bot.review.policies import ACTOR, recyclable
from bot.store.fuses import DAY, HOUR, MONTH, exceeds

MOST = 10_000  # slots that are looked at


@dataclass(frozen=True)
class Coming:
    """A slot and the draft that it will get; None, and text "", if it will pass.

    at: when it will be taken: later than its own time where quiet hours or the distance between posts hold it
    up. cost: in USD on all targets, None where nobody can say. missed: it is past, and made up by `bot run`.
    """

    slot: Slot
    at: datetime
    draft: int | None
    text: str
    targets: tuple[str, ...]
    cost: float | None
    missed: bool
    again: bool = False  # a favourite


@dataclass(frozen=True)
class Outlook:
    """A bot's slots until a day, in their order.

    until: the end of what was looked at; with MOST slots it comes earlier than asked for, and `cut` is set.
    ends: the schedule's last day, if that comes before. left: approved drafts that none of these slots takes.
    dry: the first slot for which nothing is approved any more; None if that comes later. cost: of all slots,
    in USD. halts: what stops the bot now. beyond: the limits that these slots do not keep to.
    """

    bot: str
    zone: str
    now: datetime
    until: datetime
    cut: bool
    ends: date | None
    slots: Sequence[Coming]
    left: int
    dry: Slot | None
    cost: float | None
    halts: Sequence[Halt] = ()
    beyond: Sequence[str] = ()


def outlook(house: House, bot: str, days: int) -> Outlook:
    """Raises ConfigError, and BotError if the bot has no schedule."""
    schedule = house.bot(bot).schedule
    if schedule is None:
        msg = f"{house.config.file}: bots.{bot} has no schedule: it posts by `bot post {bot}` only"
        raise BotError(msg)
    now = house.clock()
    until = now + timedelta(days=days)
    moments = takewhile(lambda pair: pair[1] <= until, slots_to_come(house, bot))
    slots = list(islice(moments, MOST + 1))
    if cut := len(slots) > MOST:
        until = slots.pop()[1]
    drafts = house.deliveries.foreseen(bot, [at for _, at in slots])
    foreseen = _coming(house, bot, slots, drafts, now)
    left = house.drafts.count("approved", bot) - sum(draft is not None for draft in drafts)
    dry = None if left else _after_the_last(foreseen)
    if dry and schedule.recycle:
        foreseen = _recycled(house, bot, schedule.recycle, foreseen, dry)
    return Outlook(
        bot=bot,
        zone=schedule.zone,
        now=now,
        until=until,
        cut=cut,
        ends=schedule.until if schedule.until and schedule.until < until.date() else None,
        slots=foreseen,
        left=left,
        dry=dry,
        cost=_sum([one.cost for one in foreseen]),
        halts=house.halts(bot),
        beyond=[*_beyond(foreseen, house.limits(bot))],
    )


def slots_to_come(house: House, bot: str) -> Iterator[tuple[Slot, datetime]]:
    """The missed slots that `bot run` would make up, then those to come; each with when it will be taken.

    The bot has a schedule.
    """
    schedule, now = house.bot(bot).schedule, house.clock()
    assert schedule is not None
    last = house.deliveries.last_slot(bot) or now
    return coming(bot, schedule, last, house.deliveries.last_post(bot), now)


def _coming(
    house: House,
    bot: str,
    slots: Sequence[tuple[Slot, datetime]],
    drafts: Sequence[Draft | None],
    now: datetime,
) -> list[Coming]:
    targets = _targets(house, bot)
    planned = defaultdict(list)  # draft -> where it was approved to go
    for delivery in house.deliveries.list(state="planned", bot=bot):
        planned[delivery.draft].append(delivery)
    return [
        Coming(
            slot=slot,
            at=at,
            draft=draft.id if draft else None,
            text=draft.text if draft else "",
            targets=tuple(delivery.target for delivery in planned[draft.id]) if draft else (),
            cost=_sum([_cost(targets, delivery) for delivery in planned[draft.id]]) if draft else 0.0,
            missed=slot.at <= now,
        )
        for (slot, at), draft in zip(slots, drafts, strict=True)
    ]


def _recycled(
    house: House, bot: str, silence: timedelta, coming: Sequence[Coming], dry: Slot
) -> list[Coming]:
    """The same with the favourites that go out again, from where nothing is approved any more."""
    targets, resting = _targets(house, bot), list(recyclable(bot, house.drafts, house.desk(ACTOR)))
    foreseen = list[Coming]()
    for one in coming:
        if one.slot.at < dry.at or not resting or resting[0].at > one.at - silence:
            foreseen.append(one)
            continue
        draft = resting.pop(0).draft
        resting.append(Favourite(draft, one.at))
        cost = _sum([fit.cost(label, target, draft.text) for label, target in targets.items()])
        foreseen.append(
            Coming(one.slot, one.at, draft.id, draft.text, tuple(targets), cost, one.missed, True)
        )
    return foreseen


def _targets(house: House, bot: str) -> Mapping[str, Target]:
    try:
        return house.targets(bot)
    except BotError:  # what is wrong with them, `bot doctor` says
        return {}


def _cost(targets: Mapping[str, Target], delivery: Delivery) -> float | None:
    """None if the target is not there any more."""
    if delivery.target not in targets:
        return None
    return fit.cost(delivery.target, targets[delivery.target], delivery.text)


def _beyond(coming: Sequence[Coming], limits: Limits) -> Iterator[str]:
    """The names of the limits that would hold posts back, if each slot brought one."""
    times = [one.at for one in coming]
    for name, most, window in (("per_hour", limits.per_hour, HOUR), ("per_day", limits.per_day, DAY)):
        if most and any(late - early < window for early, late in zip(times, times[most:], strict=False)):
            yield name
    budget, paid = limits.usd_per_month, 0.0
    first = 0
    for one in coming:
        paid += one.cost or 0.0
        while one.at - coming[first].at >= MONTH:
            paid -= coming[first].cost or 0.0
            first += 1
        if budget is not None and exceeds(paid, 0.0, budget):
            yield "usd_per_month"
            return


def _after_the_last(coming: Sequence[Coming]) -> Slot | None:
    """The first slot after the last one that has a draft."""
    taken = max((number for number, one in enumerate(coming) if one.draft is not None), default=-1)
    return coming[taken + 1].slot if taken + 1 < len(coming) else None


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
