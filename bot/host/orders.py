"""What the model host is asked for, and which orders go into one question. It knows no queue and no model."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from bot.errors import BotError
from bot.records import Judged, Sampling

Asked = tuple[Sampling, int, range]  # a sampling, a seed, the samples' indices

MOST_SAMPLES = 4096  # in one order, as in a bot's batch_size
MOST_TOKENS = 2_000_000  # in one question, if it holds several orders: minutes on one core


@dataclass(frozen=True)
class Part:
    """So many samples of a checkpoint, made so."""

    checkpoint: str  # its name, no pointer
    sampling: Sampling
    count: int


@dataclass(frozen=True)
class Order:
    """Judged samples for a bot, part after part; their indices go on from one part to the next.

    seen: fingerprints of all it has queued; queued: the newest of these texts; posts: its recent posts.
    """

    bot: str
    model: str
    parts: tuple[Part, ...]
    seed: int
    seen: frozenset[int] = frozenset()
    posts: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count > MOST_SAMPLES:
            msg = f"bot {self.bot}: {self.count} texts at one go; at most {MOST_SAMPLES}, ask several times"
            raise BotError(msg)

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def most_tokens(self) -> int:
        """If every sample is as long as it may be."""
        return sum(part.count * part.sampling.max_length for part in self.parts)

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """Those of its parts, each once."""
        return tuple(dict.fromkeys(part.checkpoint for part in self.parts))

    @property
    def requests(self) -> list[tuple[str, Asked]]:
        """For each part its checkpoint, and what the sampler of that one is asked."""
        ends = accumulate(part.count for part in self.parts)
        return [
            (part.checkpoint, (part.sampling, self.seed, range(end - part.count, end)))
            for part, end in zip(self.parts, ends, strict=True)
        ]


@dataclass(frozen=True)
class Hint:
    """Which tokens may follow a prefix, so many of the likeliest."""

    model: str
    checkpoint: str
    prefix: str
    count: int


Answer = list[Judged] | Exception


def in_groups(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """The orders in as few questions as may be: of the same checkpoints, at most MOST_TOKENS or one order.

    What does not fit waits for the next question.
    """
    by_checkpoints: dict[tuple[str, ...], list[Order]] = {}
    for order in orders:
        by_checkpoints.setdefault((order.model, *sorted(order.checkpoints)), []).append(order)
    for same in by_checkpoints.values():
        group, tokens = list[Order](), 0
        for order in same:
            if group and tokens + order.most_tokens > MOST_TOKENS:
                yield group
                group, tokens = [], 0
            group.append(order)
            tokens += order.most_tokens
        yield group
