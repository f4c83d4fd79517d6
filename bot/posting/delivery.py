"""The way of a delivery from planned to sent: what each outcome leads to. Pure; bot.posting.courier walks it.

planned   -- claim -->             claimed
claimed   -- refused, not sent --> refused, planned     nothing was sent: safe for every kind
claimed   -- attempt committed --> sending
sending   -- sent -->              sent
          -- not sent -->          planned              certainly not done: later, as the target asked
          -- refused -->           refused
          -- unknown --> put       planned              the same post again is the same post
                         key       uncertain            after a quiet time the target is asked; the same
                         query     uncertain            key again then catches what arrives still later
                         opaque    uncertain            only a person can know
uncertain -- its owner ended -->   uncertain            from now on the target can be asked
          -- evidence -->          sent, planned

A key alone allows no repetition: a process that is held up with its request in hand wakes when the target has
forgotten it, and no clock can be asked for how long that was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.posting.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from bot.records import Delivery, DeliveryState, Receipt

QUIET = timedelta(seconds=60)  # twice a call's deadline: by then a killed call is over at the target too
BACKOFF = timedelta(seconds=30), timedelta(hours=1)
WISHES = 5.0, 24 * 3600.0  # seconds; what a target asks for is kept within these
MAX_ATTEMPTS, MAX_AGE = 8, timedelta(hours=24)

Draw = Callable[[], float]  # a random number in [0, 1)


@dataclass(frozen=True, slots=True)
class Step:
    """Where a delivery goes next. due_at: when it is tried again; if uncertain, when the target is asked.

    awaits: the owners that may still be sending it, with spaces between; until they have surely ended nobody
    asks the target, and what they may post counts as made now.
    """

    state: DeliveryState
    reason: str = ""
    due_at: datetime | None = None
    receipt: Receipt | None = None
    awaits: str | None = None


def follow(
    delivery: Delivery, outcome: Outcome, now: datetime, draw: Draw, awaits: str | None = None
) -> Step:
    """What an outcome leads to.

    awaits: the owners of attempts that have not surely ended. While one may go on, asking the target proves
    nothing. But for a put only the latest attempt can be one.
    """
    match outcome:
        case Sent(receipt):
            return Step("sent", receipt=receipt)
        case Refused(reason):
            return _end(delivery, reason, now, awaits)
        case NotSent(reason, retry_after):
            due_at = now + _wait(delivery, retry_after, draw)
            if _may_try(delivery, due_at):
                return Step("planned", reason, due_at, awaits=awaits)
            return _end(delivery, f"given up after {delivery.attempts} attempts: {reason}", now, awaits)
        case Unknown(reason):
            due_at = now + _wait(delivery, None, draw)
            if delivery.kind == "put" and _may_try(delivery, due_at):
                return Step("planned", reason, due_at, awaits=awaits)
            return Step("uncertain", reason, None if awaits else _ask_at(delivery, now), awaits=awaits)


def _may_try(delivery: Delivery, at: datetime) -> bool:
    """Whether one more attempt is allowed; of any age is what a target was asked for and does not have."""
    young = delivery.state == "uncertain" or at - (delivery.first_tried_at or at) <= MAX_AGE
    return young and delivery.attempts < MAX_ATTEMPTS


def _wait(delivery: Delivery, retry_after: float | None, draw: Draw) -> timedelta:
    """As long as the target asked for, or a random time below a bound that doubles with each claim.

    Claims, not attempts: what cannot even be tried, and may not be for weeks, is not looked at every minute.
    """
    if retry_after is not None:
        least, most = WISHES
        return timedelta(seconds=min(most, max(least, retry_after)))  # in this order NaN becomes the least
    shortest, longest = BACKOFF
    bound = min(shortest * 2.0 ** min(delivery.fence, 10), longest)
    return shortest + draw() * (bound - shortest)


def _ask_at(delivery: Delivery, now: datetime) -> datetime | None:
    """When to ask the target for a post: after a quiet time, then ever more seldom, for a day."""
    if delivery.kind == "opaque":
        return None
    if delivery.state != "uncertain":
        return now + QUIET
    age = abs(now - (delivery.first_tried_at or now))  # a clock may have been set back since
    return now + max(QUIET, age) if age <= MAX_AGE else None


def _end(delivery: Delivery, reason: str, now: datetime, awaits: str | None) -> Step:
    """Refused, unless an attempt before this one was repeated although it may have got through, or may yet.

    The target is asked then, but only after an attempt: of those there are so many and no more.
    """
    if awaits:
        return Step("uncertain", f"{reason} (an earlier attempt may still be under way)", awaits=awaits)
    tried = delivery.state == "sending"
    if delivery.kind == "put" and delivery.state != "uncertain" and delivery.attempts > tried:
        ask_at = _ask_at(delivery, now) if tried else None
        return Step("uncertain", f"{reason} (an earlier attempt may have got through)", ask_at)
    return Step("refused", reason)
