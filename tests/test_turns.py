"""The turns of a job: what they show to who looks."""

from bot.errors import StoreError
from bot.posting.turns import LONGEST_PAUSE, Turns


def turns(job, steady=lambda: 0.0):
    return Turns("post", job, 120.0, steady)


def test_a_turn_that_was_made_is_counted():
    """With its duration, and without a failure."""
    clock = iter([10.0, 13.5])
    job = turns(lambda: None, lambda: next(clock))

    job()
    seen = job.look(1)

    assert (seen.turns, seen.lasted, seen.failure, seen.running, seen.quiet) == (1, 3.5, "", False, 0)


def test_what_is_raised_stays_in_the_job():
    """Also what a plugin raises to end the process; since when it fails is counted by looks."""
    faults = [StoreError("the disk is full"), SystemExit(3)]

    def job():
        if faults:
            raise faults.pop(0)

    failing = turns(job)
    seen = []
    for _ in range(3):
        failing()
        seen.append(failing.look(5))

    assert [one.failure for one in seen] == ["StoreError: the disk is full", "SystemExit: 3", ""]
    assert [one.failing for one in seen] == [5, 10, 0]


def test_silence_is_told_between_turns_and_within_one():
    """A wake-up must call it every few seconds; a turn may take longer."""
    looks = []

    def job():
        looks.extend(working.look(60) for _ in range(4))
        working.alive()
        looks.append(working.look(60))

    working = turns(job)
    working()
    working.look(1)
    pause = [working.look(LONGEST_PAUSE), working.look(1)]

    assert [(one.running, one.quiet, one.silent) for one in looks] == [
        (True, 0, False),
        (True, 60, False),
        (True, 120, False),
        (True, 180, True),
        (True, 0, False),
    ]
    assert [one.silent for one in pause] == [False, True]


def test_a_turn_is_not_made_beside_another():
    """Whoever calls meanwhile is sent away."""
    made = []

    def job():
        made.append(1)
        twice()

    twice = turns(job)
    twice()

    assert made == [1]
    assert twice.look(1).turns == 1
