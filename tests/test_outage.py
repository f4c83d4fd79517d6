"""A database that cannot be used while the bot runs: told once, and it goes on by itself."""

import json
import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest

from bot import pipeline
from bot.config import load
from bot.house import House
from bot.posting.turns import Turns
from tests.folders import Host, fill
from tests.queues import Clock


@pytest.fixture
def approved(bot_folder, monkeypatch):
    """A bot that approves by itself, with a draft that is due, and no patience with locks."""
    monkeypatch.setattr("bot.store.database.BUSY_SECONDS", 0)
    text = bot_folder.read_text()
    bot_folder.write_text(text.replace("batch_size: 24", "batch_size: 24\n    review: automatic"))
    house = House(load(bot_folder), Clock())
    house.desk("ann").approve(fill(house, seed=5).drafts[0].id)
    yield house
    house.database.close()


@contextmanager
def running(house, events):
    """run(): a turn of both jobs, four seconds on, as the wake-up makes them."""
    stop, failures = threading.Event(), {}
    with closing(pipeline.open_sender(house)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, stop)
        filling = pipeline.Filling(house, Host(house), events.append, stop)
        jobs = [Turns("post", posting, 60, failures=failures), Turns("fill", filling, 60, failures=failures)]

        def run():
            house.clock.pass_by(4)
            for job in jobs:
                job()

        yield run


def posts(house):
    path = house.config.folder / "posts.jsonl"
    return [json.loads(line)["text"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("since", ["the start", "the second turn"])
def test_a_locked_database_is_told_once_and_it_goes_on(approved, caplog, since):
    """Another process keeps it for longer than anybody waits: one line, no post, and all resumes after."""
    events = []
    with running(approved, events) as run:
        if since == "the second turn":
            run()
        before, told = posts(approved), len(events)
        with closing(sqlite3.connect(approved.database.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(5):
                run()
            assert posts(approved) == before
            assert len(events) == told
            assert approved.drafts.list()
        [line] = [it.getMessage() for it in caplog.records if it.levelname == "ERROR"]
        assert "another process has kept it locked" in line
        run()

    assert len(posts(approved)) == len(before) + 1
    assert "works again" in caplog.text


def test_a_damaged_database_posts_nothing_and_can_still_be_read(approved, caplog):
    """It is told once and left as it is, and the line names the way back."""
    file = approved.database.file
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_events_delivery'")
        [size] = connection.execute("PRAGMA page_size").fetchone()
    with file.open("rb+") as raw:
        raw.seek((page[0] - 1) * size)
        raw.write(b"\xff" * size)
    house = House(approved.config, approved.clock)
    with running(house, []) as run:
        for _ in range(3):
            run()

    assert posts(house) == []
    assert [it.status for it in house.drafts.list(limit=1)] == ["approved"]
    assert caplog.text.count("it is damaged: put a backup in its place with `bot restore FILE`") == 1


def test_a_file_that_was_replaced_meanwhile_is_told_once(approved, caplog):
    """A database that somebody has put there by hand is another one: the bot must be started again."""
    with running(approved, []) as run:
        run()
        before = posts(approved)
        content = approved.database.file.read_bytes()
        approved.database.file.unlink()
        approved.database.file.write_bytes(content)
        for _ in range(3):
            run()

    assert posts(approved) == before
    assert caplog.text.count("removed or replaced while it was open; start again") == 1
