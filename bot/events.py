"""What the bot tells while it works; whoever listens decides how to show it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.curation.chain import Funnel
from bot.curation.variety import Rut, Variety
from bot.records import Delivery, Draft, Halt, Hold, Slot


@dataclass(frozen=True)
class Filled:
    """A batch was sampled and judged; the kept are queued as `drafts`; `waiting` are in the queue now.

    variety: of the drafts, None of fewer than two. ruts: what too many of them have in common.
    """

    bot: str
    funnel: Funnel
    drafts: Sequence[Draft]
    waiting: int
    variety: Variety | None = None
    ruts: Sequence[Rut] = ()


@dataclass(frozen=True)
class Approved:
    """A policy approved drafts, in its own name."""

    bot: str
    policy: str
    drafts: Sequence[Draft]


@dataclass(frozen=True)
class SlotTaken:
    """A slot came; `draft` is None where it passes: nothing was approved, or only what was `held`.

    held: how many are approved that are too like another text of the same week.
    """

    slot: Slot
    draft: Draft | None
    held: int = 0


@dataclass(frozen=True)
class Delivered:
    """A delivery was settled: sent, put off, refused, uncertain; `open` others of its draft are not yet."""

    delivery: Delivery
    open: int


@dataclass(frozen=True)
class Failed:
    """A bot's turn failed; the others go on, and it is tried again after a while.

    host: whether the model host died or hung over it.
    """

    bot: str
    reason: str
    host: bool = False


@dataclass(frozen=True)
class Halted:
    """Somebody or something has stopped posts; `over` when it is over."""

    halt: Halt
    over: bool = False


@dataclass(frozen=True)
class Held:
    """What is due waits for a limit."""

    hold: Hold


@dataclass(frozen=True)
class ClockSet:
    """The clock on the wall was set by `step`: nothing is posted until it is `believed`, or set back."""

    step: timedelta
    believed: bool


@dataclass(frozen=True)
class Waiting:
    """Another process fills and posts on this database."""

    process: str


@dataclass(frozen=True)
class Reach:
    """A server answers, for the first time or again, or for some `reason` does not.

    targets: those that speak to it, as BOT/TARGET.
    """

    server: str
    targets: Sequence[str]
    reason: str = ""


Event = Filled | Approved | SlotTaken | Delivered | Failed | Halted | Held | ClockSet | Waiting | Reach
Tell = Callable[[Event], None]
