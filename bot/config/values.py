"""How single settings are read: a plugin's choice, temperatures, times of day, intervals, zones, names.

Each is an annotated type that says what it accepts, how it is written back and how the JSON Schema shows it.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    Tag,
    WithJsonSchema,
)

from bot.config.places import Place, alternatives, nearest, shown
from bot.records import BANDS

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
ONE, SEVERAL = "[one]", "[several]"  # what pydantic calls the two forms of OneOrMore in the places of errors
SIZES = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

Setting = TypeVar("Setting")


@dataclass(frozen=True)
class Choice:
    """A plugin's name with its options, and where both stand; two are equal if they choose the same."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    place: Place | None = field(default=None, compare=False)
    places: dict[str, Place] = field(default_factory=dict, compare=False)  # of the options, dotted

    def where(self, option: str = "") -> str:
        """How an error names the choice, or one of its options."""
        place = self.places.get(option) if option else self.place
        return str(place or ".".join(filter(None, (self.name, option))))

    def placed(self, inner: "Choice", route: str) -> "Choice":
        """A choice made within the options, told where it stands. route: to it, dotted."""
        named = f"{route}.{inner.name}"
        start = named if named in self.places else route
        within = f"{start}."
        places = {
            key.removeprefix(within): place for key, place in self.places.items() if key.startswith(within)
        }
        return replace(inner, place=self.places.get(start, self.place), places=places)


def _choice(value: Any) -> Choice:
    match value:
        case Choice():
            return value
        case str() if value:
            return Choice(value)
        case dict() if len(value) == 1:
            [(name, options)] = value.items()
            if options is None or isinstance(options, dict):
                return Choice(name, options or {})
    msg = "expected a plugin's name, or {name: {option: value, ...}} with one name"
    raise ValueError(msg)


def _written(choice: Choice) -> Any:
    return {choice.name: choice.options} if choice.options else choice.name


def _range(value: Any) -> Any:
    match value:
        case int() | float() if not isinstance(value, bool):
            return value, value
        case [low, high]:
            return low, high
    msg = f"expected a temperature or [lowest, highest], not {shown(value)}"
    raise ValueError(msg)


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        msg = f"the lower temperature comes first: [{value[1]:g}, {value[0]:g}]"
        raise ValueError(msg)
    return value


def _quotas(value: Any) -> dict[str, float]:
    if isinstance(value, str) and value in BANDS:
        return {value: 1.0}
    if not isinstance(value, dict) or not value:
        msg = f"expected a band or {{BAND: share, ...}}, not {shown(value)}{alternatives(value, BANDS)}"
        raise ValueError(msg)
    return {_band(name): _share(name, share) for name, share in value.items()}


def _band(name: str) -> str:
    if name not in BANDS:
        msg = f"there is no band {name!r}{alternatives(name, BANDS)}"
        raise ValueError(msg)
    return name


def _share(name: str, share: Any) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1e9:
        msg = f"{name}: expected a share above 0, not {shown(share)}"
        raise ValueError(msg)
    return float(share)


def _some(value: tuple[Day, ...]) -> tuple[Day, ...]:
    if not value:
        msg = "name at least one day, or leave `days` out for all seven"
        raise ValueError(msg)
    return value


def _time(value: Any) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    msg = f'expected a time of day as "09:30", not {value!r}'
    raise ValueError(msg)


def _part_of_a_day(value: tuple[time, time]) -> tuple[time, time]:
    if value[0] == value[1]:
        msg = f"from {value[0]:%H:%M} to {value[1]:%H:%M} is no part of a day"
        raise ValueError(msg)
    return value


