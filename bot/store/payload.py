"""The digest of what exactly is posted, beside the target and its account."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256

from bot.records import Delivery, Media, Outlet


def payload(post: Outlet | Delivery) -> str:
    """Of text, manner and media, these by their bytes, descriptions and names."""
    parts = [post.text, post.manner, [asdict(one) for one in post.media]]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def sight(outlets: Sequence[Outlet]) -> str:
    """Of all that a person is shown before an approval: what goes where, as which account."""
    parts = sorted([outlet.target, outlet.account, outlet.kind, payload(outlet)] for outlet in outlets)
    return sha256(json.dumps(parts).encode()).hexdigest()


def read_media(stored: Sequence[dict[str, object]]) -> tuple[Media, ...]:
    """What a row holds of attachments."""
    return tuple(Media(**one) for one in stored)  # type: ignore[arg-type]
