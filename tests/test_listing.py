"""Lists of the queue: every draft once, whatever the order and however many pages; search; counts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import BotError
from bot.records import Draft, Listing, Receipt, Sort, Status
from tests.queues import NOON, Queue, judged, open_queue, outlet

SURPRISES = (1.0, 0.7, 1.0, 1.3, 0.7, 1.1, 1.0)


@pytest.fixture
def seven(queue: Queue) -> Sequence[Draft]:
    """Drafts of which several surprise alike; some are scored."""
    made = []
    for number, surprise in enumerate(SURPRISES):
        one = judged(f"Worm {number}")
        made.append(replace(one, candidate=replace(one.candidate, surprise=surprise, index=number)))
    queue.drafts.add("metal", made)
    queue.judgements.score({1: 0.5, 2: 0.9, 3: 0.5})
    return queue.drafts.list()


def pages(queue: Queue, listing: Listing, size: int) -> list[int]:
    found, after = [], ""
    while True:
        page = queue.drafts.page(listing, after, size)
        found += [draft.id for draft in page.drafts]
        if not page.next:
            return found
        after = page.next


ORDERS: dict[Sort, list[int]] = {
    "oldest": [1, 2, 3, 4, 5, 6, 7],
    "newest": [7, 6, 5, 4, 3, 2, 1],
    "surprise": [4, 6, 7, 3, 1, 5, 2],
    "score": [2, 3, 1, 7, 6, 5, 4],
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("sort", get_args(Sort))
def test_pages_show_every_draft_once(queue: Queue, seven: Sequence[Draft], sort: Sort, size: int) -> None:
    """In the order asked for, the newest of equals first; what is not scored comes last."""
    assert pages(queue, Listing(sort=sort), size) == ORDERS[sort]


def test_a_page_is_not_shifted_by_what_is_decided_meanwhile(queue: Queue, seven: Sequence[Draft]) -> None:
    """The next page begins where the last one ended, also when that draft has left the list."""
    page = queue.drafts.page(Listing(), limit=3)
    for draft in page.drafts:
        queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")

    assert [it.id for it in queue.drafts.page(Listing(), page.next, 3).drafts] == [4, 3, 2]


@pytest.mark.parametrize("mark", ["x", "1_2", "1.5", "_", "7_7_7"])
def test_a_mark_that_no_page_gave_is_refused(queue: Queue, mark: str) -> None:
    with pytest.raises(BotError, match="no page ends at"):
        queue.drafts.page(Listing(), mark)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("pale", [1]),
        ("STRASSE", [2]),
        ("straße", [2]),
        ("100%", [3]),
        ("0_0", []),
        ("\\", [4]),
        ("ümlaut", [5]),
        ("", [1, 2, 3, 4, 5]),
    ],
)
def test_a_search_finds_a_part_of_the_text(queue: Queue, search: str, found: list[int]) -> None:
    """In either case and letter for letter: what means something to the database means nothing here."""
    queue.add("Pale Moon", "Die Straße", "100% Ash", "a\\b", "ÜMLAUT")

    assert pages(queue, Listing(search=search, sort="oldest"), 50) == found


def test_a_search_follows_edits(queue: Queue) -> None:
    """It looks at the text as it reads now, also after an undo."""
    [draft] = queue.add("Ash")
    queue.drafts.edit(draft.id, "Bone", "ada", ())
    assert pages(queue, Listing(search="bone"), 5) == [1]
    assert pages(queue, Listing(search="ash"), 5) == []
    queue.drafts.undo(draft.id, "ada")
    assert pages(queue, Listing(search="ash"), 5) == [1]


def test_a_list_is_of_one_status_one_bot_or_favourites(queue: Queue) -> None:
    """Or of all of them."""
    ash, bone, crypt, _ = (*queue.add("Ash", "Bone", "Crypt"), *queue.add("Dirge", bot="other"))
    queue.approve(ash)
    queue.drafts.star(bone.id, True, "ada")
    queue.drafts.decide(crypt.id, crypt.sha256, "reject", "ada")

    assert pages(queue, Listing(), 5) == [4, 2]
    assert pages(queue, Listing(bot="metal"), 5) == [2]
    assert pages(queue, Listing(status="approved"), 5) == [1]
    assert pages(queue, Listing(status="rejected"), 5) == [3]
    assert pages(queue, Listing(status=None), 5) == [4, 3, 2, 1]
    assert pages(queue, Listing(status=None, starred=True), 5) == [2]
    assert [it.id for it in queue.drafts.matching(Listing(status=None, starred=True))] == [2]


def test_what_was_put_off_comes_back_by_itself(queue: Queue) -> None:
    """Until its time it is in no list of pending drafts, and counted on its own."""
    ash, _ = queue.add("Ash", "Bone")
    snoozed = queue.drafts.snooze(ash.id, NOON + timedelta(hours=1), "ada")
    assert (snoozed.status, snoozed.snoozed_until) == ("snoozed", NOON + timedelta(hours=1))
    for status, ids in (("pending", [2]), ("snoozed", [1])):
        assert pages(queue, Listing(status=status), 5) == ids
        assert [it.id for it in queue.drafts.list(status)] == ids
        assert queue.drafts.counts("metal")[status] == queue.drafts.count(status, "metal") == 1

    queue.clock.pass_by(3600)

    assert queue.drafts.get(ash.id) == ash
    assert pages(queue, Listing(), 5) == [2, 1]
    assert queue.drafts.counts()["snoozed"] == queue.drafts.count("snoozed", "metal") == 0


@settings(max_examples=25)
@given(st.data())
def test_counts_are_those_of_the_lists(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever became of drafts and their deliveries."""
    with open_queue(tmp_path_factory.mktemp("queue")) as queue:
        for draft in queue.add(*"abcdef"):
            became_of(queue, draft, data.draw(st.sampled_from(WAYS)))
        counts = queue.drafts.counts()

        for status in get_args(Status):
            ids = pages(queue, Listing(status=status, sort="oldest"), 2)
            assert ids == [it.id for it in queue.drafts.list() if it.status == status]
            assert counts[status] == queue.drafts.counts("metal")[status] == len(ids)


WAYS = ("", "reject", "snooze", "approve", "undo", "sent", "refused", "uncertain", "planned", "cancelled")


def became_of(queue: Queue, draft: Draft, way: str) -> None:
    if way == "reject":
        queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")
    elif way == "snooze":
        queue.drafts.snooze(draft.id, NOON + timedelta(days=1), "ada")
    elif way:
        queue.approve(draft, outlet(draft.text, account=f"account {draft.id}"))
        if way == "undo":
            queue.drafts.undo(draft.id, "ada")
        elif way != "approve":
            queue.deliveries.move(draft.id, "first")
            queue.deliveries.schedule_now("metal")
            sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90, draft.id))
            first = "uncertain" if way == "cancelled" else way
            settled = queue.deliveries.settle(sending, first, "", Receipt(f"post-{draft.id}"))
            if way == "cancelled":
                queue.deliveries.settle(settled, "cancelled", "")
