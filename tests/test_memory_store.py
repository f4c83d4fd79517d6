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
from bot.records import Delivery, Outlet, Receipt
from bot.store.tables import attempts, events
from tests.queues import Queue, open_queue

OUTLETS = {"pad": ("me", "opaque"), "feed": ("feed", "put"), "x": ("me", "query"), "toots": ("it", "key")}
STATES = "planned", "sent", "refused", "uncertain", "cancelled"
RECEIPTS = st.sampled_from([None, Receipt(), Receipt("p1"), Receipt("p2"), Receipt(evidence="seen")])
DATES, AWAITED = st.sampled_from([None, 30, 90]), st.sampled_from([None, None, "one"])
held = st.integers(0, 30)  # which of the deliveries that anybody has read, the newest first
operations = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([0, 1, 60, 3600, -1800])),
    st.tuples(st.just("claim"), st.sampled_from(["one", "two"]), st.sampled_from([None, None, 1, 2])),
    st.tuples(st.just("begin_sending"), held),
    st.tuples(st.just("settle"), held, st.sampled_from(STATES), RECEIPTS, DATES, AWAITED),
    st.tuples(st.just("get"), st.integers(1, 9)),
    st.tuples(st.just("unfinished")),
    st.tuples(st.just("list"), st.sampled_from([None, "uncertain", "planned", "sent"])),
)


class Both:
    """The same operations on both; what one returns or raises, the other must too."""

    def __init__(self, queue: Queue):
        self.queue, self.tables = queue, Tables()
        self.memory = MemoryStore(self.tables, queue.clock)
        for draft in queue.add("Ash", "Bone"):
            outlets = [Outlet(name, account, kind, draft.text) for name, (account, kind) in OUTLETS.items()]
            queue.approve(draft, *outlets)
            queue.deliveries.schedule_now("metal")
        for delivery in queue.deliveries.list():
            self.tables.add(delivery, "ada")
        self.seen: list[Delivery] = [*queue.deliveries.list()]

    def do(self, name: str, *given: Any) -> None:
        if name == "pass":
            self.queue.clock.pass_by(*given)
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
@given(st.lists(operations, max_size=40))
def test_both_stores_are_one(steps: list[tuple[Any, ...]]) -> None:
    """Claims, attempts, outcomes, late callers and broken rules: answers, rows, events and attempts agree."""
    with ExitStack() as stack:
        both = Both(stack.enter_context(open_queue(Path(stack.enter_context(tempfile.TemporaryDirectory())))))
        for step in steps:
            both.do(*step)

        assert [*both.queue.deliveries.list()] == both.memory.list()
        told, tried = both.history()
        assert told == [tuple(event) for event in both.tables.events]
        assert tried == sorted(tuple(attempt) for attempt in both.tables.attempts)
