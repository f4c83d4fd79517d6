"""The watchdog: a dead wake-up is started anew, a job that hangs ends the process."""

import pytest

from bot.errors import Stalled
from bot.posting.turns import LONGEST_PAUSE, Turns
from bot.posting.watchdog import HOPELESS, Watchdog

LIMIT = 120.0


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
