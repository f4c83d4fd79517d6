"""Which deliveries are due, and what keeps one of them back: the stop switch, a rest, a limit.

It only reads, inside the transaction it is given.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, select

from bot.records import Delivery, Halt, Hold, Limits
from bot.store.fuses import Blown, blown
from bot.store.tables import deliveries, drafts

FAR = timedelta(hours=25)  # nothing is put off for longer: what is due later was put off by a wrong clock
IN_FLIGHT = ("claimed", "sending")


def is_due(now: datetime) -> ColumnElement[bool]:
    late, astray = deliveries.c.due_at <= now, deliveries.c.due_at > now + FAR
    return (deliveries.c.state == "planned") & (late | astray)


def due_rows(now: datetime, draft: int | None) -> Select[Any]:
    """What may be claimed, the longest due first. What is in flight keeps its account busy."""
    other = deliveries.alias()
    busy = exists().where(other.c.account == deliveries.c.account, other.c.state.in_(IN_FLIGHT))
    rows = select(deliveries.c.id).join(drafts, drafts.c.id == deliveries.c.draft).where(is_due(now), ~busy)
    if draft is not None:
        rows = rows.where(deliveries.c.draft == draft)
    return rows.order_by(deliveries.c.due_at, deliveries.c.id)


def alike(planned: Delivery) -> ColumnElement[bool]:
    """What is held if this one is: the same bot's on the same account, as dear or dearer."""
    same = (deliveries.c.account == planned.account) & (drafts.c.bot == planned.bot)
    return same & (deliveries.c.cost >= planned.cost)


def counted(waiting: Sequence[Delivery]) -> Sequence[tuple[Delivery, int]]:
    """Of each bot, account and cost one delivery, and how many there are."""
    found: dict[tuple[str, str, float], list[Delivery]] = defaultdict(list)
    for delivery in waiting:
        found[delivery.bot, delivery.account, delivery.cost].append(delivery)
    return [(group[0], len(group)) for group in found.values()]


def merged(holds: Sequence[Hold]) -> Sequence[Hold]:
    """Those of one bot and account for one reason are one."""
    found: dict[tuple[str, str, str], Hold] = {}
    for hold in holds:
        key = hold.bot, hold.account, hold.reason
        found[key] = replace(hold, waiting=hold.waiting + found[key].waiting) if key in found else hold
    return [*found.values()]


def held_by(
    connection: Connection,
    planned: Delivery,
    halts: Sequence[Halt],
    limits: Limits,
    wall: datetime,
    now: datetime,
) -> Blown | None:
    """Why a delivery must wait; None if it need not. now, and until when: by the database's own time."""
    if halt := halted(planned, halts):
        return Blown(told(halt), halt.until and now + (halt.until - wall))
    return blown(connection, planned, limits, now)


def halted(delivery: Delivery, halts: Sequence[Halt]) -> Halt | None:
    names = {"all": "", "bot": delivery.bot, "account": delivery.account}
    return next((halt for halt in halts if names[halt.scope] == halt.name), None)


def told(halt: Halt) -> str:
    if halt.scope == "account":
        return f"{halt.name} rests: {halt.reason}"
    who = "all bots are" if halt.scope == "all" else f"{halt.name} is"
    return f"{who} stopped by {halt.actor}" + (f": {halt.reason}" if halt.reason else "")
