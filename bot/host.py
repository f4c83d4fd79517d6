"""The model host: a child process that samples and judges, so that a crash there harms nobody else.

It knows no queue and no post: what they know of a bot comes with each order.
"""

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

from bot.child import Child
from bot.config import Config
from bot.curation.bands import temperatures
from bot.curation.chain import Chain, Context
from bot.house import House
from bot.model import checkpoint
from bot.records import Judged, Sampling


@dataclass(frozen=True)
class Order:
    """`count` judged samples for a bot. seen: fingerprints of all it has queued; posts: its recent posts."""

    bot: str
    count: int
    seed: int
    seen: frozenset[int]
    posts: tuple[str, ...]


def open_host(config: Config) -> Child:
    """A host for this configuration's bots; it answers an Order with a list of Judged."""
    return Child(partial(ModelHost, config), "model host")


class ModelHost:
    """Lives in the child. A checkpoint is loaded once; a new `best` is taken up with the next order.

    A bot uses one checkpoint at a time, so no more are kept: `best` changes often while a model is trained.
    """

    def __init__(self, config: Config):
        self._house = House(config)
        kept = lru_cache(maxsize=len(config.bots))
        self._sampler, self._training_set = kept(self._house.sampler), kept(self._house.training_set)
        self._filters = cache(self._house.filters)

    def __call__(self, order: Order) -> list[Judged]:
        setting = self._house.bot(order.bot)
        folder = self._house.checkpoint(setting.model, setting.checkpoint)
        sampler = self._sampler(setting.model, folder.name)
        sampling = sampling_of(self._house, order.bot, folder)
        candidates = sampler.sample(sampling, order.seed, range(order.count))
        context = Context(self._training_set(setting.model, folder), order.seen)
        with redirect_stdout(sys.stderr):  # a filter that prints shall not spoil the command's own output
            return Chain(self._filters(order.bot), context).judge(candidates, order.posts)


def sampling_of(house: House, bot: str, folder: Path) -> Sampling:
    """A bot's sampling; a band becomes temperatures by the checkpoint's own calibration."""
    chosen = house.bot(bot).sampling
    if chosen.band is None:
        return Sampling(chosen.temperature, chosen.max_length)
    calibration = checkpoint.read_meta(folder).calibration
    return Sampling(temperatures(chosen.band, calibration), chosen.max_length, chosen.band)
