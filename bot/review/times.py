"""Until when a draft is put off, as people write it."""

import re
from datetime import datetime, timedelta

from bot.errors import BotError

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
FORMS = "write 3h, 2d, 1w or a day as 2026-12-24"


def moment_of(written: str, now: datetime) -> datetime:
    """The moment that is meant; a day begins in the zone of `now`. Raises BotError for what is no time.

    >>> from datetime import UTC
    >>> print(moment_of("2d", datetime(2026, 3, 1, 12, tzinfo=UTC)))
    2026-03-03 12:00:00+00:00
    """
    written = written.strip()
    try:
        if found := re.fullmatch(r"(\d{1,4})\s*([hdw])", written):
            return now + int(found[1]) * UNITS[found[2]]
        at = datetime.fromisoformat(written)
        return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)
    except (ValueError, OverflowError) as error:
        msg = f"{written!r} is no time: {FORMS}"
        raise BotError(msg) from error
