"""Events as lines of a log: what happened to which bot, target, draft and delivery. It repeats no text."""

import logging
from typing import Any

from bot.events import (
    Approved,
    ClockSet,
    Delivered,
    Event,
    Failed,
    Filled,
    Halted,
    Held,
    Reach,
    SlotTaken,
    Waiting,
)
from bot.logs import EVENTS

log = logging.getLogger(EVENTS)


def write_down(event: Event) -> None:
    name, level, fields = _told(event)
    words = " ".join(f"{key}={value}" for key, value in fields.items() if value not in (None, ""))
    log.log(level, "%s %s", name, words, extra={"fields": {"event": name} | fields})


def _told(event: Event) -> tuple[str, int, dict[str, Any]]:
    match event:
        case Filled(bot, funnel, drafts, waiting):
            ids = [draft.id for draft in drafts]
            counts = {"sampled": funnel.sampled, "kept": funnel.kept, "waiting": waiting}
            return "filled", logging.INFO, {"bot": bot, "drafts": ids} | counts
        case Approved(bot, policy, drafts):
            ids = [draft.id for draft in drafts]
            return "approved", logging.INFO, {"bot": bot, "policy": policy, "drafts": ids}
        case SlotTaken(slot, draft, held):
            level = logging.INFO if draft else logging.WARNING
            fields = {"bot": slot.bot, "slot": slot.at.isoformat(), "draft": draft and draft.id, "held": held}
            return "slot", level, fields
        case Delivered():
            return _delivered(event)
        case Halted(halt, over):
            fields = {"scope": halt.scope, "name": halt.name, "actor": halt.actor, "reason": halt.reason}
            return "resumed" if over else "stopped", logging.WARNING, fields
        case Held(hold):
            fields = {"bot": hold.bot, "account": hold.account, "reason": hold.reason}
            return "held", logging.WARNING, fields | {"waiting": hold.waiting}
        case ClockSet(step, believed):
            return "clock", logging.WARNING, {"seconds": step.total_seconds(), "believed": believed}
        case Reach(server, targets, reason):
            level = logging.WARNING if reason else logging.INFO
            return "reach", level, {"server": server, "targets": list(targets), "reason": reason}
        case Waiting(process):
            return "waiting", logging.WARNING, {"process": process}
        case Failed(bot, reason):
            return "failed", logging.ERROR, {"bot": bot, "reason": reason}


def _delivered(event: Delivered) -> tuple[str, int, dict[str, Any]]:
    it = event.delivery
    fields: dict[str, Any] = {"bot": it.bot, "target": it.target, "draft": it.draft, "delivery": it.id}
    fields |= {"state": it.state, "attempts": it.attempts, "reason": it.reason.replace(it.text, "…")}
    return "delivery", logging.INFO if it.state == "sent" else logging.WARNING, fields
