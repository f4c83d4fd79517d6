"""A clock on the wall that is set: nothing is posted until it can be believed, and nothing grows by it."""

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import pipeline
from bot.config import load
from bot.events import ClockSet, Delivered, SlotTaken
from bot.house import House
from bot.posting.clock import APART, ClockWatch
from bot.uptime import Machine
from tests.folders import fill
from tests.queues import NOON, Clock

HOUR, DAY, YEAR = 3600, 86_400, 365.25 * 86_400
STEPS = [-HOUR, DAY, 200 * YEAR, -30 * YEAR]


class Clocks:
    """One on the wall, and one that nobody sets."""

    def __init__(self):
        self.wall, self.passed = Clock(), 0.0

    def pass_by(self, seconds):
        self.wall.pass_by(seconds)
        self.passed += seconds

    def set(self, seconds):
        self.wall.pass_by(seconds)

    def watch(self, believed=None):
        return ClockWatch(self.wall, lambda: self.passed, believed)


@pytest.fixture
def clocks():
    return Clocks()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_believed_when_two_readings_agree(clocks, step):
    """They are a minute apart; the step is told meanwhile."""
    watch = clocks.watch()
    clocks.pass_by(1)
    clocks.set(step)
    for _ in range(int(APART)):
        assert watch.read() == timedelta(seconds=step)
        clocks.pass_by(1)

    assert watch.read() == timedelta()
    clocks.pass_by(1)
    assert watch.read() == timedelta()


def test_a_clock_that_is_set_back_at_once_holds_up_nothing_longer(clocks):
    """Whoever has set it was mistaken, and what it shows agrees with what was known."""
    watch = clocks.watch()
    clocks.set(DAY)
    assert watch.read()
    clocks.pass_by(30)
    clocks.set(-DAY)

    assert not watch.read()


def test_readings_that_disagree_begin_anew(clocks):
    """A clock that goes on jumping is not believed."""
    watch = clocks.watch()
    for _ in range(20):
        clocks.set(DAY)
        assert watch.read()
        clocks.pass_by(APART - 1)


@given(st.lists(st.floats(-59, 3599), max_size=20))
def test_what_clocks_do_by_themselves_is_no_step(seconds):
    """Up to a minute back and an hour forward, again and again."""
    clocks = Clocks()
    watch = clocks.watch()
    for step in seconds:
        clocks.set(step)
        clocks.pass_by(1)
        assert not watch.read()


def test_a_sleep_is_no_step(clocks):
    """Both clocks go on while a machine sleeps or a process is stopped."""
    watch = clocks.watch()
    clocks.pass_by(30 * DAY)

    assert not watch.read()


def test_where_no_clock_counts_the_sleep_it_goes_on_after_a_minute(clocks):
    """What looks like a step is believed as any other."""
    watch = clocks.watch()
    clocks.set(8 * HOUR)
    assert watch.read()
    clocks.pass_by(APART)

    assert not watch.read()


def test_what_was_known_before_counts(clocks):
    """A process that begins after the step compares with what the last one has written down."""
    before = clocks.wall(), clocks.passed
    clocks.set(DAY)
    assert not clocks.watch().read()

    assert clocks.watch(before).read() == timedelta(seconds=DAY)


@pytest.fixture
def night(bot_folder, clocks):
    """A bot that has posted, with five drafts more, and what it does in a turn."""
    house = House(load(bot_folder), clocks.wall)
    house.database.machine = Machine("here", "boot", lambda: clocks.passed)
    for draft in fill(house, seed=5).drafts[:6]:
        house.desk("ann").approve(draft.id)
    events = []
    with pipeline.closing(pipeline.open_sender(house)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        clocks.pass_by(4)
        posting()
        assert house.drafts.count("posted", "night") == 1
        events.clear()
        yield house, posting, events


@pytest.mark.parametrize("step", STEPS)
def test_a_step_holds_posts_and_brings_one_on_at_most(night, clocks, step):
    """No slot is taken before it is believed; of all that seem to be missed then, one is made up."""
    house, posting, events = night
    clocks.set(step)
    for _ in range(14):
        posting()
        assert [type(event) for event in events] == [ClockSet]
        clocks.pass_by(APART / 15)
    clocks.pass_by(APART / 15)
    posting()

    assert sum(isinstance(event, SlotTaken) for event in events) <= 1
    assert sum(isinstance(event, Delivered) for event in events) <= 2
    assert house.drafts.count("posted", "night") <= 2


@pytest.mark.parametrize("step", STEPS)
def test_there_and_back_again_the_bot_is_not_silent(night, clocks, step):
    """What a wrong clock has written, slots and times of posts, keeps nothing from coming afterwards."""
    house, posting, _ = night
    for seconds in (step, -step):
        clocks.set(seconds)
        for _ in range(3):
            posting()
            clocks.pass_by(APART)
    before = house.drafts.count("posted", "night")
    clocks.pass_by(4)
    posting()

    assert house.drafts.count("posted", "night") == before + 1


def test_a_bot_that_began_with_a_wrong_clock_gets_its_slots(bot_folder, clocks):
    """Started in 2226, set right, and its first slot comes in 2026."""
    clocks.set(200 * YEAR)
    house = House(load(bot_folder), clocks.wall)
    house.database.machine = Machine("here", "boot", lambda: clocks.passed)
    events = []
    with pipeline.closing(pipeline.open_sender(house)) as sender:
        courier = pipeline.open_courier(house, sender, events.append)
        posting = pipeline.Posting(house, courier, events.append, threading.Event())
        posting()
        clocks.set(-200 * YEAR)
        for _ in range(3):
            posting()
            clocks.pass_by(APART)
        posting()

    taken = [event.slot.at for event in events if isinstance(event, SlotTaken)]
    assert taken
    assert all(NOON <= at <= clocks.wall() for at in taken)
