"""One decision on many: counted first, each of its own revision, undone together."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.curation.gate import COPY
from bot.errors import BotError, Conflict
from bot.records import Listing, Outlet, Verdict
from bot.review import bulk
from bot.review.bulk import approve_all, reject_all, select
from bot.review.decisions import Desk
from tests.queues import Queue, open_queue, outlet


def gate(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
    return (Verdict(COPY, "reject", "It repeats a post."),) if "Copied" in text else ()


def outlets(bot: str, text: str) -> tuple[Outlet, ...]:
    return (outlet(text),)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def desk(queue: Queue) -> Desk:
    return Desk(queue.drafts, gate, outlets, "ada")


def test_all_that_match_are_rejected_for_one_reason(
    queue: Queue, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by a decision of its own, however many transactions that takes; others are left alone."""
    monkeypatch.setattr(bulk, "TOGETHER", 2)
    queue.add("Pale Moon", "Crypt", "Moon of Blood", "Moonrise")
    selection = select(desk, Listing(search="moon"))
    assert selection.count == 3

    assert sorted(reject_all(desk, selection, "dull", " all the same ").decided) == [1, 3, 4]
    assert [it.status for it in queue.drafts.list()] == ["rejected", "pending", "rejected", "rejected"]
    [decision] = queue.drafts.decisions(3)
    assert (decision.actor, decision.reason, decision.remark) == ("ada", "dull", "all the same")


def test_one_undo_takes_all_of_it_back(queue: Queue, desk: Desk) -> None:
    """But what somebody has decided on since."""
    first, *_ = queue.add("Pale Moon", "Crypt", "Moonrise", "Moon")
    desk.reject(2)
    reject_all(desk, select(desk, Listing(search="moon")))
    bob = Desk(queue.drafts, gate, outlets, "bob")
    bob.approve(4)

    assert {it.id for it in desk.undo_last()} == {first.id, 3}
    assert [it.status for it in queue.drafts.list()] == ["pending", "rejected", "pending", "approved"]
    assert [it.id for it in desk.undo_last()] == [2]


def test_what_a_person_must_look_at_is_not_approved_unseen(queue: Queue, desk: Desk) -> None:
    """Neither what the gate forbids nor what a filter asked about; both are named with the reason."""
    queue.add("Ash", "Copied")
    queue.add("Bone", verdicts=[Verdict("blocklist", "ask", "seems to hide a word")])

    done = approve_all(desk, select(desk, Listing()))

    assert done.decided == [1]
    assert sorted(done.left) == [(2, "It repeats a post."), (3, "seems to hide a word")]
    assert [it.status for it in queue.drafts.list()] == ["approved", "pending", "pending"]


def test_what_came_after_the_count_is_left_alone(queue: Queue, desk: Desk) -> None:
    """Nobody has seen it."""
    queue.add("Ash")
    selection = select(desk, Listing())
    queue.add("Bone")

    assert reject_all(desk, selection).decided == [1]


def test_other_drafts_than_were_counted_are_not_decided_on(queue: Queue, desk: Desk) -> None:
    """Somebody decided on one meanwhile: the error carries the new count."""
    queue.add("Ash", "Bone")
    selection = select(desk, Listing())
    Desk(queue.drafts, gate, outlets, "bob").approve(1)

    with pytest.raises(Conflict, match="1 drafts match by now, and 2 did") as caught:
        reject_all(desk, selection)
    assert caught.value.current == select(desk, Listing())
    assert queue.drafts.get(2).status == "pending"


def test_a_reason_that_is_none_is_refused(queue: Queue, desk: Desk) -> None:
    queue.add("Ash")

    with pytest.raises(BotError, match=r"no reason is called 'ugly' \(have dull"):
        reject_all(desk, select(desk, Listing()), "ugly")
