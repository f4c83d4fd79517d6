"""The child's side of the model host: loads, samples for all orders of a question in one decode, and judges.

It knows no queue and no post: what they know of a bot comes with each order.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.child import portable
from bot.config import Config
from bot.curation.chain import Chain, Context
from bot.curation.earlier import Earlier
from bot.curation.normal import fingerprint
from bot.curation.novelty import FILE_NAME, HashedTrainingSet, TextTrainingSet
from bot.curation.profile import FILE_NAME as PROFILE
from bot.host.orders import Answer, Asked, Hint, Order
from bot.host.shelf import Shelf
from bot.house import House
from bot.interfaces import Profile
from bot.model import checkpoint
from bot.records import Candidate, Judged, Suggestion

if TYPE_CHECKING:
    from bot.model.sampling import Sampler

SAMPLED = "sampled"  # the first piece of every answer: what breaks from here on is one order's own


class ModelHost:
    """Answers orders of one model with SAMPLED and then, in their order, an Answer each; a Hint at once."""

    def __init__(self, config: Config):
        self._house = House(config)
        self._models = Shelf(config.host.memory, self._load, self._weigh)
        self._filters = cache(self._house.filters)

    def __call__(self, asked: Sequence[Order] | Hint) -> Iterator[Answer | str | list[Suggestion]]:
        if isinstance(asked, Hint):
            yield self._models(asked.model, asked.checkpoint).sampler.suggest(asked.prefix, asked.count)
        else:
            yield from self._serve(asked)

    def _serve(self, orders: Sequence[Order]) -> Iterator[Answer | str]:
        with redirect_stdout(sys.stderr):  # what plugins print shall not spoil the command's own output
            samples = self._sample(orders)
        yield SAMPLED
        for order in orders:
            parts = [(part.checkpoint, next(samples[part.checkpoint])) for part in order.parts]
            with redirect_stdout(sys.stderr):
                answer = self._judge(order, parts)
            yield answer

    def _sample(self, orders: Sequence[Order]) -> dict[str, Iterator[list[Candidate]]]:
        """Of each checkpoint what its parts get, in their order; one decode for all of them."""
        asked: dict[str, list[Asked]] = {}
        for name, request in (it for order in orders for it in order.requests):
            asked.setdefault(name, []).append(request)
        model = orders[0].model
        return {
            name: iter(self._models(model, name).sampler.sample_many(requests))
            for name, requests in asked.items()
        }

    def _judge(self, order: Order, parts: Iterable[tuple[str, Sequence[Candidate]]]) -> Answer:
        """Each checkpoint's by what that one has read; what was kept of one is seen by the next."""
        try:
            seen, earlier = set(order.seen), Earlier(order.queued, order.posts)
            judged: list[Judged] = []
            for name, candidates in _by_checkpoint(parts).items():
                loaded = self._models(order.model, name)
                context = Context(loaded.training_set, seen, loaded.open_profile, earlier)
                judged += Chain(self._filters(order.bot), context).judge(candidates, order.posts)
                seen.update(fingerprint(one.candidate.text) for one in judged if one.kept)
            return judged
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


def _by_checkpoint(parts: Iterable[tuple[str, Sequence[Candidate]]]) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for name, candidates in parts:
        found.setdefault(name, []).extend(candidates)
    return found


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
