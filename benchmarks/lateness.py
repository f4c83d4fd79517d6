"""How late the posts of many bots are: one worker on one CPU, real time, real database, files as targets.

    python -m benchmarks.lateness [--bots 300] [--minutes 3] [--together] [--json]

Each bot posts once a minute, at a second of its own, or all at the same one (--together). Lateness: from a
slot to the moment at which its post is known to be there. Control: the same posts at the same times, appended
to the same files by a loop that keeps nothing, asks nobody and checks nothing.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

import numpy as np
from sqlalchemy import select

from bot.config import load
from bot.delivering import Posting, open_courier, open_sender
from bot.house import House
from bot.posting.calendar import slots_between
from bot.posting.schedule import Wakeup
from bot.posting.turns import Turns
from bot.store.tables import deliveries, events, slots
from tests.queues import judged

MINUTE = timedelta(minutes=1)
START = timedelta(seconds=30)  # the sender's child begins, and builds its targets: these slots do not count


def write_config(folder: Path, bots: int, together: bool) -> Path:
    """Bots that post once a minute, each to a file of its own."""
    schedule = {"every": "60s"} | ({} if together else {"jitter": "60s"})
    bot = {"model": "death_metal", "schedule": schedule, "limits": {"per_hour": None, "per_day": None}}
    named = {f"bot{n}": bot | {"targets": [{"jsonl": {"path": f"posts/{n}.jsonl"}}]} for n in range(bots)}
    models = {"death_metal": {}}
    path = folder / "config.yaml"
    path.write_text(json.dumps({"models": models, "bots": named}, indent=1))
    return path


def approve(house: House, count: int) -> None:
    """So many drafts for each bot, unlike each other, all approved."""
    random = Random(1)
    for bot in house.config.bots:
        texts = ["".join(random.choices(ascii_lowercase, k=24)) for _ in range(count)]
        for draft in house.drafts.add(bot, [judged(text) for text in texts]):
            outlets = house.outlets(bot, draft.text)
            house.drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=outlets)


def deliver(house: House, seconds: float) -> None:
    """What `bot run` does to post, for so long."""
    stop = threading.Event()
    with closing(open_sender(house)) as sender:
        posting = Posting(house, open_courier(house, sender, lambda event: None), lambda event: None, stop)
        with Wakeup([Turns("post", posting, 3600.0)]):
            stop.wait(seconds)
            stop.set()


def lateness(house: House, since: datetime, until: datetime) -> list[float]:
    """Of each slot within these times, in seconds; infinite if its post is not there."""
    rows = (
        select(slots.c.at, events.c.at.label("sent"))
        .select_from(slots)
        .join(deliveries, deliveries.c.draft == slots.c.draft, isouter=True)
        .join(events, (events.c.delivery == deliveries.c.id) & (events.c.new == "sent"), isouter=True)
        .where(slots.c.at > since, slots.c.at <= until)
    )
    with house.database.read() as connection:
        found = connection.execute(rows).all()
    return [(row.sent - row.at).total_seconds() if row.sent else float("inf") for row in found]


def control(house: House, since: datetime, until: datetime, folder: Path) -> list[float]:
    """The times at which a loop that wakes once a second appends the posts."""
    due = sorted(
        (slot.at, bot)
        for bot, setting in house.config.bots.items()
        if setting.schedule
        for slot in slots_between(bot, setting.schedule, since, until)
    )
    late = []
    while due:
        while due and due[0][0] <= datetime.now(UTC):
            at, bot = due.pop(0)
            with (folder / bot).open("a") as file:
                file.write("a post\n")
                os.fsync(file.fileno())
            late.append((datetime.now(UTC) - at).total_seconds())
        time.sleep(1.0)
    return late


def measure(bots: int, minutes: float, together: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        house = House(load(write_config(folder, bots, together)))
        approve(house, int(minutes) + 2)
        began, cpu = datetime.now(UTC) + START, time.process_time()
        deliver(house, (START + minutes * MINUTE).total_seconds() + 10)
        used = time.process_time() - cpu
        ended = began + minutes * MINUTE
        ours = lateness(house, began, ended)
        other = control(house, datetime.now(UTC), datetime.now(UTC) + MINUTE, folder)
    return {
        "bots": bots,
        "together": together,
        "posts": len(ours),
        "missing": sum(late == float("inf") for late in ours),
        "cpu_share_of_the_worker": round(used / (ended - began + START).total_seconds(), 2),
        "ours": quantiles(ours),
        "control": quantiles(other),
    }


def quantiles(late: Sequence[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(late, q, method="lower")), 2) for q in (50, 95, 99, 100)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bots", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--together", action="store_true", help="all slots come at the same instant")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the sender's child inherits it
    figures = measure(chosen.bots, chosen.minutes, chosen.together)
    print(json.dumps(figures)) if chosen.json else show(figures)
    return 0


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['bots']} bots, {figures['posts']} posts on one CPU, {figures['missing']} missing")
    for name in ("ours", "control"):
        print(f"  {name:8}" + "".join(f"  {q} {late:6.2f} s" for q, late in figures[name].items()))


if __name__ == "__main__":
    sys.exit(main())
