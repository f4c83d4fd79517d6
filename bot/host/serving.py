"""The child's side of the model host: loads, samples for all orders of a question in one decode, and judges.

It knows no queue and no post: what they know of a bot comes with each order.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.child import portable
from bot.config import Config
from bot.curation.chain import Chain, Context
from bot.curation.earlier import Earlier
from bot.curation.novelty import FILE_NAME, HashedTrainingSet, TextTrainingSet
from bot.curation.profile import FILE_NAME as PROFILE
from bot.host.orders import Answer, Order
from bot.host.shelf import Shelf
from bot.house import House
from bot.interfaces import Profile
from bot.model import checkpoint
from bot.records import Candidate

if TYPE_CHECKING:
    from bot.model.sampling import Sampler

SAMPLED = "sampled"  # the first piece of every answer: what breaks from here on is one order's own


class ModelHost:
    """Answers orders of one checkpoint with SAMPLED and then, in their order, an Answer each."""

    def __init__(self, config: Config):
        self._house = House(config)
        self._models = Shelf(config.host.memory, self._load, self._weigh)
        self._filters = cache(self._house.filters)

    def __call__(self, orders: Sequence[Order]) -> Iterator[Answer | str]:
        with redirect_stdout(sys.stderr):  # what plugins print shall not spoil the command's own output
            loaded = self._models(orders[0].model, orders[0].checkpoint)
            requests = [request for order in orders for request in order.requests]
            samples = iter(loaded.sampler.sample_many(requests))
        yield SAMPLED
        for order in orders:
            candidates = [one for _ in order.parts for one in next(samples)]
            with redirect_stdout(sys.stderr):
                answer = self._judge(order, candidates, loaded)
            yield answer

    def _judge(self, order: Order, candidates: Sequence[Candidate], loaded: "_Loaded") -> Answer:
        try:
            earlier = Earlier(order.queued, order.posts)
            context = Context(loaded.training_set, order.seen, loaded.open_profile, earlier)
            return Chain(self._filters(order.bot), context).judge(candidates, order.posts)
        except Exception as error:  # it ends this order, and no other
            return portable(error)

    def _load(self, model: str, name: str) -> "_Loaded":
        folder = self._house.checkpoint(model, name)
        open_profile = cache(partial(self._house.profile, model, folder))  # when a filter asks for it
        return _Loaded(
            self._house.sampler(model, name), self._house.training_set(model, folder), open_profile
        )

    def _weigh(self, model: str, name: str) -> int:
        """The weights in float32, the novelty index and the profile: the least that it will be."""
        folder = self._house.checkpoint(model, name)
        wider = 2 if checkpoint.read_meta(folder).precision == "float16" else 1
        beside = _file_size(folder / FILE_NAME) + _file_size(folder / PROFILE)
        return wider * _file_size(folder / checkpoint.WEIGHTS) + beside


@dataclass(frozen=True)
class _Loaded:
    """A model and what it has read."""

    sampler: "Sampler"
    training_set: HashedTrainingSet | TextTrainingSet
    open_profile: Callable[[], Profile]

    @property
    def size(self) -> int:
        return self.sampler.size + self.training_set.size


def _file_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0  # that it is missing, the loading says
