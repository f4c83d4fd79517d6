"""What `bot run` needs as the days go by: memory, open files, the database's log.

    python -m benchmarks.soak [--days 30] [--bots 20] [--json]

The days are simulated: turns of filling and posting follow each other by a clock of their own, on a real
database, with a real sender's child and files as targets; the model host alone is a stand-in that makes up
texts. Control: two days of the same in a process that keeps a little of every turn, which must show.
"""

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

import numpy as np
import psutil

from bot.config import load
from bot.delivering import Posting, open_courier, open_sender
from bot.filling import Filling
from bot.host import Answer, Order
from bot.house import House
from tests.queues import Clock, judged

TURN = timedelta(minutes=10)
FILL_EVERY = 6  # turns
SAMPLE_EVERY = 18  # turns: three hours
WARM = 0.25  # of the days, until everything has been loaded once
LEAK = 200_000  # bytes a turn, of the control
MIB = 2**20


class Host:
    """Makes texts up, unlike each other."""

    def __init__(self) -> None:
        self._random = Random(1)

    def ask_all(self, orders: Sequence[Order]) -> Iterator[tuple[Order, Answer]]:
        for order in orders:
            yield order, [self._made(order, n) for n in range(order.count)]

    def _made(self, order: Order, index: int) -> Any:
        one = judged("".join(self._random.choices(ascii_lowercase, k=24)))
        where = f"{order.model}/{order.parts[0].checkpoint}"
        return replace(one, candidate=replace(one.candidate, checkpoint=where, seed=order.seed, index=index))


def write_config(folder: Path, bots: int) -> Path:
    bot = {"model": "death_metal", "review": "automatic", "queue_size": 8, "batch_size": 8}
    bot |= {"schedule": {"every": "3h", "jitter": "1h"}}
    named = {f"bot{n}": bot | {"targets": [{"jsonl": {"path": f"posts/{n}.jsonl"}}]} for n in range(bots)}
    path = folder / "config.yaml"
    path.write_text(json.dumps({"models": {"death_metal": {}}, "bots": named}, indent=1))
    return path


def live(folder: Path, days: float, bots: int, leak: int = 0) -> dict[str, Any]:
    """The days of so many bots. leak: bytes that are kept of every turn."""
    clock, stop, kept = Clock(), threading.Event(), list[bytes]()
    house = House(load(write_config(folder, bots)), clock)
    samples = []
    with closing(open_sender(house)) as sender:
        posting = Posting(house, open_courier(house, sender, lambda event: None), lambda event: None, stop)
        filling = Filling(house, Host(), lambda event: None, stop)  # type: ignore[arg-type]
        for turn in range(int(timedelta(days=days) / TURN)):
            clock.pass_by(TURN.total_seconds())
            if turn % FILL_EVERY == 0:
                filling()
            posting()
            kept.append(bytes(leak))
            if turn % SAMPLE_EVERY == 0:
                samples.append(look(folder, turn * TURN / timedelta(days=1)))
        sent = len(house.deliveries.list(state="sent"))
        house.database.close()
    return judge(samples, days, sent)


def look(folder: Path, day: float) -> dict[str, float]:
    """What this process and its children hold, and how long the log is."""
    me = psutil.Process()
    processes = [me, *me.children(recursive=True)]
    log = folder / "bot.db-wal"
    return {
        "day": day,
        "mib": sum(process.memory_info().rss for process in processes) / MIB,
        "files": sum(process.num_fds() for process in processes),
        "log_mib": log.stat().st_size / MIB if log.exists() else 0.0,
    }


def judge(samples: Sequence[dict[str, float]], days: float, sent: int) -> dict[str, Any]:
    warm = [sample for sample in samples if sample["day"] >= WARM * days]
    slope = np.polyfit([it["day"] for it in warm], [it["mib"] for it in warm], 1)[0]
    return {
        "days": days,
        "posts": sent,
        "mib": round(warm[-1]["mib"], 1),
        "mib_a_day": round(float(slope), 3),
        "files": int(warm[-1]["files"]),
        "files_more": int(warm[-1]["files"] - warm[0]["files"]),
        "log_mib": round(max(sample["log_mib"] for sample in samples), 2),
    }


def measure(days: float, bots: int) -> dict[str, Any]:
    """Each in a process of its own: what another has left free would be filled before anything grows."""
    found = {}
    for name, length, leak in (("ours", days, 0), ("control", min(days, 2.0), LEAK)):
        alone = ProcessPoolExecutor(1, get_context("spawn"))
        with alone, tempfile.TemporaryDirectory() as folder:
            found[name] = alone.submit(live, Path(folder), length, bots, leak).result()
    return {"bots": bots, **found}


def show(figures: dict[str, Any]) -> None:
    for name in ("ours", "control"):
        it = figures[name]
        print(
            f"{name:8} {it['days']:g} days, {figures['bots']} bots, {it['posts']:,} posts: {it['mib']} MiB, "
            f"{it['mib_a_day']:+.3f} MiB a day; {it['files']} open files, {it['files_more']:+d}; "
            f"log of the database at most {it['log_mib']} MiB"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--bots", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    figures = measure(chosen.days, chosen.bots)
    print(json.dumps(figures)) if chosen.json else show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
