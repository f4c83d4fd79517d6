"""What was rendered: the bytes of attachments by their sha256, and what each text was rendered to.

Rows are added and, long after nobody needs them, removed; none is ever changed. It knows no renderer.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from bot.errors import NotFound, StoreError
from bot.records import Attachment, Media
from bot.store.database import Database
from bot.store.payload import read_media
from bot.store.tables import deliveries, media, renderings

KEPT = timedelta(days=30)  # what no coming post needs is kept so long
OPEN = ("planned", "claimed", "sending", "uncertain")


class MediaStore:
    """Every method is one transaction."""

    def __init__(self, database: Database):
        self._database = database

    def keep(self, key: str, attachments: Sequence[Attachment]) -> tuple[Media, ...]:
        """Store what was made for `key`; what was stored under it before stays and counts."""
        now = self._database.now()
        described = tuple(map(_described, attachments))
        with self._database.write() as connection:
            if (found := _found(connection, key)) is not None:
                return found
            for one, attachment in zip(described, attachments, strict=True):
                if connection.scalar(select(media.c.sha256).where(media.c.sha256 == one.sha256)) is None:
                    row = {"sha256": one.sha256, "content": attachment.content, "at": now}
                    connection.execute(insert(media).values(row))
            stored = [asdict(one) for one in described]
            connection.execute(insert(renderings).values(key=key, media=stored, at=now))
        return described

    def found(self, key: str) -> tuple[Media, ...] | None:
        """What was made for `key`, None if nothing was yet."""
        with self._database.read() as connection:
            return _found(connection, key)

    def content(self, digest: str) -> bytes:
        """The bytes with this sha256. Raises NotFound, StoreError if they are not what they were."""
        with self._database.read() as connection:
            content = connection.scalar(select(media.c.content).where(media.c.sha256 == digest))
        if content is None:
            msg = f"no attachment has the sha256 {digest}"
            raise NotFound(msg)
        if sha256(content).hexdigest() != digest:
            msg = f"the attachment {digest} is damaged"
            raise StoreError(msg)
        return bytes(content)

    def attachments(self, described: Sequence[Media]) -> tuple[Attachment, ...]:
        """The same with their bytes. Raises StoreError that names what is missing or damaged."""
        return tuple(self._attachment(one) for one in described)

    def prune(self) -> int:
        """Remove what is old and goes with no post to come; how many attachments.

        The renderings of pending drafts go too: they are made again when somebody looks.
        """
        before = self._database.now() - KEPT
        with self._database.write() as connection:
            connection.execute(delete(renderings).where(renderings.c.at < before))
            needed = _named_by(connection)
            old = connection.scalars(select(media.c.sha256).where(media.c.at < before))
            gone = [digest for digest in old if digest not in needed]
            for digest in gone:
                connection.execute(delete(media).where(media.c.sha256 == digest))
        return len(gone)

    def _attachment(self, one: Media) -> Attachment:
        try:
            content = self.content(one.sha256)
        except StoreError as error:
            msg = f"{one.name}: {error}"
            raise StoreError(msg) from error
        return Attachment(one.media_type, content, one.alt_text, one.name, one.width, one.height)


def _described(attachment: Attachment) -> Media:
    return Media(
        sha256(attachment.content).hexdigest(),
        attachment.media_type,
        attachment.alt_text,
        attachment.name,
        len(attachment.content),
        attachment.width,
        attachment.height,
    )


def _found(connection: Connection, key: str) -> tuple[Media, ...] | None:
    stored = connection.scalar(select(renderings.c.media).where(renderings.c.key == key))
    return None if stored is None else read_media(stored)


def _named_by(connection: Connection) -> set[str]:
    """The digests that renderings and open deliveries name."""
    open = select(deliveries.c.media).where(deliveries.c.state.in_(OPEN))
    rows = [*connection.scalars(select(renderings.c.media)), *connection.scalars(open)]
    return {one.sha256 for row in rows for one in read_media(row)}
