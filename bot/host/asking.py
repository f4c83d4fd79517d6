"""The parent's side of the model host: orders go in together, answers come out one by one.

Whatever breaks the host breaks it for one order: the others are asked again, and that one's bot is asked
alone from then on. It does not know what becomes of the answers.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Self

from bot.child import Child
from bot.config import Config
from bot.errors import BotError, ChildError
from bot.host.orders import MOST_TOKENS, Answer, Hint, Order
from bot.host.serving import SAMPLED, ModelHost
from bot.records import Suggestion

DEADLINE = 300.0  # seconds to sample MOST_TOKENS, or fewer, and to judge one's samples: longer is a hang
ENOUGH = 2  # orders in a row that broke the host, each alone: then it is not they but what all have in common


def open_host(config: Config) -> "Host":
    """A host for this configuration's bots."""
    return Host(Child(partial(ModelHost, config), "model host"))


class Host:
    """For one thread at a time. The child starts with the first order, and again after a death."""

    def __init__(self, child: Child, deadline: float = DEADLINE):
        self._child, self._deadline = child, deadline
        self._suspects: set[str] = set()  # bots whose orders broke the host when last asked
        self._ended = threading.Event()

    def ask_all(self, orders: Sequence[Order]) -> Iterator[tuple[Order, Answer]]:
        """Each order once, with its judged samples or with what went wrong, as soon as it is known.

        orders: of the same checkpoints; those of one checkpoint are sampled in one decode.
        """
        suspected = [order for order in orders if order.bot in self._suspects]
        yield from self._ask([order for order in orders if order not in suspected])
        yield from self._alone(suspected)

    def hint(self, hint: Hint) -> Sequence[Suggestion]:
        """What may follow a prefix. Raises BotError."""
        [suggestions] = self._child.ask_each(hint, self._deadline)
        return list(suggestions)

    def kill(self) -> None:
        """For another thread than the one that asks: what is in hand is given up, and nothing begun."""
        self._ended.set()
        self._child.kill()

    def close(self) -> None:
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, orders: Sequence[Order]) -> Iterator[tuple[Order, Answer]]:
        left, work = deque(orders), sum(order.most_tokens for order in orders)
        deadline = self._deadline * max(1.0, work / MOST_TOKENS)
        while left and not self._ended.is_set():
            sampled = False
            try:
                for answer in self._child.ask_each(tuple(left), deadline):
                    if answer == SAMPLED:
                        sampled = True
                        continue
                    self._suspects.discard(left[0].bot)
                    yield left.popleft(), answer
            except Exception as error:  # whatever the child raised as well
                if self._ended.is_set():
                    return
                if not sampled and len(left) > 1:  # it could be any of them
                    yield from self._alone(left)
                    return
                if isinstance(error, ChildError):
                    self._suspects.add(left[0].bot)
                yield left.popleft(), error

    def _alone(self, orders: Sequence[Order]) -> Iterator[tuple[Order, Answer]]:
        """One after the other, as long as not all break the host."""
        broken: list[str] = []
        for order in orders:
            if len(broken) == ENOUGH:
                msg = f"not asked, for {' and '.join(broken)} had just broken the model host, each alone"
                yield order, BotError(msg)
                continue
            for _, answer in self._ask([order]):
                broken = [*broken, order.bot] if isinstance(answer, ChildError) else []
                yield order, answer
