"""The wake-up: jobs run again and again, alone, and a failure stops nothing."""

import logging
from datetime import datetime, timedelta
from threading import Event, current_thread, main_thread

import pytest

from bot.errors import StoreError
from bot.posting.schedule import Wakeup
from bot.posting.turns import Turns

TICK = timedelta(milliseconds=5)
SOON = 20  # seconds; far more than it takes


def wakeup(**jobs):
    return Wakeup([Turns(name, job, 60) for name, job in jobs.items()], TICK)


class Count:
    """A job that can be awaited until it has run `times` times."""

    def __init__(self, times, fail=False):
        self.runs, self.times, self.fail, self.enough = 0, times, fail, Event()

    def __call__(self):
        assert current_thread() is not main_thread()
        self.runs += 1
        if self.runs >= self.times:
            self.enough.set()
        if self.fail:
            raise RuntimeError("the moon is down")


def test_both_jobs_run_again_and_again():
    """Each job runs at once and then at every tick, beside the main thread."""
    fill, deliver = Count(3), Count(3)

    with wakeup(fill=fill, deliver=deliver):
        assert fill.enough.wait(SOON)
        assert deliver.enough.wait(SOON)


def test_a_job_that_fails_runs_again(caplog):
    """A job that raises is logged with its traceback; it and the other go on."""
    broken, sound = Count(3, fail=True), Count(3)

    with wakeup(broken=broken, sound=sound):
        assert broken.enough.wait(SOON)
        assert sound.enough.wait(SOON)

    assert "the job 'broken' failed" in caplog.text
    assert "the moon is down" in caplog.text


def test_what_goes_on_failing_is_logged_once(caplog):
    """A disk that is full for days leaves one line, and another when it works again."""
    enough = Event()
    faults = [StoreError("the disk is full")] * 5

    def job():
        if faults:
            raise faults.pop()
        enough.set()

    with wakeup(job=job):
        assert enough.wait(SOON)

    assert [record.getMessage() for record in caplog.records if record.name == "bot.posting.turns"] == [
        "the job 'job' failed, and is run again: the disk is full",
        "the job 'job' works again",
    ]
    assert "Traceback" not in caplog.text


def test_a_job_is_never_run_beside_itself(caplog):
    """A job longer than its tick is not started again, without a word, and does not hold up the other."""
    running, most, let_go = [], [], Event()

    def long():
        running.append(1)
        most.append(len(running))
        let_go.wait(SOON)
        running.pop()

    other = Count(20)
    with wakeup(long=long, other=other):
        assert other.enough.wait(SOON)
        let_go.set()

    assert set(most) == {1}
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_stopping_waits_for_what_is_running():
    """When the block is left the running job has ended, and none begins after it."""
    begun, ended = Event(), []

    def job():
        begun.set()
        ended.append("early")
        ended[-1] = "done"

    with wakeup(job=job):
        assert begun.wait(SOON)
    runs = len(ended)

    assert set(ended) == {"done"}
    assert len(ended) == runs


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_wake_up_whose_thread_has_died_is_started_anew():
    """The job goes on, and one that is running is not run beside itself."""
    running, let_go, ticking = Event(), Event(), Count(3)
    begun = []

    def long():
        begun.append(1)
        running.set()
        let_go.wait(SOON)

    with wakeup(long=long, ticking=ticking) as waking:
        assert running.wait(SOON)
        die(waking._scheduler)
        ticking.runs = 0
        ticking.enough.clear()
        waking.restart()
        assert ticking.enough.wait(SOON)
        assert begun == [1]
        let_go.set()


def die(scheduler):
    """Its thread ends as it does when anything is raised in it."""

    def fail():
        raise RuntimeError

    scheduler._process_jobs = fail
    scheduler.wakeup()
    scheduler._thread.join(SOON)
    assert not scheduler._thread.is_alive()


def test_a_clock_that_leaps_costs_no_more_than_one_that_does_not(monkeypatch):
    """Set forward by 200 years, six billion ticks were missed: it makes one, and goes on."""
    leap = timedelta(days=200 * 365)

    class Leaping(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + leap

    job = Count(3)
    with wakeup(job=job):
        assert job.enough.wait(SOON)
        monkeypatch.setattr("apscheduler.schedulers.base.datetime", Leaping)
        job.enough.clear()
        job.times = job.runs + 3
        assert job.enough.wait(SOON)
