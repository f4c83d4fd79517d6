"""The steps by name: each file here is one, with `step(lab, **options) -> Section`.

A step that trains models which the recipe does not list says which beforehand, by a function beside it:
`models(lab, **options) -> {name: Model}`. One that trains them otherwise than the lab does says how long it
takes: `seconds(lab, **options) -> {name: seconds}`. Options are checked by the signature of `step`.
"""

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from bot.config import Choice, Model, Place
from bot.config.places import alternatives
from bot.config.recipe import CALLED, step_name
from bot.errors import ConfigError
from bot.registry.options import arguments
from bot.reports.sections import Section
from bot.reproduction.data import placed
from bot.reproduction.lab import Lab


@dataclass(frozen=True)
class Step:
    """A step with its options. name: what its section is called; place: where it stands."""

    name: str
    place: str
    options: dict[str, Any]
    run: Callable[..., Section]
    adds: Callable[..., Mapping[str, Model]] | None = None
    takes: Callable[..., Mapping[str, float]] | None = None

    def models(self, lab: Lab) -> Mapping[str, Model]:
        """What it trains beside the recipe's own."""
        return self.adds(lab, **self.options) if self.adds else {}

    def trains(self, lab: Lab) -> Iterable[str]:
        """The models that it needs trained: those that it adds, or else those that its options name."""
        if self.adds:
            return self.models(lab)
        named: tuple[str, ...] = self.options.get("models", ())
        return named

    def seconds(self, lab: Lab) -> Mapping[str, float]:
        """What it trains by itself, and how long each will take."""
        return self.takes(lab, **self.options) if self.takes else {}

    def section(self, lab: Lab) -> Section:
        return self.run(lab, **self.options)


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def make_step(choice: Choice, lab: Lab) -> Step:
    """The step that a recipe chooses. Raises ConfigError for a name or an option that there is not."""
    if choice.name not in names():
        msg = f"{choice.where()}: there is no step {choice.name!r}{alternatives(choice.name, names())}"
        raise ConfigError(msg)
    module = import_module(f"{__name__}.{choice.name}")
    options = {name: value for name, value in choice.options.items() if name != CALLED}
    found = placed(replace(choice, options=options), lab.found)
    given = arguments(module.step, found, lab.recipe.file.parent, ("lab",))
    own = {name: _with_place(value, choice.places.get(name)) for name, value in given.items()}
    beside = (getattr(module, name, None) for name in ("models", "seconds"))
    return Step(step_name(choice), choice.where(), own, module.step, *beside)


def _with_place(value: Any, place: Place | None) -> Any:
    """An option's plugins know where it stands."""
    match value:
        case Choice():
            return replace(value, place=place)
        case tuple():
            return tuple(_with_place(item, place) for item in value)
    return value
