"""What the tests of targets share: a post, and a target as a configuration gives it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import Post
from bot.config import Choice
from bot.registry import Registry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def target(name: str, folder: Path, **options: Any) -> Any:
    return Registry(None, folder).build("targets", Choice(name, options))


def post(text: str = "Crypt of Ash", key: str = "k1", minutes: int = 0) -> Post:
    return Post(text, key, "metal", NOON + timedelta(minutes=minutes))
