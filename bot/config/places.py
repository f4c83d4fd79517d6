"""Where a setting stands, and how an error speaks of it.

It knows nothing of YAML, and of pydantic only the shape of its error reports.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

_EXPECTED = {  # by pydantic's names of errors
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of settings",
}
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key or a list's item begins; lines and columns count from 1."""

    file: str
    line: int
    column: int
    key: str  # dotted, "" for the whole file

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.key}" if self.key else where


def alternatives(wrong: object, right: Iterable[str]) -> str:
    """What would have been right: ` (have max, min). Did you mean 'min'?`"""
    names = sorted(right)
    return f" (have {', '.join(names)}).{nearest(wrong, names)}" if names else " (there are none)."


def nearest(wrong: object, right: Iterable[str]) -> str:
    """` Did you mean 'min'?` if one of `right` is near to what was written, else nothing."""
    near = get_close_matches(str(wrong), right, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def explain(error: Mapping[str, Any]) -> str:
    """One of pydantic's error reports in our words: what is wrong and what would be right."""
    given = error["input"]
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "literal_error":
            return f"there is no {given!r}{alternatives(given, _QUOTED.findall(error['ctx']['expected']))}"
        case str() as kind if kind in _EXPECTED:
            message = f"expected {_EXPECTED[kind]}"
        case _:
            message = error["msg"].replace("Input should be", "must be")
    return f"{message}, not {shown(given)}"


def shown(given: Any) -> str:
    """A value as an error quotes it, on one line and not too long."""
    if isinstance(given, dict | list):
        return "a mapping" if isinstance(given, dict) else "a list"
    text = repr(given) if isinstance(given, str) else json.dumps(given, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."
