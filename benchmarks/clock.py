"""What a clock that leaps costs: CPU and memory of the first turn after it.

    python -m benchmarks.clock [--json]

Measured are the wake-up's reckoning of its ticks and the arithmetic of slots, for schedules of all forms,
when the clock on the wall is set by -1 h, +1 day, +200 years and -30 years. Control: APScheduler's own
interval of one second, which walks through every tick that was missed, over a leap of a single day.
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.config import Schedule
from bot.posting.calendar import due_slot
from bot.posting.schedule import After

DAY = timedelta(days=1)
NOW, TICK = datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(seconds=1)
STEPS = {
    "-1 h": -DAY / 24,
    "+1 day": DAY,
    "+200 years": 200 * 365.25 * DAY,
    "-30 years": -30 * 365.25 * DAY,
}
SCHEDULES = {
    "every 4 s": '{"every": "4s"}',
    "every 4 s, all of 6 h": '{"every": "4s", "missed": {"within": "6h"}}',
    "twice on some days": '{"at": ["09:00", "17:30"], "days": ["mon", "fri"], "zone": "Europe/Berlin"}',
    "with jitter and quiet hours": '{"every": "10m", "jitter": "5m", "quiet": ["22:00", "07:00"]}',
}


def ticks(trigger: BaseTrigger, leap: timedelta) -> int:
    """How many ticks the library reckons with after a leap, as its jobs do it."""
    due, now, found = NOW, NOW + leap, list[datetime]()
    while due <= now:
        found.append(due)
        due = trigger.get_next_fire_time(due, now)
    return len(found)


def slots(leap: timedelta) -> int:
    """The slots to take at once after a leap."""
    schedules = [Schedule.model_validate_json(text) for text in SCHEDULES.values()]
    return sum(due_slot("metal", schedule, NOW, NOW + leap) is not None for schedule in schedules)


def measured(work: Callable[[], int]) -> dict[str, Any]:
    began = time.process_time()
    found = work()
    seconds = time.process_time() - began
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"found": found, "cpu_ms": round(1000 * seconds, 2), "mib": round(peak / 2**20, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    as_json = parser.parse_args().json
    figures = {}
    for name, leap in STEPS.items():
        figures[f"ticks, {name}"] = measured(lambda leap=leap: ticks(After(TICK), leap))  # type: ignore[misc]
        figures[f"slots, {name}"] = measured(lambda leap=leap: slots(leap))  # type: ignore[misc]
    control = IntervalTrigger(seconds=1, start_date=NOW, timezone=UTC)
    figures["control: ticks, +1 day"] = measured(lambda: ticks(control, DAY))
    if as_json:
        print(json.dumps(figures))
        return
    for name, it in figures.items():
        print(f"{name:26} {it['found']:>7,} {it['cpu_ms']:>10.2f} ms {it['mib']:>9.3f} MiB")


if __name__ == "__main__":
    main()
