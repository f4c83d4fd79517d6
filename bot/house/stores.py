"""A configuration and its database: each store is opened when it is first asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot import config as settings
from bot.config.places import alternatives
from bot.errors import ConfigError
from bot.records import (
    Limits,
)
from bot.registry import Registry
from bot.review.liking import Liking
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.drafts import Drafts
from bot.store.fills import Fills
from bot.store.judgements import Judgements
from bot.store.lineage import Lineage
from bot.store.overview import Overview
from bot.store.switches import Switches

if TYPE_CHECKING:
    pass

STOP = "STOP"  # the file that stops all bots
Thing = TypeVar("Thing")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Stores:
    """One configuration's stores. data: where relative paths of corpora begin, if not beside config.yaml.

    plugins: the user's folder of them, if not the one beside config.yaml.
    """

    def __init__(
        self,
        config: settings.Config,
        clock: Callable[[], datetime] = utc_now,
        data: Path | None = None,
        plugins: Path | None = None,
    ):
        self.config, self.clock = config, clock
        self._plugins = plugins or config.folder / "plugins"
        self.registry = Registry(self._plugins, config.folder)
        self._data = data or config.folder
        self._likings: dict[str, Liking] = {}
        self._doubted: set[Path] = set()  # checkpoints whose cell has changed, which was told

    @cached_property
    def database(self) -> Database:
        return Database(self.config.database_url, self.clock)

    @cached_property
    def drafts(self) -> Drafts:
        return Drafts(self.database)

    @cached_property
    def fills(self) -> Fills:
        return Fills(self.database)

    @cached_property
    def judgements(self) -> Judgements:
        return Judgements(self.database)

    @cached_property
    def lineage(self) -> Lineage:
        return Lineage(self.database, self.config.folder)

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.database, self.limits, self.switches, self.lineage.mark)

    @cached_property
    def switches(self) -> Switches:
        """What stops posting: this switch, and the file STOP beside config.yaml."""
        return Switches(self.database, self.config.folder / STOP)

    def limits(self, bot: str) -> Limits:
        """Those of a bot that is gone are the built-in ones."""
        chosen = self.config.bots[bot].limits if bot in self.config.bots else settings.Limits()
        return Limits(chosen.per_hour, chosen.per_day, chosen.usd_per_month)

    @cached_property
    def overview(self) -> Overview:
        return Overview(self.database)

    def bot(self, name: str) -> settings.Bot:
        return _named(self.config.bots, name, "bot", self.config.file)

    def model(self, name: str) -> settings.Model:
        return _named(self.config.models, name, "model", self.config.file)


def _named(things: Mapping[str, Thing], name: str, what: str, file: Path) -> Thing:
    if name not in things:
        msg = f"{file}: there is no {what} {name!r}{alternatives(name, things)}"
        raise ConfigError(msg)
    return things[name]
