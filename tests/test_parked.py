"""Rows that cannot be read: the rest goes on without them, and they stay as they are, to be looked at."""

import pytest
from sqlalchemy import text

from bot.errors import Unreadable
from bot.records import Listing, Receipt
from bot.store.rows import unreadable
from tests.queues import open_queue, outlet, slot

# What was done to a row, and what is said of it.
DRAFT = {
    "bad JSON": "UPDATE drafts SET sampling = '{\"temperature\": [0.7' WHERE id = 1",
    "another JSON": "UPDATE drafts SET sampling = '[1, 2]' WHERE id = 1",
    "an unknown field": "UPDATE revisions SET verdicts = '[{\"mood\": 1}]' WHERE draft = 1",
    "a wrong time": "UPDATE drafts SET created_at = 'yesterday' WHERE id = 1",
    "an unknown state": "UPDATE drafts SET state = 'pondering' WHERE id = 1",
}
DELIVERY = {
    "bad JSON": "UPDATE deliveries SET media = '[{' WHERE id = 1",
    "a wrong time": "UPDATE deliveries SET approved_at = 'yesterday' WHERE id = 1",
    "an unknown kind": "UPDATE deliveries SET kind = 'pigeon' WHERE id = 1",
}


@pytest.fixture
def queue(tmp_path):
    with open_queue(tmp_path) as queue:
        yield queue


def spoil(queue, statement):
    """What another program or a failing disk might do: the tables' own checks are not asked."""
    with queue.database.write() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")


def content(queue, table):
    with queue.database.read() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]


@pytest.mark.parametrize("how", DRAFT)
def test_a_spoilt_draft_is_passed_over(queue, how, caplog, monkeypatch):
    """Listing, searching, deciding and the slots go on with the others; it is told once, and which one."""
    monkeypatch.setattr("bot.store.parked._told", set())
    queue.add("Ash", "Bone", "Crypt")
    for draft in queue.drafts.list():
        queue.approve(draft)
    spoil(queue, DRAFT[how])
    before = content(queue, "drafts")

    assert [it.text for it in queue.drafts.list()] == ["Bone", "Crypt"]
    assert [it.text for it in queue.drafts.page(Listing(status="approved")).drafts] == ["Crypt", "Bone"]
    with pytest.raises(Unreadable, match=r"drafts, row 1: it cannot be read \(.+\)"):
        queue.drafts.get(1)
    assert queue.drafts.undo(3, "ada").status == "pending"
    assert queue.deliveries.take_slot(slot(9)).text == "Bone"
    assert caplog.text.count("drafts, row 1: it cannot be read") == 1
    assert content(queue, "drafts")[0] == before[0]
    with queue.database.read() as connection:
        [said] = unreadable(connection)
    assert "drafts, row 1" in said


@pytest.mark.parametrize("how", DELIVERY)
def test_a_spoilt_delivery_holds_up_no_other(queue, how):
    """The next one that is due is claimed and sent in its stead."""
    for draft in queue.add("Ash", "Bone"):
        queue.approve(draft, outlet(draft.text, account=draft.text))
        queue.deliveries.schedule_now("metal")
    spoil(queue, DELIVERY[how])
    before = content(queue, "deliveries")

    claimed = queue.deliveries.claim("me", 90)
    assert claimed.text == "Bone"
    queue.deliveries.settle(queue.deliveries.begin_sending(claimed), "sent", "", Receipt("r-1"))
    assert queue.deliveries.claim("me", 90) is None
    assert [it.text for it in queue.deliveries.list()] == ["Bone"]
    assert queue.deliveries.last_sent("metal")[0].text == "Bone"
    assert content(queue, "deliveries")[0] == before[0]
    with queue.database.read() as connection:
        [said] = unreadable(connection)
    assert "deliveries, row 1" in said


def test_a_delivery_in_a_state_that_is_unknown_is_never_sent(queue):
    """Nor is its draft posted anew: what has become of it nobody knows."""
    [draft] = queue.add("Ash")
    queue.approve(draft)
    queue.deliveries.schedule_now("metal")
    spoil(queue, "UPDATE deliveries SET state = 'levitating' WHERE id = 1")

    assert queue.deliveries.claim("me", 90) is None
    assert queue.deliveries.list() == []
    with queue.database.read() as connection:
        [said] = unreadable(connection)
    assert "the state 'levitating' is none that is known" in said


def test_where_all_can_be_read_there_is_nothing_to_say(queue):
    """As it should be."""
    queue.add("Ash", "Bone")
    with queue.database.read() as connection:
        assert unreadable(connection) == []
