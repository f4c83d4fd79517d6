"""What a person decides about drafts that are on their way: in which order they go, and what is in doubt.

What became of a delivery in doubt only a person can say who has looked; what they say is kept as evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.errors import BotError, Conflict
from bot.records import Delivery, Draft, Receipt
from bot.store.deliveries import Deliveries


@dataclass(frozen=True)
class Outgoing:
    """Where `actor` decides. Every method raises NotFound.

    fence: of the delivery as it was looked at; Conflict, with it as it is now, if it has moved on since.
    """

    deliveries: Deliveries
    actor: str

    def uncertain(self, bot: str | None = None) -> Sequence[Delivery]:
        """What may have been posted or not, the oldest first."""
        return self.deliveries.list(state="uncertain", bot=bot)

    def was_posted(self, id: int, where: str, fence: int | None = None) -> Delivery:
        """It is there: at this address, or under this id. Raises BotError if nothing is said of where."""
        where = where.strip()
        if not where:
            msg = f"delivery {id}: say where it was posted, by the post's address or id: that is the evidence"
            raise BotError(msg)
        is_address = where.startswith(("https://", "http://"))
        receipt = Receipt(
            remote_id="" if is_address else where,
            url=where if is_address else "",
            evidence=f"seen by {self.actor}: {where}",
        )
        delivery = self._in_doubt(id, fence)
        reason = f"{self.actor} has seen it: {where}"
        return self.deliveries.settle(delivery, "sent", reason, receipt, actor=self.actor)

    def was_not_posted(self, id: int, fence: int | None = None) -> Delivery:
        """It is not there: it is planned again, and due at once."""
        delivery = self._in_doubt(id, fence)
        reason = f"{self.actor} has looked: it was not posted"
        return self.deliveries.settle(delivery, "planned", reason, actor=self.actor)

    def cancel(self, id: int, fence: int | None = None) -> Delivery:
        """Whether it is there or not, it shall not be tried again."""
        delivery = self._in_doubt(id, fence)
        return self.deliveries.settle(delivery, "cancelled", f"given up by {self.actor}", actor=self.actor)

    def move(self, draft: int, to: Literal["up", "down", "first", "last"]) -> bool:
        """Let slots take an approved draft sooner or later; False if it was there already."""
        return self.deliveries.move(draft, to)

    def waiting(self, bot: str | None) -> Sequence[Draft]:
        """The bot's approved drafts in the order that slots take them; those of all, bot by bot, if None."""
        bots = self.deliveries.waited_for() if bot is None else [bot]
        return [draft for bot in bots for draft in self.deliveries.waiting(bot)]

    def _in_doubt(self, id: int, fence: int | None) -> Delivery:
        delivery = self.deliveries.get(id)
        if delivery.state != "uncertain" or fence not in (None, delivery.fence):
            msg = f"delivery {id} is {delivery.state} by now: there is nothing to settle"
            if delivery.state == "uncertain":
                msg = f"delivery {id} was tried again since you looked: look again"
            raise Conflict(msg, delivery)
        return delivery
