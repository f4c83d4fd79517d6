"""Whether the database is the one that was left here, or an older copy; what it has forgotten then.

An older copy does not know what was posted since. The mark beside it does: those attempts are kept as
forgotten, and whatever has one of their keys is suspect. Without the mark all that the copy holds is. A
suspect delivery is made sure of when its turn comes, before anything is posted: its attempt is recorded, and
nothing is sent of it (bot.posting.courier). A `put` goes out as ever, for again it is the same post.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, insert, select, update

from bot.records import Delivery
from bot.store.database import Database
from bot.store.mark import Mark, Tried
from bot.store.tables import attempts, deliveries, drafts, forgotten, meta

GROUPS_AHEAD = 20  # approvals of one revision that a copy may have forgotten


@dataclass(frozen=True)
class Past:
    """How often the database was found restored, and what is not made sure of yet.

    attempts: forgotten ones that no delivery has met. doubted: the newest draft of those that may have been
    posted, 0 if it is known which were.
    """

    epoch: int
    attempts: int
    doubted: int


class Lineage:
    """folder: where the mark of a database is kept that is no file. beside: what the mark stands beside."""

    def __init__(self, database: Database, folder: Path, beside: Path | None = None):
        self._database, self._name = database, str(beside or database.name)
        self._beside = beside or database.file or folder / "postgresql"

    @property
    def mark(self) -> Mark:
        """The file that belongs to this very database; another one's is never taken for it."""
        id = self._read(meta.c.database)
        return Mark(self._beside.with_name(f"{self._beside.name}.{id[:8]}.mark"))

    def past(self) -> Past:
        with self._database.read() as connection:
            row = connection.execute(select(meta)).one()
            open = select(func.count()).where(forgotten.c.delivery.is_(None))
            return Past(row.epoch, connection.scalar(open) or 0, row.doubted_draft)

    def examine(self) -> str:
        """Find out whether the database is older than its mark, and let it be known; a sentence, "" if not.

        Whoever posts calls this first. Raises StoreError.
        """
        mark = self.mark
        marked, epoch = self._read(meta.c.marked), self._read(meta.c.epoch)
        if mark.exists():
            self._set(marked=True)
            begins = mark.begins()
            return self.doubt(begins) if begins > epoch else self._compare(mark)
        if marked:
            return f"{self.doubt()}. It was brought here without {mark.path.name}, or that was removed"
        mark.begin(epoch)
        self._set(marked=True)
        return ""

    def doubt(self, least: int = 0) -> str:
        """Take the database for a copy of which nobody can say what it has forgotten; a sentence.

        least: what the epoch is raised to at least.
        """
        with self._database.write() as connection:
            newest = connection.scalar(select(func.max(drafts.c.id))) or 0
            epoch = _raise_epoch(connection, least)
            values = {"doubted_epoch": epoch, "doubted_draft": newest, "marked": True}
            connection.execute(update(meta).values(values))
        if not self.mark.exists():
            self.mark.begin(epoch)
        return (
            f"{self._name} is a copy, and what was posted since it was made is not known: every draft up to "
            f"{newest} is looked for at its target before it is posted, and where that cannot be asked it "
            "waits for you as uncertain"
        )

    def raise_epoch(self) -> None:
        """Note that the database was restored, although nothing is missing in it."""
        with self._database.write() as connection:
            _raise_epoch(connection)

    def _compare(self, mark: Mark) -> str:
        tried = list(mark.tried())
        with self._database.read() as connection:
            lost = _unknown(connection, tried)
        if not lost:
            return ""
        with self._database.write() as connection:
            if lost := _unknown(connection, tried):  # whoever waited for the lock may find it done
                connection.execute(insert(forgotten), [_row(one) for one in lost])
                _raise_epoch(connection)
        if self._database.file is None:
            return self.doubt()  # other machines may have posted too, and have marks of their own
        return _told(self._name, lost) if lost else ""

    def _read(self, column: ColumnElement[Any]) -> Any:
        with self._database.read() as connection:
            return connection.scalar(select(column))

    def _set(self, **values: Any) -> None:
        if any(self._read(meta.c[name]) != value for name, value in values.items()):
            with self._database.write() as connection:
                connection.execute(update(meta).values(values))


