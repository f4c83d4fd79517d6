"""Keeps what took long to load, within a budget of memory. It does not know what it keeps."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from bot.errors import BotError


class Sized(Protocol):
    """size: bytes it takes."""

    @property
    def size(self) -> int: ...


Kept = TypeVar("Kept", bound=Sized)


class Shelf(Generic[Kept]):
    """load: makes what a key stands for. weigh: about how many bytes that will be, known before.

    What was not used for longest makes room, before the loading and again when the size is known.
    Raises BotError for what alone exceeds the budget.
    """

    def __init__(self, budget: int, load: Callable[..., Kept], weigh: Callable[..., int]):
        self._budget, self._load, self._weigh = budget, load, weigh
        self._kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()

    def __call__(self, *key: str) -> Kept:
        if key not in self._kept:
            self._make_room(key, self._weigh(*key))
            loaded = self._load(*key)
            self._make_room(key, loaded.size)
            self._kept[key] = loaded
        self._kept.move_to_end(key)
        return self._kept[key]

    @property
    def size(self) -> int:
        return sum(kept.size for kept in self._kept.values())

    def _make_room(self, key: tuple[str, ...], size: int) -> None:
        if size > self._budget:
            name = "/".join(key)
            msg = f"{name} takes {_mib(size)} of memory, and host.memory is {_mib(self._budget)}: raise it"
            raise BotError(msg)
        while self.size + size > self._budget:
            self._kept.popitem(last=False)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
