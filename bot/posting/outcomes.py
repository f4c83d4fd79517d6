"""What can come of asking a target for something. There is no fifth outcome."""

from dataclasses import dataclass

from bot.records import Receipt


@dataclass(frozen=True, slots=True)
class Sent:
    """The post is there, and this proves it."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was posted and the same post never will be; denied: for the account's sake, not the post's."""

    reason: str
    denied: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was posted, certainly; retry_after: seconds as the target asked for them."""

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may be there or not."""

    reason: str


Outcome = Sent | Refused | NotSent | Unknown
