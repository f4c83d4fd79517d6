"""What a process of the crash matrix does: approves, takes slots, delivers until nothing is left, or dies.

The naive way is here too: post, then mark.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, update

from benchmarks.crashing.dying import die
from benchmarks.crashing.place import Client
from bot.posting.courier import Courier
from bot.posting.owner import identify
from bot.posting.sender import Sender
from bot.records import Delivery, Kind, Outlet, Post, Slot
from bot.store import Database, Deliveries, Drafts
from bot.store.tables import deliveries
from tests.queues import NOON

BOT = "metal"
TURN = 600.0  # seconds between two turns of a process that goes on


@dataclass(frozen=True)
class Errand:
    """A draft that shall go out in a slot of its own."""

    draft: int
    kind: Kind
    slot: int


class Breakable(Database):
    """Can be killed when a transaction has done all but its commit."""

    inside: tuple[str, str | None] | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
            if self.inside:
                die(*self.inside)

    @contextmanager
    def step(self, what: str, text: str | None) -> Iterator[None]:
        """Around one transaction: before it, in it and after it."""
        die(f"before {what}", text)
        self.inside = f"in {what}", text
        yield
        self.inside = None
        die(f"after {what}", text)


class Fragile(Deliveries):
    """Can be killed before, in and after each of its transactions."""

    def __init__(self, database: Breakable, owner: str):
        super().__init__(database)
        self._breakable, self._owner = database, owner

    def claim(self, *given: Any, **options: Any) -> Delivery | None:
        with self._breakable.step("claim", None):
            return super().claim(*given, **options)

    def begin_sending(self, delivery: Delivery) -> Delivery:
        with self._breakable.step("attempt", delivery.text):
            return super().begin_sending(delivery)

    def settle(self, delivery: Delivery, *given: Any, **options: Any) -> Delivery:
        mine = delivery.owner == self._owner
        names = {"sending": "settling" if mine else "recovery", "uncertain": "conclusion"}
        name = names.get(delivery.state)
        with self._breakable.step(name, delivery.text) if name else nullcontext():
            return super().settle(delivery, *given, **options)


class Checked(Sender):
    """Can be killed after a check."""

    def check(self, delivery: Delivery) -> Any:
        answer = super().check(delivery)
        die("after check", delivery.text)
        return answer


def build(port: int, bot: str, name: str) -> Client:
    kind: Any = name
    return Client(kind, name, port)


def run(database: Breakable, errands: Sequence[Errand], port: int, pass_by: Callable[[float], None]) -> None:
    """Do the errands as far as they are not done, then deliver until nothing is left to bring on."""
    owner = identify()
    store, sender = Fragile(database, owner), Checked(partial(build, port))
    for errand in errands:
        send_off(database, store, errand)
    steady = lambda: database.now().timestamp()  # noqa: E731 - it is a clock
    courier = Courier(store, sender, lambda delivery: (), owner, database.now, steady=steady)
    courier.deliver_due()
    while any(it.state in ("planned", "uncertain") and it.due_at for it in store.list()):
        pass_by(TURN)
        courier.deliver_due()
    sender.close()


def send_off(database: Breakable, store: Deliveries, errand: Errand) -> None:
    """Approve a draft and give it its slot, as far as nobody has done so."""
    drafts = Drafts(database)
    draft = drafts.get(errand.draft)
    if draft.status == "pending":
        outlet = Outlet(errand.kind, errand.kind, errand.kind, draft.text)
        with database.step("approval", draft.text):
            drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=(outlet,))
    with database.step("slot", draft.text):
        store.take_slot(slot(errand.slot))


def slot(number: int) -> Slot:
    at: datetime = NOON + timedelta(days=-1, seconds=number)
    return Slot(BOT, at.date(), at.time(), "UTC", at)


def post_then_mark(database: Breakable, errands: Sequence[Errand], port: int) -> None:
    """The naive way: post what is due, then write down that it was posted."""
    store = Deliveries(database)
    for errand in errands:
        send_off(database, store, errand)
    for delivery in store.list(state="planned"):
        if delivery.due_at:
            post = Post(delivery.text, delivery.key, delivery.bot, delivery.approved_at)
            receipt = build(port, delivery.bot, delivery.target).post(post)
            with database.step("settling", delivery.text), database.write() as connection:
                done = update(deliveries).where(deliveries.c.id == delivery.id)
                connection.execute(done.values(state="sent", remote_id=receipt.remote_id))
