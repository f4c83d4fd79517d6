"""Where a bot's texts go, and what goes with them: targets and renderers by their names in config.yaml."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, get_args

from bot import config as settings
from bot.errors import BotError, PluginError
from bot.house.trained import Trained
from bot.interfaces import Renderer, Target
from bot.posting import fit
from bot.records import (
    Halt,
    Kind,
    Outlet,
    Rendered,
)
from bot.rendering import Renderings
from bot.store.media import MediaStore

if TYPE_CHECKING:
    pass


class Outlets(Trained):
    """Where it goes, and what goes with it."""

    def halts(self, bot: str) -> Sequence[Halt]:
        """What stops the bot now, or one of the accounts it posts to."""
        found = self.switches.in_force()
        accounts = self.accounts(bot) if any(halt.scope == "account" for halt in found) else ()
        names: dict[str, Sequence[str]] = {"all": ("",), "bot": (bot,), "account": accounts}
        return [halt for halt in found if halt.name in names[halt.scope]]

    def accounts(self, bot: str) -> Sequence[str]:
        """Where the bot posts, and where it has anything left to post."""
        try:
            now = [target.account for target in self.targets(bot).values()]
        except BotError:  # what is wrong with them, `bot doctor` says
            now = []
        waiting = self.deliveries.list(state="planned", bot=bot)
        return sorted({*now, *(delivery.account for delivery in waiting)})

    def targets(self, bot: str) -> dict[str, Target]:
        """By label: the plugin's name, numbered where a bot has several of a kind."""
        built = {}
        for label, choice in _labelled(self.bot(bot).targets).items():
            built[label] = self.registry.build("targets", choice)
            if fault := _fault(built[label]):
                msg = f"{choice.where()}: the target {fault}"
                raise PluginError(msg)
        return built

    def servers(self) -> dict[str, list[str]]:
        """The servers that targets say they speak to, each with BOT/TARGET of those."""
        found: dict[str, list[str]] = {}
        for bot in self.config.bots:
            with suppress(BotError):  # what is wrong with them, `bot doctor` says
                for label, target in self.targets(bot).items():
                    if server := getattr(target, "server", ""):
                        found.setdefault(str(server), []).append(f"{bot}/{label}")
        return found

    def labels(self, bot: str) -> Sequence[str]:
        """The same labels; none is built."""
        return tuple(_labelled(self.bot(bot).targets))

    def outlets(self, bot: str, text: str, rendered: Rendered | None = None) -> tuple[Outlet, ...]:
        """Where a text goes and what goes with it; rendered: what was made of it, if that is known."""
        media = (rendered or self.rendered(bot, text)).media
        return tuple(
            Outlet(
                label,
                target.account,
                target.kind,
                text,
                fit.cost(label, target, text),
                fit.chosen(target, media),
                fit.manner(target),
                fit.left_out(label, target, media),
            )
            for label, target in self.targets(bot).items()
        )

    @cached_property
    def media(self) -> MediaStore:
        """The attachments' bytes."""
        return MediaStore(self.database)

    @cached_property
    def renderings(self) -> Renderings:
        return Renderings(partial(build_renderer, self.config), self.media)

    def renderers(self, bot: str) -> dict[str, Renderer]:
        """By label, as targets."""
        built = {}
        for label, choice in _labelled(self.bot(bot).renderers).items():
            built[label] = self.registry.build("renderers", choice)
            if not callable(built[label]):
                msg = f"{choice.where()}: the factory gave {built[label]!r:.60}, no renderer"
                raise PluginError(msg)
        return built

    def rendered(self, bot: str, text: str, anew: bool = True) -> Rendered:
        """What goes with a text of a bot; made now where it is not there yet, unless `anew` is False.

        Raises BotError where a renderer cannot be built.
        """
        recipes = {
            label: json.dumps([choice.name, choice.options], sort_keys=True, default=str)
            for label, choice in _labelled(self.bot(bot).renderers).items()
        }
        if not recipes:
            return Rendered()
        return self.renderings.of(bot, recipes, text) if anew else self.renderings.kept(recipes, text)


def build_renderer(config: settings.Config, bot: str, label: str) -> Renderer:
    """A bot's renderer by label. Called in the renderers' process."""
    house = Outlets(config)
    choice = _labelled(house.bot(bot).renderers)[label]
    renderer: Renderer = house.registry.build("renderers", choice)
    return renderer


def _labelled(chosen: Sequence[settings.Choice]) -> dict[str, settings.Choice]:
    """By the plugin's name, numbered where there are several of it."""
    several = Counter(choice.name for choice in chosen)
    met: Counter[str] = Counter()
    labelled = {}
    for choice in chosen:
        met[choice.name] += 1
        label = f"{choice.name}-{met[choice.name]}" if several[choice.name] > 1 else choice.name
        labelled[label] = choice
    return labelled


def _fault(target: Target) -> str:
    """What a target lacks to be one, "" if nothing: what it says of itself is stored beside every post."""
    if missing := [name for name in ("post", "find", "measure") if not callable(getattr(target, name, None))]:
        return f"has no method {missing[0]!r}"
    kind, account = getattr(target, "kind", None), getattr(target, "account", None)
    if kind not in get_args(Kind):
        return f"has the kind {kind!r} (have {', '.join(get_args(Kind))})"
    if not isinstance(account, str) or not account:
        return f"has the account {account!r}, no text that says who posts"
    return "" if hasattr(target, "max_length") else "has no 'max_length' (None if any length will do)"
