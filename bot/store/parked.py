"""Rows that cannot be read: passed over wherever many are read, left exactly as they are, and told once.

A row that another program or a failing disk has spoilt must not hold up all others. It knows no table.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Row, Select

from bot.errors import Unreadable

log = logging.getLogger(__name__)

Made = TypeVar("Made")
FAULTS = (ValueError, TypeError, LookupError, AttributeError)  # what reading raises of bad content
_told: set[tuple[str, int]] = set()  # by this process


def read_all(
    connection: Connection,
    rows: Select[Any],
    key: Column[int],
    make: Callable[[Row[Any]], Made],
    values: dict[str, Any] | None = None,
) -> list[Made]:
    """What is made of each row, without those that cannot be read. key: tells one row from the others."""
    try:
        return [make(row) for row in connection.execute(rows, values or {})]
    except FAULTS:
        ids = connection.scalars(rows.with_only_columns(key, maintain_column_froms=True), values or {}).all()
    made = (read_one(connection, rows, key, id, make, values, passing=True) for id in ids)
    return [one for one in made if one is not None]


def read_one(
    connection: Connection,
    rows: Select[Any],
    key: Column[int],
    id: int,
    make: Callable[[Row[Any]], Made],
    values: dict[str, Any] | None = None,
    passing: bool = False,
) -> Made | None:
    """What is made of one row, None if there is none. Raises Unreadable, or tells it once if `passing`."""
    try:
        row = connection.execute(rows.where(key == id), values or {}).one_or_none()
        return None if row is None else make(row)
    except FAULTS as error:
        fault = Unreadable(
            f"{key.table.name}, row {id}: it cannot be read ({' '.join(str(error).split())[:200]})"
        )
        if not passing:
            raise fault from error
        if (key.table.name, id) not in _told:
            _told.add((key.table.name, id))
            log.warning("%s; it is left as it is and passed over", fault)
        return None


def faults(
    connection: Connection,
    rows: Select[Any],
    key: Column[int],
    make: Callable[[Row[Any]], Any],
    values: dict[str, Any] | None = None,
) -> list[str]:
    """Of each row that cannot be read, which one and why."""
    try:
        for row in connection.execute(rows, values or {}):
            make(row)
    except FAULTS:
        ids = connection.scalars(rows.with_only_columns(key, maintain_column_froms=True), values or {}).all()
        return [text for id in ids if (text := _fault(connection, rows, key, id, make, values))]
    return []


def _fault(connection: Connection, rows: Select[Any], key: Column[int], id: int, *how: Any) -> str:
    try:
        read_one(connection, rows, key, id, *how)
    except Unreadable as error:
        return str(error)
    return ""
