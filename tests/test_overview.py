"""What is known of all deliveries together, on either database."""

from datetime import timedelta

import pytest

from bot.errors import StoreError
from bot.store import Overview
from bot.store.overview import Unfinished
from tests.queues import NOON, open_queue, outlet, slot


@pytest.fixture
def overview(queue):
    return Overview(queue.database)


def approved(queue, text, *targets):
    [draft] = queue.add(text)
    return queue.approve(draft, *(outlet(text, target) for target in targets))


def test_every_step_is_read_once_and_in_order(queue, overview):
    """From any number on, as many as are asked for."""
    approved(queue, "Moon", "pad")
    queue.clock.pass_by(1)
    queue.deliveries.take_slot(slot(12))
    claimed = queue.deliveries.claim("me", 90)
    queue.deliveries.settle(claimed, "refused", "too long")

    steps = overview.changes(0, 10)

    assert [(step.old, step.new) for step in steps] == [
        (None, "planned"),
        ("planned", "claimed"),
        ("claimed", "refused"),
    ]
    assert (steps[2].bot, steps[2].target, steps[2].reason) == ("metal", "pad", "too long")
    assert (steps[2].slot_at, steps[2].at) == (NOON, NOON + timedelta(seconds=1))
    assert overview.changes(steps[0].id, 1) == [steps[1]]
    assert overview.newest() == steps[2].id


def test_what_is_not_over_is_counted(queue, overview):
    """What waits for a slot is stock; what is in doubt with no time to ask waits for a person."""
    approved(queue, "Moon", "pad", "web")
    approved(queue, "Sun", "pad")
    approved(queue, "Star", "pad", "web")
    queue.deliveries.schedule_now("metal")
    sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    queue.deliveries.settle(sending, "uncertain", "no answer")

    assert overview.stock() == {"metal": 2}
    assert sorted(overview.unfinished(), key=lambda it: it.state) == [
        Unfinished("metal", "web", "web", "planned", 1, NOON, 0),
        Unfinished("metal", "pad", "pad", "uncertain", 1, None, 1),
    ]
    claimed = queue.deliveries.claim("me", 90)
    assert Unfinished("metal", "web", "web", "claimed", 1, claimed.lease_until, 0) in overview.unfinished()


def test_the_newest_slot_is_the_newest_that_has_come(queue, overview):
    """One that was taken while the clock was wrong is not."""
    assert overview.newest_slot("metal") is None
    queue.deliveries.take_slot(slot(11))
    queue.deliveries.take_slot(slot(10))
    queue.deliveries.take_slot(slot(20))

    assert overview.newest_slot("metal") == (NOON - timedelta(hours=1), None)


def test_a_probe_changes_nothing(queue, overview):
    """It only tries."""
    overview.probe()

    assert overview.newest() == 0


def test_a_probe_fails_where_nothing_can_be_written(tmp_path):
    """Although it could still be read."""
    with open_queue(tmp_path) as queue:
        Overview(queue.database).probe()
        (tmp_path / "bot.db").unlink()

        with pytest.raises(StoreError, match="removed or replaced"):
            Overview(queue.database).probe()
