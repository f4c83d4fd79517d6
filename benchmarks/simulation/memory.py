"""Deliveries in memory, by the rules of the tables; tests/test_memory_store.py holds both stores equal.

It knows no process and no fault: each method is one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.errors import Conflict, NotFound
from bot.records import Delivery, DeliveryState, Limits, Pace, Receipt
from bot.store.deliveries import AT_ONCE, IN_FLIGHT, may_become
from bot.store.elapsed import Mark, reckon
from bot.store.fuses import DAY, HOUR, MONTH, exceeds, is_surely_absent
from bot.store.holding import FAR
from bot.uptime import Machine, following


class RuleBroken(Exception):
    """What the database would have refused: a rule of the tables."""


class Attempt(NamedTuple):
    delivery: int
    fence: int
    started_at: datetime


class Spent(NamedTuple):
    account: str
    cost: float
    at: datetime


class Event(NamedTuple):
    delivery: int
    old: DeliveryState | None
    new: DeliveryState
    actor: str
    fence: int
    reason: str
    at: datetime


@dataclass
class Tables:
    """What all processes see."""

    deliveries: dict[int, Delivery] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)  # only ever added to, as events
    events: list[Event] = field(default_factory=list)
    evidence: dict[int, str] = field(default_factory=dict)
    spent: dict[int, Spent] = field(default_factory=dict)
    mark: Mark | None = None

    def add(self, delivery: Delivery, actor: str) -> None:
        """A planned delivery, as an approval makes it."""
        self.deliveries[delivery.id] = delivery
        self.events.append(
            Event(delivery.id, None, delivery.state, actor, delivery.fence, "", delivery.approved_at)
        )

    def keep(self, delivery: Delivery) -> None:
        """Store a row, or raise RuleBroken."""
        _check_row(delivery, self.evidence.get(delivery.id, ""))
        for other in self.deliveries.values():
            if other.id != delivery.id and other.account == delivery.account:
                if other.state in IN_FLIGHT and delivery.state in IN_FLIGHT:
                    raise RuleBroken(f"two in flight on {delivery.account}: {other.id} and {delivery.id}")
                if delivery.remote_id is not None and other.remote_id == delivery.remote_id:
                    raise RuleBroken(f"two deliveries are the post {delivery.remote_id}")
        self.deliveries[delivery.id] = delivery


class MemoryStore:
    """As bot.store.Deliveries, of one process with a clock of its own."""

    def __init__(
        self,
        tables: Tables,
        clock: Callable[[], datetime],
        machine: Machine | None = None,
        limits: Limits | None = None,
    ):
        self.tables, self.now = tables, clock
        self.machine, self.limits = machine or following(clock), limits or Limits()

    def claim(
        self, owner: str, lease_seconds: float, draft: int | None = None, pace: Pace = AT_ONCE
    ) -> Delivery | None:
        assert pace == AT_ONCE, "the simulated bots never rest"
        now, own_now = self.now(), self._own_time()
        rows = self.tables.deliveries.values()
        busy = {row.account for row in rows if row.state in IN_FLIGHT}
        due = [
            row
            for row in rows
            if row.state == "planned" and row.due_at is not None
            if (row.due_at <= now or row.due_at > now + FAR) and row.account not in busy
            if draft in (None, row.draft) and self._stays_within(row, own_now)
        ]
        if not due:
            return None
        oldest = min(due, key=lambda row: (row.due_at, row.id))
        lease = now + timedelta(seconds=lease_seconds)
        return self._change(
            oldest, "claimed", owner, "", now, owner=owner, lease_until=lease, fence=oldest.fence + 1
        )

    def begin_sending(self, delivery: Delivery) -> Delivery:
        now = self.now()
        current = self._current(delivery, "sending")
        tries = [it for it in self.tables.attempts if it.delivery == delivery.id]
        if any(it.fence == delivery.fence for it in tries):
            raise RuleBroken(f"two attempts of delivery {delivery.id} under fence {delivery.fence}")
        self.tables.attempts.append(Attempt(delivery.id, delivery.fence, now))
        before = self.tables.spent.get(delivery.id)
        cost = (before.cost if before else 0.0) + current.cost
        self.tables.spent[delivery.id] = Spent(current.account, cost, self._own_time())
        first = min(now, *(it.started_at for it in tries)) if tries else now
        owner = delivery.owner or ""
        return self._change(current, "sending", owner, "", now, attempts=len(tries) + 1, first_tried_at=first)

    def settle(
        self,
        delivery: Delivery,
        state: DeliveryState,
        reason: str,
        receipt: Receipt | None = None,
        due_at: datetime | None = None,
        actor: str = "",
        awaits: str | None = None,
    ) -> Delivery:
        now = self.now()
        current = self._current(delivery, state)
        values: dict[str, Any] = {"owner": None, "lease_until": None}
        if delivery.state != "claimed":
            values["awaits"] = awaits
        if state in ("planned", "uncertain"):
            values["due_at"] = due_at or (now if state == "planned" else None)
        if state == "sent":
            values["remote_id"] = self._prove(delivery, receipt or Receipt())
        self._book(current, state)
        return self._change(current, state, actor or delivery.owner or "", reason, now, **values)

    def get(self, id: int) -> Delivery:
        if id not in self.tables.deliveries:
            raise NotFound(f"no delivery has the id {id}")
        return self.tables.deliveries[id]

    def unfinished(self) -> Sequence[Delivery]:
        return [row for row in self.tables.deliveries.values() if row.state in IN_FLIGHT]

    def list(self, state: DeliveryState | None = None) -> Sequence[Delivery]:
        return [row for row in self.tables.deliveries.values() if state in (None, row.state)]

    def _current(self, delivery: Delivery, state: DeliveryState) -> Delivery:
        """The row, if its fence allows to move it to `state`. Raises Conflict."""
        current = self.tables.deliveries[delivery.id]
        if (current.fence, current.state) != (delivery.fence, delivery.state):
            raise Conflict(f"delivery {delivery.id} is {current.state} now, under fence {current.fence}")
        if not may_become(current, state):
            raise Conflict(f"delivery {delivery.id} is {current.state}: it cannot become {state}")
        return current

    def _own_time(self) -> datetime:
        here = self.machine
        now = Mark(here.host, here.boot, here.uptime(), self.now(), self.now())
        own_now = reckon(self.tables.mark, now)
        self.tables.mark = replace(now, reading=own_now)
        return own_now

    def _stays_within(self, row: Delivery, now: datetime) -> bool:
        """Whether one more post of its account exceeds no limit, by counting all that there was."""
        mine = {id: it for id, it in self.tables.spent.items() if it.account == row.account}
        made_at = {id: now if self._is_open_ended(id) else it.at for id, it in mine.items()}
        for limit, window in ((self.limits.per_hour, HOUR), (self.limits.per_day, DAY)):
            posts = [id for id, at in made_at.items() if at > now - window and id != row.id]
            if limit is not None and len(posts) >= limit:
                return False
        spent = sum(it.cost for id, it in mine.items() if made_at[id] > now - MONTH)
        budget = self.limits.usd_per_month
        return not row.cost or budget is None or not exceeds(spent, row.cost, budget)

    def _is_open_ended(self, id: int) -> bool:
        """Whether a process that was lost sight of may still be sending it."""
        row = self.tables.deliveries[id]
        return row.state in ("planned", "uncertain") and row.awaits is not None

    def _book(self, before: Delivery, state: DeliveryState) -> None:
        own_now, counted = self._own_time(), self.tables.spent.get(before.id)
        if is_surely_absent(before, state):
            self.tables.spent.pop(before.id, None)
        elif counted and (before.state == "sending" or before.awaits or state == "sent"):
            self.tables.spent[before.id] = counted._replace(at=own_now)

    def _prove(self, delivery: Delivery, receipt: Receipt) -> str | None:
        if not receipt.remote_id and not receipt.evidence:
            raise Conflict(f"delivery {delivery.id} has no proof")
        for other in self.tables.deliveries.values():
            if other.account == delivery.account and other.remote_id == receipt.remote_id:
                raise Conflict(f"the post {receipt.remote_id} is delivery {other.id} already")
        self.tables.evidence[delivery.id] = receipt.evidence
        return receipt.remote_id or None

    def _change(
        self, row: Delivery, state: DeliveryState, actor: str, reason: str, now: datetime, **values: Any
    ) -> Delivery:
        changed = replace(row, state=state, reason=reason, **values)
        self.tables.keep(changed)
        self.tables.events.append(Event(row.id, row.state, state, actor, changed.fence, reason, now))
        return changed


def _check_row(delivery: Delivery, evidence: str) -> None:
    if (delivery.state in IN_FLIGHT) != (delivery.owner is not None):
        raise RuleBroken(f"delivery {delivery.id} is {delivery.state}, and its owner {delivery.owner}")
    if (delivery.owner is None) != (delivery.lease_until is None):
        raise RuleBroken(f"delivery {delivery.id} has a lease without an owner, or an owner without one")
    if delivery.state == "sent" and delivery.remote_id is None and not evidence:
        raise RuleBroken(f"delivery {delivery.id} is sent, and nothing proves it")
