"""Until when a draft is put off, as people write it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.errors import BotError
from bot.review.times import moment_of
from tests.queues import NOON

VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("written", "later"),
    [("3h", timedelta(hours=3)), (" 2 d ", timedelta(days=2)), ("1w", timedelta(weeks=1))],
)
def test_hours_days_and_weeks_are_from_now(written: str, later: timedelta) -> None:
    assert moment_of(written, NOON) == NOON + later


def test_a_day_begins_where_one_is() -> None:
    now = NOON.astimezone(VIENNA)

    assert moment_of("2026-12-24", now) == datetime(2026, 12, 24, tzinfo=VIENNA)
    assert moment_of("2026-12-24 18:30", now) == datetime(2026, 12, 24, 18, 30, tzinfo=VIENNA)


@pytest.mark.parametrize("written", ["", "soon", "3", "-1d", "2026-13-01", "99999d", "9999w"])
def test_what_is_no_time_is_said(written: str) -> None:
    with pytest.raises(BotError, match="is no time: write 3h, 2d, 1w"):
        moment_of(written, datetime.max.replace(tzinfo=VIENNA) if written == "9999w" else NOON)
