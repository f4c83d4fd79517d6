"""Names -> factories -> objects: finds plugins, loads a kind on its first look-up, contains what fails.

Names choose, order never does. A plugin that fails is set aside with one line on stderr; only asking for a
name that nobody gives is an error, and it quotes what was set aside. It does not know what the objects do.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot.config import Choice, Place, shipped
from bot.config.places import alternatives
from bot.errors import BotError, ConfigError, CorpusError, PluginError
from bot.records import PluginReport, Secret
from bot.registry.options import arguments
from bot.registry.plugins import Plugin, digest, entry_points, files

KINDS = {
    "corpora": "corpus",
    "tokenizers": "tokenizer",
    "cells": "cell",
    "constraints": "constraint",
    "filters": "filter",
    "targets": "target",
    "renderers": "renderer",
}
_ANY = ""  # plugins that may give every kind: files right in the user's folder, entry points


class Registry:
    """user_plugins: the folder beside the user's config.yaml. folder: where paths in options begin."""

    def __init__(self, user_plugins: Path | None, folder: Path):
        self._user, self._folder = user_plugins, folder
        self._plugins: dict[str, list[Plugin]] = {}  # by the kind that loaded them

    def names(self, kind: str) -> list[str]:
        """The names that plugins give for a kind, sorted; a name that two of them give is not among them."""
        return sorted(name for name, givers in self._givers(kind).items() if len(givers) == 1)

    def look_up(self, kind: str, name: str, place: Place | None = None) -> Callable[..., Any]:
        """The factory of this name. PluginError if no plugin gives it, or more than one."""
        givers = self._givers(kind).get(name, [])
        if len(givers) == 1:
            return givers[0].factories[kind][name]
        where = f"{place}: " if place else ""
        if givers:
            msg = f"{where}{_twins(kind, name, givers)}"
            raise PluginError(msg)
        failures = "; ".join(
            f"{plugin.place}: {plugin.failure}" for plugin in self._of(kind) if plugin.failure
        )
        aside = f" Set aside: {failures}" if failures else ""
        msg = f"{where}no {KINDS[kind]} is called {name!r}{alternatives(name, self.names(kind))}{aside}"
        raise PluginError(msg)

    def build(self, kind: str, choice: Choice, **given: Any) -> Any:
        """The object a choice describes; `given` are the arguments that the program supplies, not the user.

        Raises PluginError for the name or a factory that fails, ConfigError for each wrong option.
        """
        factory = self.look_up(kind, choice.name, choice.place)
        try:
            return factory(**given, **arguments(factory, choice, self._folder, given, self._corpus))
        except (Exception, SystemExit) as error:
            if isinstance(error, ConfigError | PluginError):  # it says where
                raise
            if isinstance(error, CorpusError) and kind == "corpora":
                raise
            if isinstance(error, ValueError | BotError):  # the factory's own check of its options
                msg = f"{choice.where()}: {Secret.redact(str(error))}"
                raise ConfigError(msg) from error
            said = Secret.redact(f"{type(error).__name__}: {error}")
            msg = f"{choice.where()}: the {KINDS[kind]} failed: {said}"
            raise PluginError(msg) from error

    def _corpus(self, choice: Choice) -> Any:
        return self.build("corpora", choice)

    def source(self, kind: str, choice: Choice) -> dict[str, str]:
        """The file that gives this name and the digest of its code; {} where it is shipped or no file.

        Raises PluginError if no plugin gives it.
        """
        self.look_up(kind, choice.name, choice.place)
        [giver] = self._givers(kind)[choice.name]
        path = Path(giver.place)
        if self._user is None or not path.is_relative_to(self._user) or path.is_relative_to(shipped()):
            return {}
        return {"file": str(path.relative_to(self._user.parent)), "sha256": digest(path)}

    def reports(self) -> list[PluginReport]:
        """What became of every plugin of every kind."""
        for kind in KINDS:
            self._load(kind)
        return [plugin.report() for plugins in self._plugins.values() for plugin in plugins]

    def _givers(self, kind: str) -> dict[str, list[Plugin]]:
        givers: dict[str, list[Plugin]] = {}
        for plugin in self._of(kind):
            for name in plugin.factories.get(kind, {}):
                givers.setdefault(name, []).append(plugin)
        return givers

    def _of(self, kind: str) -> list[Plugin]:
        self._load(kind)
        return self._plugins[kind] + self._plugins[_ANY]

    def _load(self, kind: str) -> None:
        if kind in self._plugins:
            return
        self._plugins[kind] = list(self._found(kind))
        for plugin in self._plugins[kind]:
            plugin.load(kind)
            if plugin.failure:
                _say(f"plugin {plugin.place} is set aside: {plugin.failure}")
        if kind == _ANY:
            return
        self._load(_ANY)
        for name, givers in self._givers(kind).items():
            if len(givers) > 1:
                twins = _twins(kind, name, givers)
                _say(twins)
                for plugin in givers:
                    plugin.failure = plugin.failure or twins

    def _found(self, kind: str) -> Iterator[Plugin]:
        ours = shipped() / "plugins"
        if kind != _ANY:
            yield from files(ours / kind)
        if self._user and self._user.resolve() != ours.resolve():
            yield from files(self._user / kind, guarded=self._user)
        if kind == _ANY:
            yield from entry_points()


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _twins(kind: str, name: str, givers: list[Plugin]) -> str:
    places = " and ".join(plugin.place for plugin in givers)
    return f"the {KINDS[kind]} {name!r} is given by {places}. Rename one"
