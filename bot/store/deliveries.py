"""Slots and deliveries: when an approved draft is due, who is posting it, and what came of it.

Each change is one transaction and leaves an event. It knows the states and the fence; what outcome leads
to what state is decided in bot.posting, and nothing here touches the network.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from bot.errors import Conflict, Stopped, Unreadable
from bot.records import (
    Delivery,
    DeliveryState,
    Draft,
    Hold,
    Limits,
    Outlet,
    Pace,
    Receipt,
    Secret,
    Slot,
    Step,
)
from bot.store import lineage
from bot.store.database import Database
from bot.store.elapsed import keep_time, read_time
from bot.store.fuses import book, charge
from bot.store.holding import IN_FLIGHT, alike, counted, due_rows, halted, held_by, is_due, merged, told
from bot.store.mark import Mark
from bot.store.payload import payload
from bot.store.rows import (
    delivery_rows,
    read_deliveries,
    read_delivery,
    read_draft,
)
from bot.store.switches import Switches
from bot.store.tables import attempts, deliveries, drafts, events, slots
from bot.store.week import approved, for_moments, move

AT_ONCE = Pace()
NEXT: Mapping[DeliveryState, tuple[DeliveryState, ...]] = {
    "planned": ("claimed", "cancelled"),
    "claimed": ("sending", "planned", "refused", "uncertain"),  # in doubt since an earlier attempt
    "sending": ("sent", "planned", "refused", "uncertain"),
    "uncertain": ("sent", "planned", "refused", "cancelled", "uncertain"),
}


def may_become(delivery: Delivery, state: DeliveryState) -> bool:
    """Nothing is in doubt of which nothing was tried; so what is sent has an attempt, whoever settles it."""
    tried = delivery.attempts > 0 or state != "uncertain"
    return tried and state in NEXT.get(delivery.state, ())


class Deliveries:
    """The way out. A caller holds a Delivery as it was; its fence tells whether that still counts.

    limits: of each account that a bot posts to. switches: what is stopped. mark: where attempts are noted
    beside the database.
    """

    def __init__(
        self,
        database: Database,
        limits: Callable[[str], Limits] = lambda bot: Limits(),
        switches: Switches | None = None,
        mark: Mark | None = None,
    ):
        self._database, self._limits, self._mark = database, limits, mark
        self._switches = switches or Switches(database)

    def take_slot(self, slot: Slot, at: datetime | None = None) -> Draft | None:
        """Give this slot to the bot's oldest approved draft that is like none of the same week.

        at: when it becomes due, if not with the slot. None if there is none, or the slot is taken. Either way
        the slot is used up.
        """
        at = at or slot.at
        with self._database.write() as connection:
            mine = (slots.c.bot == slot.bot) & (slots.c.local_date == slot.local_date)
            if connection.scalar(select(exists().where(mine, slots.c.local_time == slot.local_time))):
                return None
            [draft] = for_moments(connection, slot.bot, [at])
            draft = draft and _schedule(connection, draft, at)
            connection.execute(
                insert(slots).values(
                    bot=slot.bot,
                    local_date=slot.local_date,
                    local_time=slot.local_time,
                    zone=slot.zone,
                    at=slot.at,
                    draft=draft and draft.id,
                )
            )
            return draft

    def last_slot(self, bot: str) -> datetime | None:
        """When the bot's newest slot that was taken came.

        One in the future was taken while the clock was wrong: it must not keep the bot silent until then.
        """
        mine = (slots.c.bot == bot) & (slots.c.at <= self._database.now())
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(select(func.max(slots.c.at)).where(mine))
            return last

    def last_post(self, bot: str) -> datetime | None:
        """When the bot's newest post was tried, on any target; one that is tried again is no new post."""
        earlier = attempts.alias()
        again = exists().where(earlier.c.delivery == attempts.c.delivery, earlier.c.fence < attempts.c.fence)
        first = (
            select(attempts.c.started_at)
            .join(deliveries, deliveries.c.id == attempts.c.delivery)
            .join(drafts, drafts.c.id == deliveries.c.draft)
            .where(drafts.c.bot == bot, attempts.c.started_at <= self._database.now(), ~again)
            .order_by(attempts.c.started_at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(first)
            return last

    def next_approved(self, bot: str) -> Draft | None:
        """The bot's oldest approved draft."""
        with self._database.read() as connection:
            return next(iter(approved(connection, bot)), None)

    def waiting(self, bot: str) -> Sequence[Draft]:
        """The bot's approved drafts in the order that slots take them."""
        with self._database.read() as connection:
            return approved(connection, bot)

    def waited_for(self) -> Sequence[str]:
        """The bots that have approved drafts, by name."""
        approved_of = select(drafts.c.bot).where(drafts.c.state == "approved").distinct()
        with self._database.read() as connection:
            return list(connection.scalars(approved_of.order_by(drafts.c.bot)))

    def move(self, draft: int, to: Literal["up", "down", "first", "last"]) -> bool:
        """Let slots take an approved draft sooner or later; False if it was there already.

        Raises NotFound, and Conflict if it waits for no slot.
        """
        with self._database.write() as connection:
            found = read_draft(connection, draft)
            if found.status != "approved":
                msg = f"draft {draft} is {found.status}: only an approved one waits for a slot"
                raise Conflict(msg, found)
            return move(connection, found.bot, draft, to)

    def foreseen(self, bot: str, moments: Sequence[datetime]) -> Sequence[Draft | None]:
        """The draft that each coming slot would take, as things are; None where it would pass."""
        with self._database.read() as connection:
            return for_moments(connection, bot, moments)

    def schedule_now(self, bot: str) -> Draft | None:
        """Make the bot's oldest approved draft due at once, without a slot; None if none is approved."""
        with self._database.write() as connection:
            draft = next(iter(approved(connection, bot)), None)
            return draft and _schedule(connection, draft, self._database.now())

    def claim(
        self, owner: str, lease_seconds: float, draft: int | None = None, pace: Pace = AT_ONCE
    ) -> Delivery | None:
        """Take the delivery that has been due longest on an account where nothing is in flight.

        None of a bot or an account that is stopped or has reached a limit. draft: only one of this draft's.
        pace: what else holds deliveries back.
        """
        now = self._database.now()
        with self._database.write() as connection:
            halts = self._switches.found(connection)
            own_now = keep_time(connection, self._database)
            due = due_rows(now, draft).where(*_paced(pace, now))
            while (id := connection.scalar(due.limit(1))) is not None:
                try:
                    planned = read_delivery(connection, id)
                except Unreadable:  # the next one goes
                    due = due.where(deliveries.c.id != id)
                    continue
                if not held_by(connection, planned, halts, self._limits(planned.bot), now, own_now):
                    lease = now + timedelta(seconds=lease_seconds)
                    values = {"owner": owner, "lease_until": lease, "fence": planned.fence + 1}
                    return change(connection, planned, "claimed", owner, "", now, **values)
                due = due.where(~alike(planned))
            return None

    def holds(self, bot: str | None = None) -> Sequence[Hold]:
        """What keeps back deliveries that are due, of a bot or of all; one for each bot and account."""
        now, found = self._database.now(), list[Hold]()
        with self._database.read() as connection:
            halts = self._switches.found(connection)
            own_now = read_time(connection, self._database)
            waiting = read_deliveries(connection, delivery_rows().where(is_due(now)))
            for first, count in counted(waiting):
                why = held_by(connection, first, halts, self._limits(first.bot), now, own_now)
                if why and bot in (None, first.bot):
                    until = why.until and now + (why.until - own_now)
                    found.append(Hold(first.bot, first.account, why.reason, until, count))
        return merged(found)

    def begin_sending(self, delivery: Delivery) -> Delivery:
        """Commit the attempt; only after this may a byte leave.

        None may leave if the delivery that is returned is suspect: it may be there already. Raises Conflict
        if the claim was lost, Stopped if posting was stopped meanwhile.
        """
        if self._mark is None:
            return self._begin(delivery)
        place = self._mark.reserve(delivery, self._database.now())
        sending = self._begin(delivery)
        if not sending.suspect:
            self._mark.confirm(place)
        return sending

    def _begin(self, delivery: Delivery) -> Delivery:
        now = self._database.now()
        with self._database.write() as connection:
            _check_fence(connection, delivery, "sending")
            if halt := halted(delivery, self._switches.found(connection)):
                raise Stopped(told(halt))
            charge(connection, delivery, keep_time(connection, self._database, always=True))
            before = lineage.since(connection, delivery)
            row = {"delivery": delivery.id, "fence": delivery.fence, "started_at": before or now}
            connection.execute(insert(attempts).values(row))
            epoch = {"epoch": lineage.present_epoch()}
            sending = change(connection, delivery, "sending", delivery.owner or "", "", now, **epoch)
        return replace(sending, suspect=before is not None and delivery.kind != "put")

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
        """Record what came of a delivery that is claimed, sending or uncertain.

        reason: a sentence for people. receipt: needed for sent. due_at: when a planned one is tried again, at
        once if None; when the target of an uncertain one is asked, never if None. actor: who settles it, the
        owner if "". awaits: the owners that may still be sending it. Raises Conflict if the delivery
        has moved on since it was read, if its state does not lead to `state`, or if another delivery of the
        account has this receipt.
        """
        now = self._database.now()
        values: dict[str, Any] = {"owner": None, "lease_until": None}
        if delivery.state != "claimed":  # a claim that comes to nothing ends no attempt before it
            values["awaits"] = awaits
        if state in ("planned", "uncertain"):
            values["due_at"] = due_at or (now if state == "planned" else None)
        if delivery.state == "uncertain":  # whoever says what became of it has made sure of it
            values["epoch"] = lineage.present_epoch()
        with self._database.write() as connection:
            _check_fence(connection, delivery, state)
            if state == "sent":
                values |= _proof(connection, delivery, receipt or Receipt())
            book(connection, delivery, state, keep_time(connection, self._database, always=True))
            return change(connection, delivery, state, actor or delivery.owner or "", reason, now, **values)

    def get(self, id: int) -> Delivery:
        """Raises NotFound."""
        with self._database.read() as connection:
            return read_delivery(connection, id)

    def unfinished(self) -> Sequence[Delivery]:
        """Claimed or sending: in flight, or left behind by an owner that died."""
        with self._database.read() as connection:
            return read_deliveries(connection, delivery_rows().where(deliveries.c.state.in_(IN_FLIGHT)))

    def list(
        self, state: DeliveryState | None = None, bot: str | None = None, draft: int | None = None
    ) -> Sequence[Delivery]:
        """Oldest first."""
        rows = delivery_rows()
        if state is not None:
            rows = rows.where(deliveries.c.state == state)
        if bot is not None:
            rows = rows.where(drafts.c.bot == bot)
        if draft is not None:
            rows = rows.where(deliveries.c.draft == draft)
        with self._database.read() as connection:
            return read_deliveries(connection, rows)

    def steps(self, draft: int) -> Sequence[Step]:
        """What a draft's deliveries went through, in order."""
        rows = (
            select(
                deliveries.c.target, events.c.new.label("state"), events.c.actor, events.c.reason, events.c.at
            )
            .join(deliveries, deliveries.c.id == events.c.delivery)
            .where(deliveries.c.draft == draft)
            .order_by(events.c.id)
        )
        with self._database.read() as connection:
            return [Step(**row._mapping) for row in connection.execute(rows)]

    def latest_posts(self, limit: int) -> Sequence[tuple[Delivery, datetime]]:
        """The newest of all bots, and when each was known to be there."""
        newest = (
            select(events.c.delivery, events.c.at)
            .where(events.c.new == "sent")
            .order_by(events.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            found = connection.execute(newest).all()
            ids = [row.delivery for row in found]
            rows = read_deliveries(connection, delivery_rows().where(deliveries.c.id.in_(ids)))
            by_id = {delivery.id: delivery for delivery in rows}
            return [(by_id[row.delivery], row.at) for row in found if row.delivery in by_id]

    def last_sent(self, bot: str) -> tuple[Delivery, datetime] | None:
        """The bot's newest post, and when it was known to be there."""
        newest = (
            select(events.c.delivery, events.c.at)
            .join(deliveries, deliveries.c.id == events.c.delivery)
            .join(drafts, drafts.c.id == deliveries.c.draft)
            .where(drafts.c.bot == bot, events.c.new == "sent")
            .order_by(events.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            found = connection.execute(newest).one_or_none()
            if found is None:
                return None
            rows = read_deliveries(connection, delivery_rows().where(deliveries.c.id == found.delivery))
            return (rows[0], found.at) if rows else None


def _paced(pace: Pace, now: datetime) -> Iterator[ColumnElement[bool]]:
    """What is of no resting bot, and not too near to another post of its bot on its target."""
    mine = drafts.alias()
    of_mine = mine.c.id == deliveries.c.draft
    if pace.resting:
        yield ~exists().where(of_mine, mine.c.bot.in_(pace.resting))
    for distance in set(pace.distances.values()):
        bots = [bot for bot, long in pace.distances.items() if long == distance]
        other, theirs = deliveries.alias(), drafts.alias()
        yield ~exists().where(
            attempts.c.started_at > now - distance,
            attempts.c.started_at <= now,  # what lies in the future, a clock that was wrong has written
            other.c.id == attempts.c.delivery,
            other.c.id != deliveries.c.id,
            other.c.target == deliveries.c.target,
            theirs.c.id == other.c.draft,
            of_mine,
            mine.c.bot == theirs.c.bot,
            mine.c.bot.in_(bots),
        )


def plan(connection: Connection, draft: Draft, outlets: Sequence[Outlet], actor: str, now: datetime) -> None:
    """One planned delivery for each outlet that has none alive, in a new attempt group of the draft.

    Raises Conflict if that leaves none.
    """
    alive = select(deliveries.c.target).where(
        deliveries.c.draft == draft.id, deliveries.c.state.not_in(["refused", "cancelled"])
    )
    taken = set(connection.scalars(alive))
    wanted = [outlet for outlet in outlets if outlet.target not in taken]
    if not wanted:
        msg = f"draft {draft.id} has been posted to every target of bot {draft.bot!r} already"
        raise Conflict(msg)
    mine = drafts.c.id == draft.id
    connection.execute(update(drafts).where(mine).values(attempt_group=drafts.c.attempt_group + 1))
    origin, group = connection.execute(select(drafts.c.origin, drafts.c.attempt_group).where(mine)).one()
    for outlet in wanted:
        values = asdict(outlet) | {
            "payload": payload(outlet),
            "draft": draft.id,
            "revision_sha256": draft.sha256,
            "attempt_group": group,
            "key": lineage.key(origin, draft.sha256, group, outlet.account, outlet.target),
            "state": "planned",
            "fence": 0,
            "approved_at": now,
        }
        del values["left_out"]  # it was for the eyes of who approves
        blank = dict.fromkeys(("url", "evidence", "reason"), "")
        id = connection.scalar(insert(deliveries).values(values | blank).returning(deliveries.c.id))
        _add_event(connection, id=id, old=None, new="planned", actor=actor, fence=0, reason="", at=now)


def cancel(connection: Connection, draft: int, actor: str, reason: str, now: datetime) -> None:
    """Cancel what is planned for a draft."""
    planned = delivery_rows().where(deliveries.c.draft == draft, deliveries.c.state == "planned")
    for delivery in read_deliveries(connection, planned):
        change(connection, delivery, "cancelled", actor, reason, now)


def change(
    connection: Connection,
    delivery: Delivery,
    state: DeliveryState,
    actor: str,
    reason: str,
    now: datetime,
    **values: Any,
) -> Delivery:
    """Move a delivery on and leave an event; the caller has seen to it that it may."""
    mine, reason = deliveries.c.id == delivery.id, Secret.redact(reason)
    connection.execute(update(deliveries).where(mine).values(values | {"state": state, "reason": reason}))
    changed = read_delivery(connection, delivery.id)
    _add_event(
        connection,
        id=delivery.id,
        old=delivery.state,
        new=state,
        actor=actor,
        fence=changed.fence,
        reason=reason,
        at=now,
    )
    return changed


def _schedule(connection: Connection, draft: Draft, at: datetime) -> Draft:
    """Make an approved draft's deliveries due."""
    mine = (deliveries.c.draft == draft.id) & (deliveries.c.state == "planned")
    connection.execute(update(deliveries).where(mine).values(due_at=at))
    return read_draft(connection, draft.id)


def _check_fence(connection: Connection, delivery: Delivery, state: DeliveryState) -> None:
    current = read_delivery(connection, delivery.id)
    if (current.fence, current.state) != (delivery.fence, delivery.state):
        msg = f"delivery {delivery.id} has moved on: it is {current.state} now, under fence {current.fence}"
        raise Conflict(msg, current)
    if not may_become(current, state):
        msg = f"delivery {delivery.id} is {current.state}: it cannot become {state}"
        raise Conflict(msg)


def _proof(connection: Connection, delivery: Delivery, receipt: Receipt) -> dict[str, Any]:
    """What makes a delivery sent: an id nobody else on the account has, or evidence."""
    if not receipt.remote_id and not receipt.evidence:
        msg = f"delivery {delivery.id} has neither an id from {delivery.target} nor evidence: it is not sent"
        raise Conflict(msg)
    same_post = (deliveries.c.account == delivery.account) & (deliveries.c.remote_id == receipt.remote_id)
    if (other := connection.scalar(select(deliveries.c.id).where(same_post))) is not None:
        msg = f"the post {receipt.remote_id} of {delivery.account} is delivery {other} already"
        raise Conflict(msg)
    return {"remote_id": receipt.remote_id or None, "url": receipt.url, "evidence": receipt.evidence}


def _add_event(connection: Connection, id: int | None, **values: Any) -> None:
    connection.execute(insert(events).values(delivery=id, **values))
