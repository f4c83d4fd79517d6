"""Ways to deliver that look right and are not: histories that do not find them would prove nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.simulation.history import Deliver, Sender, Store, by_courier
from benchmarks.simulation.world import Process
from bot.posting.courier import Courier
from bot.posting.delivery import Step
from bot.posting.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from bot.records import Delivery, DeliveryState, Receipt
from bot.uptime import Machine, following


class OnExpiredLease(Courier):
    """Whose lease is over has ended: the target is asked, and what is not there is posted."""

    def _left_behind(self, delivery: Delivery, over: bool) -> Step:
        return super()._left_behind(delivery, over=True)


class Unfenced(Store):
    """Writes whatever it is told of a delivery, however much has happened since the teller read it."""

    def _current(self, delivery: Delivery, state: DeliveryState) -> Delivery:
        return delivery


class ByTheWall(Store):
    """Limits are counted by the clock on the wall, which can be set."""

    def machine_of(self, process: Process) -> Machine:
        return following(process.world.wall)


class TrustingKeys(Courier):
    """A key is used again without asking, as if its target knew it for ever."""

    def _conclude(self, delivery: Delivery, outcome: Outcome) -> None:
        super()._conclude(delivery, _again(delivery, outcome))

    def _left_behind(self, delivery: Delivery, over: bool) -> Step:
        step = super()._left_behind(delivery, over)
        again = step.state == "uncertain" and delivery.kind == "key"
        return Step("planned", step.reason, self.clock()) if again else step


class Forgetful(Courier):
    """Who was lost sight of once is not looked for any more, and its deliveries stay in doubt for ever."""

    def _resume(self, delivery: Delivery) -> Delivery:
        return delivery


def _again(delivery: Delivery, outcome: Outcome) -> Outcome:
    if delivery.kind == "key" and delivery.state == "sending" and isinstance(outcome, Unknown):
        return NotSent(outcome.reason)
    return outcome


class MarkedBefore(Courier):
    """A post is marked as sent, and then it is made."""

    def _send(self, delivery: Delivery) -> Outcome:
        self._settle(delivery, Step("sent", receipt=Receipt(evidence="it will be")))
        return super()._send(delivery)


@dataclass(frozen=True)
class PostThenMark:
    """The naive way, as the control: post what is due, mark it if that went well, else try again later."""

    store: Store
    sender: Sender

    def deliver_due(self) -> None:
        for delivery in self.store.list("planned"):
            if delivery.due_at and delivery.due_at <= self.store.now():
                match self.sender.post_at_once(delivery):
                    case Sent(receipt):
                        self.store.mark(delivery, "sent", receipt)
                    case Refused():
                        self.store.mark(delivery, "refused")

    def leave(self) -> None:
        """It keeps nothing to take up."""


@dataclass(frozen=True)
class Way:
    """What a process runs in a history."""

    deliver: Deliver
    store: type[Store] = Store


OURS = Way(by_courier)
NAIVE = Way(lambda history, process, store, sender: PostThenMark(store, sender))
MUTANTS: Mapping[str, Way] = {
    "post on an expired lease": Way(partial(by_courier, courier=OnExpiredLease)),
    "no fence": Way(by_courier, Unfenced),
    "key lifetime ignored": Way(partial(by_courier, courier=TrustingKeys)),
    "a doubt is forgotten": Way(partial(by_courier, courier=Forgetful)),
    "limits by the wall clock": Way(by_courier, ByTheWall),
    "mark before post": Way(partial(by_courier, courier=MarkedBefore)),
}
