"""The store in memory, which simulated histories use, against the real one: equal under any operations."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import exc, select

from benchmarks.simulation.memory import MemoryStore, RuleBroken, Tables
from bot.errors import Conflict, NotFound
from bot.records import Delivery, Limits, Outlet, Receipt
from bot.store import Deliveries
from bot.store.tables import attempts, events, spent
from bot.uptime import Machine
from tests.queues import Queue, open_queue

OUTLETS = {"pad": ("me", "opaque"), "feed": ("feed", "put"), "x": ("me", "query"), "toots": ("it", "key")}
STATES = "planned", "sent", "refused", "uncertain", "cancelled"
RECEIPTS = st.sampled_from([None, Receipt(), Receipt("p1"), Receipt("p2"), Receipt(evidence="seen")])
DATES, AWAITED = st.sampled_from([None, 30, 90]), st.sampled_from([None, None, "one"])
LIMITS = st.builds(
    Limits,
    per_hour=st.sampled_from([None, 1, 2]),
    per_day=st.sampled_from([None, 1, 3]),
    usd_per_month=st.sampled_from([None, 0.0, 0.3, 0.5]),
)
COSTS = {"me": 0.1, "feed": 0.0, "it": 0.2}
held = st.integers(0, 30)  # which of the deliveries that anybody has read, the newest first
operations = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([0, 1, 60, 3600, 86_400])),
    st.tuples(st.just("set"), st.sampled_from([60, 100_000, -1800, -100_000])),
    st.tuples(st.just("claim"), st.sampled_from(["one", "two"]), st.sampled_from([None, None, 1, 2])),
    st.tuples(st.just("begin_sending"), held),
    st.tuples(st.just("settle"), held, st.sampled_from(STATES), RECEIPTS, DATES, AWAITED),
    st.tuples(st.just("get"), st.integers(1, 9)),
    st.tuples(st.just("unfinished")),
    st.tuples(st.just("list"), st.sampled_from([None, "uncertain", "planned", "sent"])),
)


class Both:
    """The same operations on both; what one returns or raises, the other must too."""

    def __init__(self, queue: Queue, limits: Limits):
        self.queue, self.tables = queue, Tables()
        self.uptime = 1000.0
        queue.database.machine = machine = Machine("here", "boot", lambda: self.uptime)
        queue.deliveries = Deliveries(queue.database, lambda bot: limits)
        self.memory = MemoryStore(self.tables, queue.clock, machine, limits)
        for draft in queue.add("Ash", "Bone"):
            outlets = [
                Outlet(name, account, kind, draft.text, COSTS[account])
                for name, (account, kind) in OUTLETS.items()
            ]
            queue.approve(draft, *outlets)
            queue.deliveries.schedule_now("metal")
        for delivery in queue.deliveries.list():
            self.tables.add(delivery, "ada")
        self.seen: list[Delivery] = [*queue.deliveries.list()]

    def do(self, name: str, *given: Any) -> None:
        if name in ("pass", "set"):
            self.queue.clock.pass_by(*given)
            self.uptime += given[0] if name == "pass" else 0.0
            return
        arguments = self.arguments(name, *given)
        found = [answer(getattr(store, name), arguments) for store in (self.queue.deliveries, self.memory)]
        assert found[0] == found[1], (name, arguments)
        if isinstance(found[0], Delivery):
            self.seen.insert(0, found[0])

    def arguments(self, name: str, *given: Any) -> tuple[Any, ...]:
        if name == "claim":
            return given[0], 90, given[1]
        if name not in ("begin_sending", "settle"):
            return given
        delivery = self.seen[given[0] % len(self.seen)]
        if name == "begin_sending":
            return (delivery,)
        _, state, receipt, seconds, awaits = given
        due_at = None if seconds is None else self.queue.clock() + timedelta(seconds=seconds)
        return delivery, state, "why", receipt, due_at, "", awaits

    def history(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Events and attempts of the real store, as the other has them."""
        columns = "delivery", "old", "new", "actor", "fence", "reason", "at"
        with self.queue.database.read() as connection:
            told = connection.execute(select(*(events.c[name] for name in columns)).order_by(events.c.id))
            tried = connection.execute(select(attempts))
            return [tuple(row) for row in told], sorted(tuple(row) for row in tried)

    def counted(self) -> dict[int, tuple[Any, ...]]:
        """What the real store counts against the limits."""
        with self.queue.database.read() as connection:
            return {row.delivery: tuple(row[1:]) for row in connection.execute(select(spent))}


def answer(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What comes of a call: a value or what kind of error; a broken rule of the tables is one of them."""
    try:
        found = method(*arguments)
    except (Conflict, NotFound) as error:
        return type(error)
    except (RuleBroken, exc.IntegrityError):
        return RuleBroken
    return [*found] if isinstance(found, list | tuple) else found


@settings(max_examples=10)
@given(st.lists(operations, max_size=40), LIMITS)
def test_both_stores_are_one(steps: list[tuple[Any, ...]], limits: Limits) -> None:
    """Claims, limits, attempts, outcomes, late callers, broken rules: answers, rows and events agree."""
    with ExitStack() as stack:
        queue = stack.enter_context(open_queue(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        both = Both(queue, limits)
        for step in steps:
            both.do(*step)

        assert [*both.queue.deliveries.list()] == both.memory.list()
        told, tried = both.history()
        assert told == [tuple(event) for event in both.tables.events]
        assert tried == sorted(tuple(attempt) for attempt in both.tables.attempts)
        assert both.counted() == {id: tuple(it) for id, it in both.tables.spent.items()}
