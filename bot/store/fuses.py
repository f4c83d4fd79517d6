"""What an account has been used for lately, and whether one more post stays within its limits.

What may have been posted counts, from the moment at which its attempt had ended. It reads and writes inside
the transaction that it is given; `now` is the database's own time, so no clock that is set brings a limit on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from bot.records import Delivery, DeliveryState, Limits
from bot.store.tables import spent

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
    elif before.state == "sending" or state == "sent":
        connection.execute(update(spent).where(mine).values(at=now))


def is_surely_absent(before: Delivery, state: DeliveryState) -> bool:
    """Whether a step says that nothing was posted. A put is sent again although it may be there."""
    if before.kind == "put":
        return (before.state, state) == ("uncertain", "refused")
    return state in ("planned", "refused")


def _reached(connection: Connection, planned: Delivery, limits: Limits, now: datetime) -> Iterator[Blown]:
    for limit, window, name in ((limits.per_hour, HOUR, "hour"), (limits.per_day, DAY, "day")):
        if limit is not None and (at := _nth_newest(connection, planned, limit, now - window)):
            posts = f"{limit} post{'' if limit == 1 else 's'}"
            yield Blown(
                f"{planned.account} has had its {posts} of one {name} (limits.per_{name})", at + window
            )
    if limits.usd_per_month is not None and planned.cost:
        yield from _too_dear(connection, planned, limits.usd_per_month, now)


def _nth_newest(connection: Connection, planned: Delivery, n: int, since: datetime) -> datetime | None:
    rows = select(spent.c.at).where(*_others(planned, since)).order_by(spent.c.at.desc())
    at: datetime | None = connection.scalar(rows.limit(1).offset(n - 1))
    return at


def _too_dear(connection: Connection, planned: Delivery, budget: float, now: datetime) -> Iterator[Blown]:
    dear = spent.c.account == planned.account, spent.c.at > now - MONTH, spent.c.cost > 0
    total = connection.scalar(select(func.sum(spent.c.cost)).where(*dear)) or 0.0
    if not exceeds(total, planned.cost, budget):
        return
    told = f"{planned.account} has spent {total:.2f} of its {budget:g} USD a month, and this post costs "
    reason = f"{told}{planned.cost:g} (limits.usd_per_month)"
    for at, cost in connection.execute(select(spent.c.at, spent.c.cost).where(*dear).order_by(spent.c.at)):
        total -= cost
        if not exceeds(total, planned.cost, budget):
            yield Blown(reason, at + MONTH)
            return
    yield Blown(reason, None)


def exceeds(total: float, cost: float, budget: float) -> bool:
    """In millionths, since sums of floats are not exact."""
    return round((total + cost) * 1e6) > round(budget * 1e6)


def _others(planned: Delivery, since: datetime) -> tuple[ColumnElement[bool], ...]:
    """What counts beside the delivery: it may be a put that is sent again, and it is one post."""
    return spent.c.account == planned.account, spent.c.at > since, spent.c.delivery != planned.id
