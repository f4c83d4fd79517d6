"""How one draft came to where it is, for `bot why`. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bot.errors import BotError
from bot.house import House
from bot.outlook import slots_to_come
from bot.records import Decision, Draft, Outlet, Step

AHEAD = 100  # slots that are looked at for the one it will get


@dataclass(frozen=True)
class Story:
    """A draft, what was decided of it, what its deliveries went through, and where it will go.

    next_slot: the slot it will get as things are; None if it waits for something else. zone: of the schedule.
    """

    draft: Draft
    decisions: Sequence[Decision]
    steps: Sequence[Step]
    outlets: Sequence[Outlet]
    next_slot: datetime | None
    zone: str


def story(house: House, id: int) -> Story:
    """Raises NotFound. A draft of a bot that is configured no more, or wrongly, has a story too."""
    draft = house.drafts.get(id)
    schedule = house.config.bots[draft.bot].schedule if draft.bot in house.config.bots else None
    return Story(
        draft=draft,
        decisions=house.drafts.decisions(id),
        steps=house.deliveries.steps(id),
        outlets=_outlets(house, draft),
        next_slot=_next_slot(house, draft) if schedule and draft.status == "approved" else None,
        zone=schedule.zone if schedule else "UTC",
    )


def _outlets(house: House, draft: Draft) -> Sequence[Outlet]:
    try:
        return house.outlets(draft.bot, draft.text)
    except BotError:  # what is wrong with them, `bot doctor` says
        return ()


def _next_slot(house: House, draft: Draft) -> datetime | None:
    moments = [at for _, at in islice(slots_to_come(house, draft.bot), AHEAD)]
    foreseen = house.deliveries.foreseen(draft.bot, moments)
    return next((at for at, one in zip(moments, foreseen, strict=True) if one and one.id == draft.id), None)
