"""Options of config.yaml -> a factory's arguments: checked by its signature, its annotations say the types.

Values are checked as strictly as JSON's. A `Path` begins at the configuration's folder; a `Secret` is taken
from the environment or from a file, so that none ever stands in the configuration; `Corpora` are built.
"""

import json
import os
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from bot.config import Choice, NamedPlugins
from bot.config.places import alternatives, explain
from bot.errors import ConfigError
from bot.interfaces import Corpora
from bot.records import Secret


def arguments(
    factory: Any,
    choice: Choice,
    folder: Path,
    given: Container[str] = (),
    corpus: Callable[[Choice], Any] | None = None,
) -> dict[str, Any]:
    """The keyword arguments a choice means for a factory, without those `given` by the program.

    corpus: builds one, for options that name corpora.
    Raises ConfigError with a line for each wrong, unknown or missing option.
    """
    accepted = {name: option for name, option in _parameters(factory) if name not in given}
    problems = [_unknown(choice, name, accepted) for name in choice.options if name not in accepted]
    found: dict[str, Any] = {}
    for name, option in accepted.items():
        try:
            if name in choice.options and option.annotation == Corpora and corpus:
                named = _value(NamedPlugins, choice.options[name], folder)
                found[name] = {it: corpus(choice.placed(one, f"{name}.{it}")) for it, one in named.items()}
            elif name in choice.options:
                found[name] = _value(option.annotation, choice.options[name], folder)
            elif option.default is Parameter.empty:
                problems.append(f"{choice.where()}: the option {name!r} is missing")
            elif isinstance(option.default, Path):
                found[name] = _resolved(option.default, folder)
        except ValidationError as error:
            problems.append(f"{choice.where(name)}: {explain(error.errors()[0])}")
        except ValueError as error:
            problems.append(f"{choice.where(name)}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def _parameters(factory: Any) -> Iterator[tuple[str, Parameter]]:
    for name, parameter in signature(factory, eval_str=True).parameters.items():
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            yield name, parameter


def _unknown(choice: Choice, name: str, accepted: dict[str, Parameter]) -> str:
    place = choice.places.get(name, choice.place)
    where = replace(place, key=choice.place.key) if place and choice.place else choice.where()
    return f"{where}: no option {name!r}{alternatives(name, accepted)}"


def _value(annotation: Any, value: Any, folder: Path) -> Any:
    parts = get_args(annotation)
    if annotation is Secret or Secret in parts:
        return None if value is None and NoneType in parts else _secret(value, folder)
    if annotation is Parameter.empty:
        return value
    return _resolved(
        TypeAdapter(annotation).validate_json(json.dumps(value, default=str), strict=True), folder
    )


def _resolved(value: Any, folder: Path) -> Any:
    match value:
        case Path():
            return folder / value.expanduser()
        case list() | tuple() | set() | frozenset():
            return type(value)(_resolved(item, folder) for item in value)
        case dict():
            return {key: _resolved(item, folder) for key, item in value.items()}
    return value


def _secret(value: Any, folder: Path) -> Secret:
    match value:
        case {"env": str(name), **others} if not others:
            text, source = os.environ.get(name, ""), f"the environment variable {name}"
        case {"file": str(name), **others} if not others:
            text, source = _contents(folder / Path(name).expanduser()), f"the file {name}"
        case _:
            msg = "a secret does not belong in this file: write {env: NAME} or {file: PATH}"
            raise ValueError(msg)
    if not text:
        msg = f"{source} is not set or empty"
        raise ValueError(msg)
    return Secret(text)


def _contents(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise ValueError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path}: not UTF-8"
        raise ValueError(msg) from None  # the error would quote the secret
