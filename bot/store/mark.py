"""The mark: a file beside the database that says what was tried, also when the database forgets it.

One line an attempt, `+ KEY FENCE AT`, on the disk before the first byte leaves. Its space is taken before the
attempt is committed, as `?`, and confirmed afterwards: a full disk is met while nothing has begun yet.
It knows no SQL.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from typing import NamedTuple

from bot.errors import StoreError
from bot.records import Delivery

HEADING = """\
# What was tried to be posted from here: key, fence and time of each attempt. Keep this file beside the
# database: when an old copy of that is put in its place, it tells what the copy lacks (docs/storage.md).
= {epoch}
"""
BEGINNING = re.compile(r"= (\d{1,9})\n")
LINE = re.compile(r"\+ ([0-9a-f]{32}) (\d{1,9}) (\S+)\n")


class Tried(NamedTuple):
    """An attempt to post."""

    key: str
    fence: int
    at: datetime


class Mark:
    """path: of a file that may not be there yet."""

    def __init__(self, path: Path):
        self.path = path

    def exists(self) -> bool:
        return self.path.exists()

    def begin(self, epoch: int) -> None:
        """Make the file; what was tried before this epoch it does not say. Raises StoreError."""
        self._write(os.O_APPEND | os.O_CREAT, "\n" if self.exists() else HEADING.format(epoch=epoch))
        sync_folder(self.path.parent)

    def begins(self) -> int:
        """The epoch it was begun in."""
        found = (BEGINNING.fullmatch(line) for line in self._lines())
        return next((int(line[1]) for line in found if line), 0)

    def reserve(self, delivery: Delivery, at: datetime) -> int:
        """Take the space for an attempt's line; where it stands. Raises StoreError."""
        return self._write(os.O_APPEND, f"\n? {delivery.key} {delivery.fence} {at.isoformat()}\n") + 1

    def confirm(self, place: int) -> None:
        """Let a reserved line count. Raises StoreError."""
        self._write(0, "+", place)

    def tried(self) -> Iterator[Tried]:
        """Every attempt, in order; what a kill or a power loss has cut short came to nothing.

        Raises StoreError.
        """
        for line in self._lines():
            if found := LINE.fullmatch(line):
                yield Tried(found[1], int(found[2]), _instant(found[3]))

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open(encoding="ascii", errors="replace") as lines:
                yield from lines
        except OSError as error:
            raise self._error("read", error) from error

    def _write(self, how: int, text: str, place: int | None = None) -> int:
        """Write, and be sure of it; where the text stands."""
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | how, 0o600)
            try:
                return _written(file, text.encode(), place)
            finally:
                os.close(file)
        except OSError as error:
            raise self._error("written", error) from error

    def _error(self, what: str, error: OSError) -> StoreError:
        return StoreError(f"{self.path}: it cannot be {what} ({error.strerror}), so nothing is posted")


def sync_folder(folder: Path) -> None:
    """Let what was made, renamed or removed in a folder outlive a power loss."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _written(file: int, content: bytes, place: int | None) -> int:
    done = os.write(file, content) if place is None else os.pwrite(file, content, place)
    if done < len(content):
        raise OSError(ENOSPC, "No space left on device")
    os.fsync(file)
    return os.lseek(file, 0, os.SEEK_CUR) - done if place is None else place


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:  # the key is what matters
        return datetime.fromtimestamp(0, UTC)
