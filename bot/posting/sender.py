"""Asks targets, in a child process and under a total deadline, and says what came of it.

Whatever a target does, the answer is an outcome: it may raise, hang, exit or print. The child builds the
targets. It ends with its parent, and at its own deadline too, so that no call outlives a killed parent.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bot import errors
from bot.child import Answer, Child
from bot.interfaces import Target
from bot.posting.fit import chosen, manner, objection
from bot.posting.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from bot.records import Attachment, Delivery, Media, Post, Receipt, Secret

DEADLINE = 30.0  # seconds, for all of a call
Build = Callable[[str, str], Target]  # of a bot's name and a target's
Fetch = Callable[[Sequence[Media]], tuple[Attachment, ...]]


def nothing(media: Sequence[Media]) -> tuple[Attachment, ...]:
    """Of deliveries that have no attachments."""
    return ()


class Sender:
    """build: picklable; it is called in the child, once for each target.

    fetch: the attachments of a delivery, with their bytes; raises BotError if one is missing.
    """

    def __init__(self, build: Build, deadline: float = DEADLINE, fetch: Fetch = nothing):
        self._child = Child(partial(_open, build, deadline), "sender")
        self._deadline, self._fetch = deadline, fetch

    def check(self, delivery: Delivery) -> Refused | NotSent | None:
        """What forbids the delivery before anything is sent; None if nothing does."""
        try:
            self._fetch(delivery.media)
        except errors.BotError as error:
            return Refused(_line(error))
        answer: Refused | NotSent | Unknown | None = self._ask("check", delivery)
        return NotSent(answer.reason) if isinstance(answer, Unknown) else answer

    def post(self, delivery: Delivery) -> Outcome:
        """Post once."""
        try:
            attachments = self._fetch(delivery.media)
        except errors.BotError as error:
            return NotSent(_line(error))
        outcome: Outcome = self._ask("post", delivery, attachments)
        return outcome

    def find(self, delivery: Delivery) -> Outcome:
        """Ask the target whether the post is there: Sent, NotSent or Unknown."""
        outcome: Outcome = self._ask("find", delivery)
        return outcome

    def close(self) -> None:
        self._child.close()

    def _ask(self, verb: str, delivery: Delivery, attachments: tuple[Attachment, ...] = ()) -> Any:
        try:
            return self._child.ask((verb, delivery, attachments), self._deadline)
        except errors.ChildError as error:
            return Unknown(_line(error))


def as_post(delivery: Delivery, attachments: tuple[Attachment, ...] = ()) -> Post:
    """What the target is asked for, the same at every attempt."""
    created_at = delivery.first_tried_at or delivery.approved_at
    return Post(delivery.text, delivery.key, delivery.bot, created_at, attachments)


def _open(build: Build, deadline: float) -> Answer:
    """The child's answering function."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent finishes what is in flight, then ends us
    _end_with_parent()
    targets: dict[tuple[str, str], Target] = {}

    def answer(question: tuple[str, Delivery, tuple[Attachment, ...]]) -> Outcome | None:
        verb, delivery, attachments = question
        name = delivery.bot, delivery.target
        signal.setitimer(signal.ITIMER_REAL, deadline + 1)  # the kernel keeps it, whatever holds this process
        try:
            if name not in targets:
                targets[name] = build(*name)
        except BaseException as error:
            return Unknown(_line(error)) if verb == "find" else NotSent(_line(error))
        else:
            return VERBS[verb](targets[name], delivery, attachments)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return answer


def _check(
    target: Target, delivery: Delivery, attachments: tuple[Attachment, ...] = ()
) -> Refused | NotSent | None:
    approved, now = (delivery.account, delivery.kind), (target.account, target.kind)
    if approved != now:
        return Refused(f"approved for {approved[0]} ({approved[1]}), but it would go to {now[0]} ({now[1]})")
    try:
        reason = objection(delivery.target, target, delivery.text) or _changed(target, delivery)
    except BaseException as error:
        return NotSent(_line(error))
    return Refused(reason) if reason else None


def _changed(target: Target, delivery: Delivery) -> str:
    """What of the target is not as it was approved, "" if all is."""
    if delivery.payload and (now := manner(target)) != delivery.manner:
        return f"approved to be posted {delivery.manner or 'plain'!r}, but it would be {now or 'plain'!r}"
    if chosen(target, delivery.media) != delivery.media:
        names = ", ".join(one.name for one in delivery.media)
        return f"approved with {names}, but {delivery.target} does not take that any more"
    return ""


def _post(target: Target, delivery: Delivery, attachments: tuple[Attachment, ...] = ()) -> Outcome:
    try:
        receipt = target.post(as_post(delivery, attachments))
    except errors.Refused as error:
        return Refused(_line(error), error.denied)
    except errors.NotSent as error:
        return NotSent(_line(error), error.retry_after)
    except BaseException as error:
        return Unknown(_line(error))
    return _proven(receipt)


def _find(target: Target, delivery: Delivery, attachments: tuple[Attachment, ...] = ()) -> Outcome:
    try:
        receipt = target.find(as_post(delivery))
    except BaseException as error:
        return Unknown(_line(error))
    return _proven(receipt) if receipt is not None else NotSent("it was asked for and is not there")


VERBS: dict[str, Callable[..., Outcome | None]] = {
    "check": _check,
    "post": _post,
    "find": _find,
}


def _proven(receipt: object) -> Sent | Unknown:
    """Nothing counts as sent without an id or evidence."""
    if isinstance(receipt, Receipt) and (receipt.remote_id or receipt.evidence):
        return Sent(Receipt(str(receipt.remote_id), str(receipt.url), str(receipt.evidence)))
    return Unknown(f"the target answered {str(receipt)[:100]!r}, which proves nothing")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _line(error: BaseException) -> str:
    text = Secret.redact(" ".join(str(error).split()))[:300]
    if isinstance(error, errors.BotError | errors.Refused | errors.NotSent):
        return text
    return f"{type(error).__name__}: {text}"
