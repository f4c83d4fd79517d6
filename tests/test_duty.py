"""Of several `bot run` on one database one is at work; the next takes over when that one has surely ended."""

from dataclasses import dataclass

import pytest

from bot.duty import LEASE, RENEWAL, Duty
from bot.events import Waiting
from bot.store import Database
from bot.uptime import Machine


@dataclass
class Rooms:
    """What a process has of its house: the database."""

    database: Database


class Crew:
    """Processes on one database; their time is the clock's."""

    def __init__(self, database):
        self.rooms, self.told, self.dead = Rooms(database), [], None

    def join(self):
        return Duty(self.rooms, self.told.append, lambda owner: self.dead)


@pytest.fixture
def crew(queue):
    return Crew(queue.database)


def on_duty(*several):
    for one in several:
        one.look()
    return [one.mine() for one in several]


def test_the_first_is_at_work_and_the_second_waits(crew):
    """Who waits says for whom, once."""
    first, second = crew.join(), crew.join()

    for _ in range(3):
        assert on_duty(first, second) == [True, False]
    [waiting] = crew.told
    assert isinstance(waiting, Waiting)
    assert waiting.process.startswith("process ")


def test_who_works_renews_its_lease(crew, queue):
    """However long it works, nobody else does."""
    first, second = crew.join(), crew.join()
    for _ in range(20):
        assert on_duty(first, second) == [True, False]
        queue.clock.pass_by(RENEWAL)


def test_one_that_ends_in_peace_lets_the_next_begin_at_once(crew):
    """It gives its lease up."""
    first, second = crew.join(), crew.join()
    on_duty(first, second)
    first.leave()

    assert on_duty(second) == [True]


def test_one_that_has_surely_ended_is_not_waited_for(crew):
    """Killed on this machine: its lease counts no more."""
    first, second = crew.join(), crew.join()
    on_duty(first, second)
    crew.dead = True

    assert on_duty(second) == [True]


def test_one_that_does_not_show_itself_is_waited_for_as_long_as_its_lease(crew, queue):
    """Stopped, or on another machine; when it wakes it finds that it is not its turn any more."""
    first, second = crew.join(), crew.join()
    on_duty(first, second)
    queue.clock.pass_by(LEASE - 1)
    assert on_duty(second) == [False]
    queue.clock.pass_by(1)
    assert on_duty(second) == [True]

    assert not first.mine()
    assert on_duty(first, second) == [False, True]


def test_a_clock_that_is_set_ends_no_lease(crew, queue):
    """Leases go by the uptime of the machine."""
    queue.database.machine = Machine("here", "boot", lambda: 1000.0)
    first, second = crew.join(), crew.join()
    on_duty(first, second)
    queue.clock.pass_by(86_400)

    assert on_duty(second, first) == [False, True]


def test_who_has_no_lease_gives_none_up(crew):
    """One that ends while it waits takes nothing from the one at work."""
    first, second, third = crew.join(), crew.join(), crew.join()
    on_duty(first, second)
    second.leave()

    assert on_duty(third) == [False]
