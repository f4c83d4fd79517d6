"""Attachments as they are stored: pictures to look at, sounds to hear; all else is a file to keep."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from bot.web.asked import Rooms
from bot.web.door import Person

router = APIRouter()
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
HEARD = ("audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/flac", "audio/mp4", "audio/midi")
FILE = "application/octet-stream"


@router.get("/media/{sha256}")
def show_media(
    rooms: Rooms,
    session: Person,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    kind: Annotated[str, Query(max_length=64)] = FILE,
) -> Response:
    """The bytes. kind: what the page takes them for; nothing that could be a page. Raises NotFound."""
    shown = kind in SHOWN + HEARD
    headers = {
        "cache-control": "private, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",  # and the page's
        "content-disposition": "inline" if shown else "attachment",
    }
    return Response(rooms.media(sha256), media_type=kind if shown else FILE, headers=headers)
