"""What the tests of posting share: a delivery as the store would give it."""

from datetime import UTC, datetime
from typing import Any

from bot.records import Delivery

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def delivery(**fields: Any) -> Delivery:
    """A delivery at its first attempt, sending, unless told otherwise."""
    given: dict[str, Any] = {
        "id": 1,
        "draft": 1,
        "bot": "metal",
        "revision_sha256": "5a",
        "target": "pad",
        "account": "me",
        "kind": "opaque",
        "text": "Crypt of Ash",
        "state": "sending",
        "key": "k1",
        "fence": 1,
        "attempts": 1,
        "approved_at": NOON,
        "first_tried_at": NOON,
    }
    return Delivery(**given | fields)
