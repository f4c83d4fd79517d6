"""How each bot stands, for `bot status`. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.house import House
from bot.posting.calendar import next_slots
from bot.records import Halt, Hold, Status


@dataclass(frozen=True)
class Standing:
    """One bot's queue, its next slot and its last post; `uncertain` posts wait for a person."""

    bot: str
    model: str
    drafts: dict[Status, int]
    last_post: str
    last_post_at: datetime | None
    next_slot: datetime | None
    zone: str  # of the schedule
    halts: Sequence[Halt] = ()  # what stops it or one of its accounts
    holds: Sequence[Hold] = ()  # limits that hold back what is due


def standing(house: House, bot: str) -> Standing:
    setting = house.bot(bot)
    last = house.deliveries.last_sent(bot)
    halts = house.halts(bot)
    slots = next_slots(bot, setting.schedule, house.clock(), 1) if setting.schedule else []
    return Standing(
        bot=bot,
        model=setting.model,
        drafts=house.drafts.counts(bot),
        last_post=last[0].text if last else "",
        last_post_at=last[1] if last else None,
        next_slot=slots[0].at if slots else None,
        zone=setting.schedule.zone if setting.schedule else "UTC",
        halts=halts,
        holds=() if halts else house.deliveries.holds(bot),
    )
