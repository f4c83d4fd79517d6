"""What the tests of targets share: a post, and a target as a configuration gives it."""

import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import Attachment, Post
from bot.config import Choice
from bot.registry import Registry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def target(name: str, folder: Path, **options: Any) -> Any:
    return Registry(None, folder).build("targets", Choice(name, options))


def post(
    text: str = "Crypt of Ash", key: str = "k1", minutes: int = 0, media: tuple[Attachment, ...] = ()
) -> Post:
    return Post(text, key, "metal", NOON + timedelta(minutes=minutes), media)


def png(width: int = 4, height: int = 3, grey: int = 128) -> bytes:
    """A real one, of one shade."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([grey]) * width) * height
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


def picture(grey: int = 128, alt_text: str = 'a <grey> "plate" & 墓') -> Attachment:
    return Attachment("image/png", png(grey=grey), alt_text, "plate.png", 4, 3)


SOUND = Attachment("audio/mpeg", b"ID3" + bytes(500), "a gong", "gong.mp3")
