"""What is said of a copy of the database, whatever kind of database it is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Copy:
    """What a copy holds: rows by table."""

    file: Path
    schema: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True)
class Restored:
    """What was put in place, where the database that it replaced is kept, and what it may have forgotten."""

    copy: Copy
    kept: Path | None
    told: str
