"""Killed at every durable step and started again: nothing posted twice, nothing lost, no `sent` is false."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bot.records import Outlet
from tests.crash import COURIER_STEPS, KINDS, POST_STEPS
from tests.queues import Queue, open_queue

ROOT = Path(__file__).parents[1]


def steps(target: str) -> list[tuple[str, str]]:
    """Where a delivery to this target can be killed, and who dies there."""
    places = [
        step for step in POST_STEPS if (target, step) != ("ledger", "in write")
    ]  # its write is one call
    posts = [(step, who) for step in places for who in ("both", "sender", "parent")]
    return [(step, "this") for step in COURIER_STEPS] + posts


def approve(queue: Queue, text: str) -> None:
    """A draft that is due at all three targets."""
    [draft] = queue.add(text)
    queue.approve(draft, *(Outlet(name, name_of(name), kind, text) for name, kind in KINDS.items()))
    queue.deliveries.schedule_now("metal")


def name_of(target: str) -> str:
    return {"jsonl": "jsonl posts.jsonl", "feed": "feed feed.xml", "ledger": "ledger"}[target]


def start(folder: Path, run: int, *arguments: str, at: str = "", who: str = "both") -> int:
    """Run the process until it ends or is killed; its exit code."""
    crash = {"CRASH_AT": at, "CRASH_WHO": who, "CRASH_MARK": str(folder / f"died-{run}")} if at else {}
    command = [sys.executable, "-W", "error", "-m", "tests.crash", str(folder), str(run), *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | crash, timeout=60).returncode


def posted(folder: Path) -> Counter[tuple[str, str]]:
    """How often each key stands at each target."""
    lines = (folder / "posts.jsonl").read_text().splitlines()
    keys = [("jsonl", json.loads(line)["key"]) for line in lines]
    keys += [("ledger", key) for key in (folder / "ledger").read_text().split()]
    if (folder / "feed.xml").exists():
        keys += [("feed", text.text) for text in ET.parse(folder / "feed.xml").iterfind(".//{*}content")]
    return Counter(keys)


def there(delivery) -> tuple[str, str]:
    """What a delivery leaves at its target: the feed has no keys, but its texts are all different."""
    return delivery.target, delivery.text if delivery.target == "feed" else delivery.key


@pytest.fixture
def queue(tmp_path):
    with open_queue(tmp_path) as queue:
        yield queue


@pytest.mark.parametrize("target", KINDS)
def test_killed_at_every_step(target, queue, tmp_path):
    """A kill at each step of a delivery, one after the other, each followed by a restart on what is left."""
    kills = steps(target)
    for run, (step, who) in enumerate(kills):
        approve(queue, f"name {run}")
        code = start(tmp_path, run, at=f"{step}@{target}", who=who)
        assert code == (0 if who == "sender" else -signal.SIGKILL), (step, who)
    assert start(tmp_path, len(kills)) == 0

    deliveries, count = queue.deliveries.list(), posted(tmp_path)
    uncertain = [delivery for delivery in deliveries if delivery.state == "uncertain"]
    assert len(deliveries) == 3 * len(kills)
    assert max(count.values()) == 1  # no duplicates
    assert all(count[there(d)] == 1 for d in deliveries if d.state == "sent")  # no false sent
    assert {d.state for d in deliveries} <= {"sent", "uncertain"}  # none lost, none stuck
    assert {d.kind for d in uncertain} <= {"opaque"}
    if target == "ledger":
        assert len(uncertain) == len(kills) - 2  # all that were killed while sending, and no others
    else:
        assert uncertain == []


def test_the_naive_way_posts_twice(queue, tmp_path):
    """The control: to post and then to mark it, under the same kills, makes duplicates: the test can fail."""
    targets = ["jsonl", "ledger", "jsonl", "ledger"]
    for run, target in enumerate(targets):
        approve(queue, f"name {run}")
        assert start(tmp_path, run, "naive", at=f"after write@{target}", who="sender") == -signal.SIGKILL
    assert start(tmp_path, len(targets), "naive") == 0

    assert sum(times - 1 for times in posted(tmp_path).values()) == len(targets)
