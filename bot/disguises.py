"""The forms in which a secret may stand in a text. It imports nothing of ours."""

import json
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, urlsplit

LONG = 8  # characters; a shorter part of an address tells nothing, and stands in many texts


def disguises(value: str) -> Iterator[str]:
    yield value
    yield from (repr(value)[1:-1], json.dumps(value)[1:-1], quote(value, safe=""), _base64(value))
    yield from (line for line in value.splitlines() if len(line) >= LONG)
    if "://" in value:
        yield from _parts(value)


def _parts(address: str) -> Iterator[str]:
    """What of an address lets in whoever knows it: a password, a path, what is asked for."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    if parts.password:
        yield from (parts.password, unquote(parts.password))
        yield _base64(f"{unquote(parts.username or '')}:{unquote(parts.password)}")
    asked = [f"{parts.path}?{parts.query}" if parts.query else "", parts.path, parts.query]
    pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    yield from (part for part in (*asked, *pieces, *map(unquote, pieces)) if len(part) >= LONG)


def _base64(value: str) -> str:
    return b64encode(value.encode("utf-8", "surrogatepass")).decode()
