"""A model in all combinations of some settings: `num_layers=1,4` -> a model each. It does not train them."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import yaml
from pydantic import ValidationError

from bot.config.places import alternatives, explain, shown
from bot.config.reader import values
from bot.config.settings import Model
from bot.errors import ConfigError

LONGEST = 64  # characters of a name
MOST = 500  # models

Choices = Mapping[str, Sequence[Any]]  # values by the dotted name of a setting


def choices(options: Sequence[str]) -> Choices:
    """`training.learning_rate=0.001,0.005` -> the setting and its values. Raises ConfigError."""
    found: dict[str, Sequence[Any]] = {}
    for option in options:
        name, equals, written = option.partition("=")
        try:
            listed = values(written)
        except yaml.YAMLError as error:
            msg = f"--set {option}: {written!r} is no list of values, as 0.001,0.005"
            raise ConfigError(msg) from error
        if not equals or not listed or name in found:
            msg = f"--set {option}: expected a setting of the model with its values, once, as num_layers=1,4"
            raise ConfigError(msg)
        found[name] = listed
    return found


def grid(name: str, model: Model, choices: Choices) -> dict[str, Model]:
    """A model for each combination, by a name that says it. Raises ConfigError where a value is wrong."""
    found: dict[str, Model] = {}
    for combination in product(*choices.values()):
        point = dict(zip(choices, combination, strict=True))
        found[_name(name, point)] = _changed(model, point)
        if len(found) > MOST:
            raise ConfigError(f"more than {MOST} combinations are no sweep that ends: choose fewer values")
    return found


def _changed(model: Model, point: Mapping[str, Any]) -> Model:
    data = model.model_dump(mode="json")
    for setting, value in point.items():
        _put(data, setting, value)
    try:
        changed = Model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        report = error.errors(include_url=False)[0]
        where = ".".join(map(str, report["loc"]))
        raise ConfigError(f"{where}: {explain(report)}") from error
    return changed.model_copy(update={"corpus": model.corpus})  # which knows where it stands


def _put(data: dict[str, Any], setting: str, value: Any) -> None:
    *groups, last = setting.split(".")
    for group in groups:
        if not isinstance(data.get(group), dict):
            raise ConfigError(f"{setting}: there is no group {group!r} in a model{alternatives(group, data)}")
        data = data[group]
    if last not in data:
        raise ConfigError(f"{setting}: no setting {last!r}{alternatives(last, data)}")
    data[last] = value


def _name(model: str, point: Mapping[str, Any]) -> str:
    """Of letters that a folder's name may have; one that would be too long ends with a digest."""
    said = [f"{setting.rpartition('.')[2]}-{_written(value)}" for setting, value in point.items()]
    name = re.sub(r"[^a-z0-9._]+", "-", ".".join([model, *said]).lower()).strip("-.")
    digest = hashlib.sha256(json.dumps(point, sort_keys=True).encode()).hexdigest()[:8]
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{digest}"


def _written(value: Any) -> str:
    written = json.dumps(value) if isinstance(value, dict | list) else shown(value)
    return written.strip("'{}[]")
