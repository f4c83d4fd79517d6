"""config.yaml -> typed, frozen settings; a mistake is an error with file, line and column."""

from bot.config.loading import load, schema, shipped
from bot.config.places import Place
from bot.config.settings import Bot, Config, Limits, Model, SamplingSettings, Schedule, Training
from bot.config.values import Choice, NamedPlugins, Plugins

__all__ = [
    "Bot",
    "Choice",
    "Config",
    "Limits",
    "Model",
    "NamedPlugins",
    "Plugins",
    "Place",
    "SamplingSettings",
    "Schedule",
    "Training",
    "load",
    "schema",
    "shipped",
]
