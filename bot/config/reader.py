"""Strict YAML: text -> plain data, and where each key stands.

Scalars follow YAML 1.2's core schema, so `12:30` and `no` are strings and `1e-3` is a number. What a settings
file has no need of is refused: duplicate keys, anchors and aliases, tags, several documents, great size or
depth. Keys are always read as text. It does not know what the settings mean.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from bot.config.places import Place
from bot.config.syntax import told
from bot.errors import ConfigError

MAX_BYTES = 150_000  # some 300 bots; PyYAML reads as much in a second or two
MAX_DEPTH = 20

Route = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"
_CORE_SCHEMA = {  # YAML 1.2.2, section 10.3.2
    "null": r"null|Null|NULL|~|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}


@dataclass(frozen=True)
class Source:
    """What a file says (`data`) and where it says it (`marks`: line and column of each key and item)."""

    file: str
    data: Any
    marks: dict[Route, tuple[int, int]] = field(default_factory=dict)

    def place(self, route: Route, key: Route | None = None) -> Place:
        """The place of a key, or of the nearest one around it; `key` is what to call it if not `route`."""
        known = route
        while known not in self.marks and known:
            known = known[:-1]
        line, column = self.marks.get(known, (1, 1))
        return Place(self.file, line, column, dotted(route if key is None else key))


def dotted(route: Route) -> str:
    return ".".join(map(str, route))


def read(path: Path) -> Source:
    """The file's data; ConfigError names the line and column of whatever YAML or this reader refuses."""
    text = _text(path)
    try:
        node = _Reader(text).get_single_node()
        marks: dict[Route, tuple[int, int]] = {}
        return Source(str(path), _plain(node, (), marks) if node else {}, marks)
    except yaml.MarkedYAMLError as error:
        mark, words = (error.problem_mark, error.problem) if isinstance(error, _Refusal) else told(error)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{where}: {words}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        msg = f"{path}:{line}: the character U+{error.character:04X} is not allowed"
        raise ConfigError(msg) from error


def values(text: str) -> list[Any]:
    """`0.001, {a: b}` -> what these would be as a list in a file. Raises yaml.YAMLError."""
    node: Any = _Reader(f"[{text}]").get_single_node()
    found: list[Any] = _plain(node, (), {})
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        msg = f"{path}: no such file here; name one with --config, or make a bot with: bot init DIR"
        raise ConfigError(msg) from error
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise ConfigError(msg) from error
    if len(data) > MAX_BYTES:
        msg = f"{path}: larger than {MAX_BYTES:,} bytes: this is no settings file"
        raise ConfigError(msg)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{path}:{line}: byte {error.start} is not UTF-8. Save the file as UTF-8"
        raise ConfigError(msg) from error


class _Refusal(yaml.MarkedYAMLError):
    """This reader's own, in words of its own."""


class _Reader(yaml.SafeLoader):
    """PyYAML's composer with the core schema's scalars and without anchors, aliases and tags."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # none of YAML 1.1's  # noqa: RUF012
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            _refuse("anchors and aliases are not allowed: write the value out", event.start_mark)
        if event.tag:
            _refuse("tags are not allowed: write a plain value", event.start_mark)
        if self._depth == MAX_DEPTH:
            _refuse(f"nested more than {MAX_DEPTH} deep", event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


for _name, _pattern in _CORE_SCHEMA.items():
    _Reader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), None)


def _plain(node: yaml.Node, route: Route, marks: dict[Route, tuple[int, int]]) -> Any:
    marks.setdefault(route, _position(node))
    if isinstance(node, yaml.MappingNode):
        return {key: _plain(value, (*route, key), marks) for key, value in _entries(node, route, marks)}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*route, index), marks) for index, item in enumerate(node.value)]
    return _scalar(node)


def _entries(
    node: yaml.MappingNode, route: Route, marks: dict[Route, tuple[int, int]]
) -> list[tuple[str, yaml.Node]]:
    entries: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            _refuse("a key must be a single word or a quoted text", key.start_mark)
        name = _text_of(key)
        if name in entries:
            first = marks[(*route, name)][0]
            _refuse(f"{dotted((*route, name))}: is here a second time, first on line {first}", key.start_mark)
        marks[(*route, name)] = _position(key)
        entries[name] = value
    return list(entries.items())


def _scalar(node: yaml.Node) -> Any:
    text = _text_of(node)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return _whole(text, node)
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _text_of(node: yaml.Node) -> str:
    text: str = node.value
    if found := re.search("[\0\ud800-\udfff]", text):
        _refuse(f"the character U+{ord(found[0]):04X} is not allowed", node.start_mark)
    return text


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _whole(text: str, node: yaml.Node) -> int:
    try:
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    except ValueError:  # Python reads no more than 4,300 digits
        _refuse("this number has too many digits", node.start_mark)


def _refuse(problem: str, mark: Any) -> NoReturn:
    raise _Refusal(problem=problem, problem_mark=mark)
