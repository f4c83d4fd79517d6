"""The watchdog: a dead wake-up is started anew, a job that hangs ends the process."""

import os
import subprocess
import sys

import pytest

from bot.config import load, shipped
from bot.errors import Stalled
from bot.house import House
from bot.posting.turns import LONGEST_PAUSE, Turns
from bot.posting.watchdog import HOPELESS, Watchdog
from tests.folders import write_folder
from tests.healths import failing

LIMIT = 120.0
ROOT = shipped()


class Wakeup:
    """Counts how often it was started anew; `after` is done then."""

    def __init__(self, after=lambda: None):
        self.restarts, self.after = 0, after

    def restart(self):
        self.restarts += 1
        self.after()


def test_while_turns_are_made_it_does_nothing():
    """Hour after hour."""
    job, wakeup = Turns("post", lambda: None, LIMIT), Wakeup()
    watchdog = Watchdog([job], wakeup)

    for _ in range(1000):
        job()
        assert not watchdog.look(LONGEST_PAUSE)["post"].silent

    assert wakeup.restarts == 0


def test_a_dead_wake_up_is_started_anew_within_a_minute(caplog):
    """And again, should it die again."""
    job = Turns("post", lambda: None, LIMIT)
    wakeup = Wakeup(after=job)
    watchdog = Watchdog([job], wakeup)

    for _ in range(60):
        watchdog.look(1)

    assert wakeup.restarts == 60 // (LONGEST_PAUSE + 1)
    assert "the wake-up is started anew" in caplog.text


def test_a_wake_up_that_stays_dead_ends_the_process():
    """Once is tried."""
    wakeup = Wakeup()
    watchdog = Watchdog([Turns("post", lambda: None, LIMIT)], wakeup)

    for _ in range(2 * (int(LONGEST_PAUSE) + 1)):
        watchdog.look(1)
    with pytest.raises(Stalled, match="could not be started anew"):
        watchdog.look(1)

    assert wakeup.restarts == 1


def test_a_job_that_hangs_is_shown_first_and_ends_the_process_at_last():
    """Long after the longest turn, for ending breaks off what others are doing."""
    seen = []

    def hang():
        for _ in range(2000):
            seen.append(watchdog.look(1)["post"])

    job, wakeup = Turns("post", hang, LIMIT), Wakeup()
    watchdog = Watchdog([job], wakeup)
    job()  # it contains what is raised within it, here by the watchdog

    assert "has hung" in job.look(1).failure
    assert len(seen) == HOPELESS * LIMIT + 1
    assert sum(one.silent for one in seen) == len(seen) - LIMIT - 1
    assert wakeup.restarts == 0


HANGING = """
import os, sys, threading
import bot.pipeline as pipeline
from bot.cli import main

never = threading.Event()
pipeline.LIMITS["post"], pipeline.LOOK = 0.002, 0.001
pipeline.Posting.__call__ = lambda self: never.wait()
sys.argv = ["bot", "run"]
main()
"""


def test_a_run_whose_job_hangs_ends_with_an_error_and_says_where(tmp_path):
    """Although a thread that hangs would keep it alive; systemd, or who else, starts it again."""
    config = write_folder(tmp_path / "bot")
    ended = subprocess.run(
        [sys.executable, "-c", HANGING],
        env=os.environ | {"BOT_CONFIG": str(config), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 1
    assert "bot: the job 'post' has hung" in ended.stderr
    crash = (config.parent / "bot.db.run" / "crash.txt").read_text()
    assert "never.wait()" in crash or "in wait" in crash
    assert "ended without being stopped" in failing(House(load(config)))["run"]
