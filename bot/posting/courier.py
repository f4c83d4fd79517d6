"""Walks deliveries along their way: claims, checks, commits the attempt, sends, settles.

What follows from an outcome it asks bot.posting.delivery; what lives in the database, of its store.
It knows no SQL, no target and no scheduler.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.errors import Conflict, Stopped
from bot.posting.course import UNTRIED
from bot.posting.delivery import QUIET, Draw, Step, follow
from bot.posting.outcomes import NotSent, Outcome, Refused, Unknown
from bot.posting.owner import is_dead
from bot.records import Delivery, DeliveryState, Pace, Receipt, Secret, Verdict

log = logging.getLogger(__name__)

AT_ONCE = Pace()
LEASE = timedelta(seconds=90)
ROOM_TO_SEND = timedelta(seconds=40)  # no send begins with less of its lease left


class Store(Protocol):
    """Where deliveries live. What is fenced raises Conflict if the delivery has moved on since it was read.

    An uncertain delivery keeps the account free; while one is claimed or sending, no other of its account is.
    """

    def claim(
        self, owner: str, lease_seconds: float, draft: int | None = None, pace: Pace = AT_ONCE
    ) -> Delivery | None: ...

    def begin_sending(self, delivery: Delivery) -> Delivery:
        """Durably record the attempt; fenced. Nothing may be sent of one that comes back as suspect.

        Raises Stopped if nothing may be posted any more.
        """

    def settle(
        self,
        delivery: Delivery,
        state: DeliveryState,
        reason: str,
        receipt: Receipt | None = None,
        due_at: datetime | None = None,
        *,
        awaits: str | None = None,
    ) -> Delivery:
        """Durably record what came of it; fenced."""

    def get(self, id: int) -> Delivery: ...

    def unfinished(self) -> Sequence[Delivery]:
        """Those claimed or sending."""

    def list(self, state: DeliveryState) -> Sequence[Delivery]: ...


class Sender(Protocol):
    """Asks targets. It raises nothing: whatever happens there is an outcome."""

    def check(self, delivery: Delivery) -> Refused | NotSent | None: ...

    def post(self, delivery: Delivery) -> Outcome: ...

    def find(self, delivery: Delivery) -> Outcome: ...


def _tell(delivery: Delivery) -> None:
    log.info("%s: %s %s", delivery.target, delivery.state, delivery.reason)


@dataclass(frozen=True)
class Courier:
    """Delivers what is due, one at a time. One thread at a time may use it.

    gate: what the fixed gate says of a delivery; a reject forbids it. owner: from owner.identify, and of
    nobody else. told: is shown each delivery that was settled. dead: whether an owner has surely ended.
    steady: seconds by a clock that nobody sets. pace: what holds back now what is due, unless a person has
    asked for it. heard: is told what the sender answered to a check or a post.
    """

    store: Store
    sender: Sender
    gate: Callable[[Delivery], Sequence[Verdict]]
    owner: str
    clock: Callable[[], datetime]
    draw: Draw = random.random
    told: Callable[[Delivery], None] = _tell
    dead: Callable[[str], bool | None] = is_dead
    steady: Callable[[], float] = time.monotonic
    pace: Callable[[], Pace] = Pace
    heard: Callable[[Delivery, Outcome], None] = lambda delivery, outcome: None
    _doubts: dict[tuple[int, datetime], float] = field(default_factory=dict, init=False, repr=False)
    _heard: list[tuple[Delivery, Outcome]] = field(default_factory=list, init=False, repr=False)

    def deliver_due(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Clear up what died, ask for what is in doubt, send what is due; once stopped, begin no new one."""
        self.recover()
        self.reconcile(stopped)
        while not stopped() and self.deliver_next(stopped=stopped):
            pass

    def deliver_draft(self, draft: int) -> None:
        """Send what is due of one draft, and nothing else."""
        while self.deliver_next(draft):
            pass

    def recover(self) -> None:
        """Take up what dead owners, and this one before an error, have left claimed or sending."""
        self._record()
        for delivery in self.store.unfinished():
            over = self._has_ended(delivery.owner)
            if over or not self._is_leased(delivery):
                self._settle(delivery, self._left_behind(delivery, over))

    def _is_leased(self, delivery: Delivery) -> bool:
        """A lease that is longer than any was given by a clock that was wrong."""
        left = (delivery.lease_until or self.clock()) - self.clock()
        return timedelta() < left <= 2 * LEASE

    def reconcile(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Ask the targets for the posts in doubt whose time has come."""
        doubts = [self._resume(delivery) for delivery in self.store.list(state="uncertain")]
        doubts = [delivery for delivery in doubts if delivery.due_at]
        self._watch(doubts)
        for delivery in doubts:
            if not stopped() and self._is_quiet(delivery):
                self._conclude(delivery, self.sender.find(delivery))

    def leave(self) -> None:
        """Take up what is left of this courier's own: once it has ended, other hosts could not know that."""
        self.recover()
        self.reconcile(lambda: True)

    def deliver_next(self, draft: int | None = None, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Send the delivery that has been due longest, of one draft or any; False if none is due.

        Once stopped, what is claimed is let go before it is sent.
        """
        pace = self.pace() if draft is None else AT_ONCE
        delivery = self.store.claim(self.owner, LEASE.total_seconds(), draft, pace)
        if delivery is None:
            return False
        if forbidden := self._preflight(delivery):
            self._conclude(delivery, forbidden)
            return True
        if stopped():
            self._settle(delivery, Step("planned", UNTRIED, delivery.due_at))
            return False
        try:
            delivery = self.store.begin_sending(delivery)
        except Conflict as error:  # held up for longer than the lease
            log.warning("%s", error)
        except Stopped as error:
            self._settle(delivery, Step("planned", str(error), delivery.due_at))
            return False
        else:
            outcome = self._send(delivery)
            self._heard.append((delivery, outcome))
            self._record()
            if not delivery.suspect:
                self.heard(delivery, outcome)
        return True

    def _preflight(self, delivery: Delivery) -> Outcome | None:
        """What forbids to send it now; None if nothing does."""
        try:
            verdicts = self.gate(delivery)
        except Exception as error:  # a check that fails has allowed nothing
            log.exception("the gate failed")
            return NotSent(f"the gate failed: {Secret.redact(str(error))}")
        for verdict in verdicts:
            if verdict.outcome == "reject":
                return Refused(f"{verdict.filter}: {verdict.reason}")
        if objection := self.sender.check(delivery):
            self.heard(delivery, objection)
        return objection

    def _send(self, delivery: Delivery) -> Outcome:
        if delivery.suspect:
            return Unknown("the database was restored since: it may have been posted before that")
        if delivery.lease_until and delivery.lease_until - self.clock() < ROOM_TO_SEND:
            return NotSent("it was held up until its claim had nearly run out")
        return self.sender.post(delivery)

    def _has_ended(self, owner: str | None) -> bool:
        """Whether an owner's attempt is surely over: this courier's own are, whenever it looks."""
        return owner == self.owner or self.dead(owner or "") is True

    def _open_ended(self, delivery: Delivery, *owners: str | None) -> str | None:
        """Whose attempts may still go on: of these owners, and of those that the delivery awaits already."""
        known = dict.fromkeys([*(delivery.awaits or "").split(), *filter(None, owners)])
        return " ".join(owner for owner in known if not self._has_ended(owner)) or None

    def _resume(self, delivery: Delivery) -> Delivery:
        """A doubt whose owners were lost sight of is as any other, once they have ended.

        Each living process knows its own attempt's end alone, so each takes itself off the list.
        """
        left = self._open_ended(delivery)
        if left == delivery.awaits:
            return delivery
        if left:
            step = Step("uncertain", delivery.reason, awaits=left)
        else:
            ask_at = None if delivery.kind == "opaque" else self.clock() + QUIET
            step = Step("uncertain", "its process has ended since: it may have been posted", ask_at)
        return delivery if self._settle(delivery, step) else self.store.get(delivery.id)

    def _left_behind(self, delivery: Delivery, over: bool) -> Step:
        if delivery.state == "claimed":
            return Step("planned", UNTRIED, delivery.due_at)
        unknown = Unknown("its process ended, or was lost sight of, while sending")
        awaits = self._open_ended(delivery, None if over else delivery.owner)
        return follow(delivery, unknown, self.clock(), self.draw, awaits)

    def _watch(self, doubts: Sequence[Delivery]) -> None:
        """Keep since when each doubt has been here: a wall clock may be set within the quiet time."""
        since = {_doubt(it): self._doubts.get(_doubt(it), self.steady()) for it in doubts}
        self._doubts.clear()
        self._doubts.update(since)

    def _is_quiet(self, delivery: Delivery) -> bool:
        """Whether it is time to ask for it, by both clocks."""
        quiet = self.steady() - self._doubts[_doubt(delivery)] >= QUIET.total_seconds()
        return quiet and delivery.due_at is not None and delivery.due_at <= self.clock()

    def _record(self) -> None:
        """Record what came of attempts, also of those at whose end the store failed."""
        while self._heard:
            self._conclude(*self._heard[0])
            del self._heard[0]

    def _conclude(self, delivery: Delivery, outcome: Outcome) -> None:
        step = follow(delivery, outcome, self.clock(), self.draw, self._open_ended(delivery))
        error = self._settle(delivery, step)
        if error is None:
            return
        current = self.store.get(delivery.id)
        if (current.fence, current.state) == (delivery.fence, delivery.state):
            self._settle(
                current, Step("uncertain", str(error))
            )  # its receipt is another's: a person must look
        elif delivery.state == "sending" and (current.fence, current.state) == (delivery.fence, "uncertain"):
            # others had lost sight of this attempt, and here is what came of it
            self._settle(current, step)

    def _settle(self, delivery: Delivery, step: Step) -> Conflict | None:
        """Record a step; what forbids it if the delivery has moved on or its receipt is another's."""
        try:
            settled = self.store.settle(
                delivery, step.state, step.reason, step.receipt, step.due_at, awaits=step.awaits
            )
        except Conflict as error:
            log.warning("%s; not recorded: %s", error, step)
            return error
        if settled.state == "uncertain" and settled.due_at:
            self._doubts[_doubt(settled)] = self.steady()
        self.told(settled)
        return None


def _doubt(delivery: Delivery) -> tuple[int, datetime]:
    """A doubt that has been settled as one again is a new one."""
    assert delivery.due_at is not None
    return delivery.id, delivery.due_at
