"""A file's settings: read, checked, every plugin's choice told where it stands."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from bot.config.places import alternatives, explain
from bot.config.reader import Route, Source, dotted, read
from bot.config.settings import Config
from bot.config.values import ONE, SEVERAL, Choice
from bot.errors import ConfigError

Kind = TypeVar("Kind", bound=BaseModel)

LISTED = 30  # so many errors are enough to begin with


def load(path: Path, folder: Path | None = None) -> Config:
    """The settings of a file. ConfigError lists everything that is wrong, one line each with its place.

    folder: where relative paths begin, the file's own if None.
    """
    source = read(path)
    config = checked(source, Config)
    refuse(source, _contradictions(config))
    placed = told_where(config, source)
    placed._file, placed._folder = path, folder or path.parent
    return placed


def checked(source: Source, kind: type[Kind]) -> Kind:
    """A source's data as settings of this kind. ConfigError lists everything that is wrong with it."""
    try:
        # as JSON, types are strict and yet a list becomes a tuple
        return kind.model_validate_json(json.dumps(source.data))
    except ValidationError as error:
        lines = sorted(_line(source, kind, report) for report in error.errors(include_url=False))
        raise _all([line for _, line in lines]) from None


def refuse(source: Source, contradictions: Iterable[tuple[Route, str]]) -> None:
    """Raise ConfigError if there is anything that settings, each right by itself, have wrong together."""
    if problems := [f"{source.place(route)}: {problem}" for route, problem in contradictions]:
        raise _all(problems)


def told_where(settings: Kind, source: Source) -> Kind:
    """The same settings; each Choice knows where it stands."""
    placed: Kind = _placed(settings, (), source)
    return placed


def schema() -> dict[str, Any]:
    """The JSON Schema of a settings file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def shipped() -> Path:
    """The folder of the shipped plugins/, checkpoints/, recipes/ and config.yaml."""
    package = Path(__file__).parents[1]
    installed = package / "_shipped"
    return installed if installed.is_dir() else package.parent


def _all(problems: list[str]) -> ConfigError:
    more = [f"... and {len(problems) - LISTED} more"] if len(problems) > LISTED else []
    return ConfigError("\n".join(problems[:LISTED] + more))


def _line(source: Source, kind: type[BaseModel], report: Any) -> tuple[tuple[int, int], str]:
    route: Route = tuple(step for step in report["loc"] if step not in (ONE, SEVERAL))
    place, text = source.place(route), explain(report)
    match report["type"]:
        case "extra_forbidden":
            place = source.place(route, key=route[:-1])
            text = f"no setting {route[-1]!r}{alternatives(route[-1], _settings_at(kind, route[:-1]))}"
        case "missing":
            place, text = source.place(route, key=route[:-1]), f"the setting {route[-1]!r} is missing"
        case "string_pattern_mismatch":
            place = source.place(tuple(step for step in route if step != "[key]"))
            text = "a name has up to 64 of a-z, 0-9, '.', '_', '-' and begins with a letter or digit"
    return (place.line, place.column), f"{place}: {text}"


def _settings_at(kind: type[BaseModel], route: Route) -> Iterable[str]:
    """The names of the settings in one group; `route` leads to it from the top of the file."""
    found: Any = kind
    for step in route:
        if not isinstance(step, int):  # a list's item is what a single one would be
            found = get_args(found)[1] if get_origin(found) is dict else found.model_fields[step].annotation
        while get_origin(found) in (UnionType, Union, Annotated):  # absent, or one of several
            found = get_args(found)[0]
    return tuple(found.model_fields)


def _contradictions(config: Config) -> Iterator[tuple[Route, str]]:
    for name, bot in config.bots.items():
        if bot.model not in config.models:
            yield ("bots", name, "model"), f"no model {bot.model!r}{alternatives(bot.model, config.models)}"


def _routes(options: Any) -> Iterator[Route]:
    """To every key within a plugin's options."""
    for key, value in options.items() if isinstance(options, dict) else ():
        yield (key,)
        yield from ((key, *rest) for rest in _routes(value))


def _placed(value: Any, route: Route, source: Source) -> Any:
    """The same value with the place of every Choice that the file makes in it."""
    match value:
        case Choice():
            named = (*route, value.name)
            start = named if named in source.marks else route
            places = {dotted(route): source.place((*start, *route)) for route in _routes(value.options)}
            return replace(value, place=source.place(start), places=places)
        case BaseModel():
            set_ones = value.model_fields_set  # model_copy counts what it updates as set
            placed = {key: _placed(getattr(value, key), (*route, key), source) for key in set_ones}
            return value.model_copy(update=placed)
        case dict():
            return {key: _placed(item, (*route, key), source) for key, item in value.items()}
        case tuple():
            return tuple(_placed(item, (*route, index), source) for index, item in enumerate(value))
    return value
