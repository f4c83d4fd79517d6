"""What an account has been used for lately, and whether one more post stays within its limits.

What may have been posted counts, from the moment at which its attempt had ended. While a doubt awaits a
process that may still be sending, its attempt has not ended: it counts as made now.

It reads and writes inside the transaction that it is given; `now` is the database's own time, so no clock
that is set brings a limit on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, literal, select, update

from bot.records import Delivery, DeliveryState, Limits
from bot.store.tables import deliveries, spent

HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Blown:
    """Which limit is reached, and when it is not any more; None: never, for one post alone exceeds it."""

    reason: str
    until: datetime | None


def blown(connection: Connection, planned: Delivery, limits: Limits, now: datetime) -> Blown | None:
    """What forbids to send the delivery now; of several limits the one that does for longest."""
    found = _reached(connection, planned, limits, now)
    return max(found, key=lambda it: it.until or datetime.max.replace(tzinfo=now.tzinfo), default=None)


def charge(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """An attempt begins: from here on it counts."""
    mine = spent.c.delivery == delivery.id
    before = connection.scalar(select(spent.c.cost).where(mine)) or 0.0
    connection.execute(delete(spent).where(mine))
    values = {"delivery": delivery.id, "account": delivery.account, "cost": before + delivery.cost, "at": now}
    connection.execute(insert(spent).values(values))


def book(connection: Connection, before: Delivery, state: DeliveryState, now: datetime) -> None:
    """What a delivery comes to: it counts from now on if an attempt ends, no longer if nothing is there."""
    mine = spent.c.delivery == before.id
    if is_surely_absent(before, state):
        connection.execute(delete(spent).where(mine))
    elif before.state == "sending" or before.awaits or state == "sent":
        connection.execute(update(spent).where(mine).values(at=now))


def is_surely_absent(before: Delivery, state: DeliveryState) -> bool:
    """Whether a step says that nothing was posted. A put is sent again although it may be there."""
    if before.kind == "put":
        return (before.state, state) == ("uncertain", "refused")
    return state in ("planned", "refused")


def _reached(connection: Connection, planned: Delivery, limits: Limits, now: datetime) -> Iterator[Blown]:
    at = _made_at(connection, planned.account, now)
    for limit, window, name in ((limits.per_hour, HOUR, "hour"), (limits.per_day, DAY, "day")):
        if limit is not None and (nth := _nth_newest(connection, planned, limit, at, now - window)):
            posts = f"{limit} post{'' if limit == 1 else 's'}"
            yield Blown(
                f"{planned.account} has had its {posts} of one {name} (limits.per_{name})", nth + window
            )
    if limits.usd_per_month is not None and planned.cost:
        yield from _too_dear(connection, planned, limits.usd_per_month, at, now)


def _made_at(connection: Connection, account: str, now: datetime) -> ColumnElement[datetime]:
    """When what an account was used for counts as made."""
    doubts = (
        deliveries.c.account == account,
        deliveries.c.state.in_(("planned", "uncertain")),
        deliveries.c.awaits.is_not(None),
    )
    open_ended = connection.scalars(select(deliveries.c.id).where(*doubts)).all()
    if not open_ended:
        return spent.c.at
    return case((spent.c.delivery.in_(open_ended), literal(now, spent.c.at.type)), else_=spent.c.at)


def _nth_newest(
    connection: Connection, planned: Delivery, n: int, at: ColumnElement[datetime], since: datetime
) -> datetime | None:
    """Of the account's other posts: the delivery may be a put that is sent again, and it is one post."""
    others = spent.c.account == planned.account, at > since, spent.c.delivery != planned.id
    found: datetime | None = connection.scalar(
        select(at).where(*others).order_by(at.desc()).limit(1).offset(n - 1)
    )
    return found


def _too_dear(
    connection: Connection, planned: Delivery, budget: float, at: ColumnElement[datetime], now: datetime
) -> Iterator[Blown]:
    dear = spent.c.account == planned.account, at > now - MONTH, spent.c.cost > 0
    total = connection.scalar(select(func.sum(spent.c.cost)).where(*dear)) or 0.0
    if not exceeds(total, planned.cost, budget):
        return
    told = f"{planned.account} has spent {total:.2f} of its {budget:g} USD a month, and this post costs "
    reason = f"{told}{planned.cost:g} (limits.usd_per_month)"
    for made_at, cost in connection.execute(select(at, spent.c.cost).where(*dear).order_by(at)):
        total -= cost
        if not exceeds(total, planned.cost, budget):
            yield Blown(reason, made_at + MONTH)
            return
    yield Blown(reason, None)


def exceeds(total: float, cost: float, budget: float) -> bool:
    """In millionths, since sums of floats are not exact."""
    return round((total + cost) * 1e6) > round(budget * 1e6)
