"""How one draft came to where it is, for `bot why`. It only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bot.errors import BotError
from bot.house import House
from bot.outlook import slots_to_come
from bot.records import Decision, Draft, Outlet, Rendered, Step

AHEAD = 100  # slots that are looked at for the one it will get


@dataclass(frozen=True)
class Story:
    """A draft, what goes with it, what was decided of it, what its deliveries went through, where it will go.

    next_slot: the slot it will get as things are; None if it waits for something else. zone: of the schedule.
    """

    draft: Draft
    decisions: Sequence[Decision]
    texts: Mapping[str, str]  # of its revisions, by their SHA-256
    steps: Sequence[Step]
    attachments: Rendered
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
        texts=house.drafts.texts(id),
        steps=house.deliveries.steps(id),
        attachments=_attachments(house, draft),
        outlets=_outlets(house, draft),
        next_slot=_next_slot(house, draft) if schedule and draft.status == "approved" else None,
        zone=schedule.zone if schedule else "UTC",
    )


def _attachments(house: House, draft: Draft) -> Rendered:
    """What has been made for it and is kept, and what its deliveries took along."""
    known = draft.bot in house.config.bots
    kept = house.rendered(draft.bot, draft.text, anew=False) if known else Rendered()
    taken = [one for delivery in house.deliveries.list(draft=draft.id) for one in delivery.media]
    media = {one.sha256: one for one in (*taken, *kept.media)}
    return Rendered(tuple(media.values()), kept.reasons)


def _outlets(house: House, draft: Draft) -> Sequence[Outlet]:
    try:
        return house.outlets(draft.bot, draft.text, house.rendered(draft.bot, draft.text, anew=False))
    except BotError:  # what is wrong with them, `bot doctor` says
        return ()


def _next_slot(house: House, draft: Draft) -> datetime | None:
    moments = [at for _, at in islice(slots_to_come(house, draft.bot), AHEAD)]
    foreseen = house.deliveries.foreseen(draft.bot, moments)
    return next((at for at, one in zip(moments, foreseen, strict=True) if one and one.id == draft.id), None)