def _interval(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", value)):
        return timedelta(**{UNITS[match[2]]: int(match[1])})
    msg = f"expected a number and one of s, m, h, d (as 30m or 6h), not {shown(value)}"
    raise ValueError(msg)


def _date(value: Any) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    msg = f"expected a date as 2027-01-31, not {shown(value)}"
    raise ValueError(msg)


def _seconds(value: timedelta) -> str:
    return f"{int(value.total_seconds())}s"


def _missed(value: Any) -> timedelta | Literal["one", "skip"]:
    match value:
        case "one" | "skip" | timedelta():
            return value
        case {"within": within} if len(value) == 1:
            return _interval(within)
    msg = f"expected one, skip or {{within: 6h}}, not {shown(value)}{alternatives(value, ('one', 'skip'))}"
    raise ValueError(msg)


def _memory(value: Any) -> int:
    if isinstance(value, str) and (match := re.fullmatch(r"([1-9][0-9]{0,8}) ?(KiB|MiB|GiB)", value)):
        return int(match[1]) * SIZES[match[2]]
    msg = f"expected a number and one of KiB, MiB, GiB (as 512MiB or 2GiB), not {shown(value)}"
    raise ValueError(msg)


def _how_many(value: Any) -> str:
    return SEVERAL if isinstance(value, list | tuple) else ONE


def _distinct(value: tuple[Setting, ...]) -> tuple[Setting, ...]:
    for at, item in enumerate(value):
        if item in value[:at]:
            msg = f"number {at + 1} of the list is the same as number {value.index(item) + 1}"
            raise ValueError(msg)
    if not value:
        msg = "name at least one"
        raise ValueError(msg)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        hint = nearest(value, available_timezones())
        msg = f"no time zone {value!r}, expected an IANA name as Europe/Berlin.{hint}"
        raise ValueError(msg) from None
    return value


def _without_password(value: str) -> str:
    if re.match(r"[^/]*://[^/@]*:[^/@]*@|.*[?&]password=", value):
        msg = "a password does not belong in this file: leave it to PGPASSWORD or ~/.pgpass"
        raise ValueError(msg)
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Database = Annotated[str, AfterValidator(_without_password)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\z")]
Plugin = Annotated[
    Choice,
    PlainValidator(_choice),
    PlainSerializer(_written),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}]}
    ),
]
Plugins = tuple[Plugin, ...]
NamedPlugins = dict[Name, Plugin]
OneOrMore = Annotated[
    Annotated[Setting, Tag(ONE)] | Annotated[tuple[Setting, ...], AfterValidator(_distinct), Tag(SEVERAL)],
    Discriminator(_how_many),
]
Positive = Annotated[int, Field(ge=1, le=1_000_000_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Share = Annotated[float, Field(ge=0, lt=1)]
Temperature = Annotated[float, Field(gt=0, le=5)]
Temperatures = Annotated[
    tuple[Temperature, Temperature],
    BeforeValidator(_range),
    AfterValidator(_rising),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 5},
                {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]
Quotas = Annotated[  # of bands of surprise
    dict[str, float],
    PlainValidator(_quotas),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*BANDS]},
                {
                    "type": "object",
                    "propertyNames": {"enum": [*BANDS]},
                    "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
                    "minProperties": 1,
                },
            ]
        }
    ),
]
TimeOfDay = Annotated[
    time,
    PlainValidator(_time),
    PlainSerializer(lambda value: f"{value:%H:%M}"),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}),
]
Days = Annotated[tuple[Day, ...], AfterValidator(_some)]
TimesOfDay = tuple[TimeOfDay, ...]
Hours = Annotated[tuple[TimeOfDay, TimeOfDay], AfterValidator(_part_of_a_day)]
Interval = Annotated[
    timedelta,
    PlainValidator(_interval),
    PlainSerializer(_seconds),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,5}[smhd]$"}),
]
LastDay = Annotated[
    date,
    PlainValidator(_date),
    PlainSerializer(lambda value: value.isoformat()),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Missed = Annotated[
    timedelta | Literal["one", "skip"],
    PlainValidator(_missed),
    PlainSerializer(lambda value: value if isinstance(value, str) else {"within": _seconds(value)}),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["one", "skip"]},
                {
                    "type": "object",
                    "properties": {"within": {"type": "string", "pattern": "^[1-9][0-9]{0,5}[smhd]$"}},
                    "required": ["within"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Memory = Annotated[  # bytes
    int,
    PlainValidator(_memory),
    PlainSerializer(lambda value: f"{value // SIZES['KiB']}KiB"),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,8} ?(KiB|MiB|GiB)$"}),
]