def present_epoch() -> ScalarSelect[int]:
    """For a delivery that is tried or has been made sure of."""
    return select(meta.c.epoch).scalar_subquery()


def since(connection: Connection, delivery: Delivery) -> datetime | None:
    """The earliest moment at which a delivery may have been tried that the database does not know of.

    None if there is none. What was forgotten of it is met with this, and asked for no more.
    """
    moments = _met(connection, delivery)
    if delivery.kind != "put" and (moment := _doubted(connection, delivery)):
        moments.append(moment)
    return min(moments, default=None)


def key(origin: str, revision: str, group: int, account: str, target: str) -> str:
    """32 hex digits, the same in every copy of the database."""
    parts = (origin, revision, str(group), account, target)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def _met(connection: Connection, delivery: Delivery) -> list[datetime]:
    """When a delivery was tried before the restore, under the key of this or another of its approvals."""
    keys = _keys(connection, delivery)
    mine = forgotten.c.key.in_(keys) & forgotten.c.delivery.is_(None)
    found = connection.execute(select(forgotten).where(mine).order_by(forgotten.c.started_at)).all()
    if not found:
        return []
    connection.execute(update(forgotten).where(mine).values(delivery=delivery.id))
    newest = found[-1].key
    taken = connection.scalar(select(deliveries.c.id).where(deliveries.c.key == newest))
    if taken is None and not delivery.attempts:  # under that key its target knows it
        connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(key=newest))
    return [row.started_at for row in found]


def _keys(connection: Connection, delivery: Delivery) -> list[str]:
    rows = select(drafts.c.origin, drafts.c.attempt_group).where(drafts.c.id == delivery.draft)
    origin, group = connection.execute(rows).one()
    ends = (delivery.account, delivery.target)
    return [key(origin, delivery.revision_sha256, n, *ends) for n in range(1, group + GROUPS_AHEAD)]


def _doubted(connection: Connection, delivery: Delivery) -> datetime | None:
    moment: datetime | None = connection.scalar(
        select(drafts.c.created_at)
        .join(deliveries, deliveries.c.draft == drafts.c.id)
        .join(meta, meta.c.doubted_epoch > deliveries.c.epoch)
        .where(deliveries.c.id == delivery.id, drafts.c.id <= meta.c.doubted_draft)
    )
    return moment


def _unknown(connection: Connection, tried: Iterable[Tried]) -> list[Tried]:
    """The attempts that the database does not know, each once."""
    ours = attempts.join(deliveries, deliveries.c.id == attempts.c.delivery)
    known = {
        tuple(row)
        for rows in (
            select(deliveries.c.key, attempts.c.fence).select_from(ours),
            select(forgotten.c.key, forgotten.c.fence),
        )
        for row in connection.execute(rows)
    }
    return list({one[:2]: one for one in tried if one[:2] not in known}.values())


def _row(tried: Tried) -> dict[str, Any]:
    return {"key": tried.key, "fence": tried.fence, "started_at": tried.at}


def _raise_epoch(connection: Connection, least: int = 0) -> int:
    epoch = max(least, (connection.scalar(select(meta.c.epoch)) or 0) + 1)
    connection.execute(update(meta).values(epoch=epoch))
    return epoch


def _told(name: str, lost: list[Tried]) -> str:
    posts = "1 attempt" if len(lost) == 1 else f"{len(lost)} attempts"
    first = min(one.at for one in lost)
    return (
        f"{name} is older than what was done with it: {posts} to post, from {first:%Y-%m-%d %H:%M} UTC on, "
        "are not in it. Their posts are looked for at their targets before anything like them is posted; "
        "where a target cannot be asked they wait for you as uncertain"
    )
