"""What is on its way: its order is a person's affair, and so is what is in doubt."""

import pytest

from bot.errors import BotError, Conflict
from bot.records import Delivery
from bot.review.outgoing import Outgoing
from tests.queues import NOON, Queue, slot


@pytest.fixture
def outgoing(queue: Queue) -> Outgoing:
    return Outgoing(queue.deliveries, "ada")


def doubt(queue: Queue) -> Delivery:
    """A delivery of which nobody knows."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)
    queue.deliveries.schedule_now("metal")
    sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    return queue.deliveries.settle(sending, "uncertain", "no answer")


@pytest.mark.parametrize(
    ("where", "remote_id"),
    [("https://example.org/@metal/1", None), (" 113 ", "113"), ("the page", "the page")],
)
def test_what_somebody_has_seen_is_sent(
    queue: Queue, outgoing: Outgoing, where: str, remote_id: str | None
) -> None:
    """What they say is kept as the evidence, and who they are."""
    delivery = doubt(queue)
    assert outgoing.uncertain() == [delivery]

    sent = outgoing.was_posted(delivery.id, where)

    assert (sent.state, sent.remote_id) == ("sent", remote_id)
    assert queue.drafts.get(delivery.draft).status == "posted"
    assert queue.deliveries.steps(delivery.draft)[-1].actor == "ada"
    assert where.strip() in queue.deliveries.steps(delivery.draft)[-1].reason
    assert outgoing.uncertain() == []


def test_nothing_is_sent_without_evidence(queue: Queue, outgoing: Outgoing) -> None:
    with pytest.raises(BotError, match="say where it was posted"):
        outgoing.was_posted(doubt(queue).id, " ")


def test_what_is_not_there_is_tried_again(queue: Queue, outgoing: Outgoing) -> None:
    """With the key it had."""
    delivery = doubt(queue)
    again = outgoing.was_not_posted(delivery.id)

    assert (again.state, again.due_at, again.key) == ("planned", NOON, delivery.key)
    assert queue.deliveries.claim("me", 90).id == delivery.id


def test_what_is_given_up_is_never_tried_again(queue: Queue, outgoing: Outgoing) -> None:
    """The draft counts as refused: it may be approved anew."""
    delivery = doubt(queue)

    assert outgoing.cancel(delivery.id).state == "cancelled"
    assert queue.deliveries.claim("me", 90) is None
    assert queue.drafts.get(delivery.draft).status == "refused"


def test_what_has_moved_on_is_not_settled(queue: Queue, outgoing: Outgoing) -> None:
    """Somebody else was quicker: the error carries what is there now."""
    delivery = doubt(queue)
    outgoing.was_not_posted(delivery.id)

    with pytest.raises(Conflict, match="delivery 1 is planned by now") as caught:
        outgoing.was_posted(delivery.id, "113")
    assert caught.value.current == queue.deliveries.get(delivery.id)
    queue.deliveries.settle(
        queue.deliveries.begin_sending(queue.deliveries.claim("me", 90)), "uncertain", "again"
    )
    with pytest.raises(Conflict, match="tried again since you looked"):
        outgoing.cancel(delivery.id, delivery.fence)


@pytest.mark.parametrize(
    ("draft", "to", "order"),
    [
        (3, "up", [1, 3, 2, 4]),
        (3, "first", [3, 1, 2, 4]),
        (2, "down", [1, 3, 2, 4]),
        (1, "last", [2, 3, 4, 1]),
        (1, "up", [1, 2, 3, 4]),
        (4, "down", [1, 2, 3, 4]),
    ],
)
def test_slots_take_drafts_in_the_order_they_were_put(
    queue: Queue, outgoing: Outgoing, draft: int, to: str, order: list[int]
) -> None:
    """The calendar foresees it, and so it comes; the others keep their order, a new approval is the last."""
    for one in queue.add("Ash", "Bone", "Crypt", "Dirge"):
        queue.approve(one)

    assert outgoing.move(draft, to) == (order != [1, 2, 3, 4])
    assert [it.id for it in outgoing.waiting("metal")] == order
    [late] = queue.add("Elegy")
    queue.approve(late)
    slots = [slot(hour) for hour in range(13, 18)]
    foreseen = queue.deliveries.foreseen("metal", [it.at for it in slots])
    assert [it.id for it in foreseen] == [*order, late.id]
    assert [queue.deliveries.take_slot(it).id for it in slots] == [*order, late.id]


def test_what_was_approved_anew_has_lost_its_place(queue: Queue, outgoing: Outgoing) -> None:
    ash, bone = queue.add("Ash", "Bone")
    queue.approve(ash)
    queue.approve(bone)
    outgoing.move(bone.id, "first")
    queue.drafts.undo(bone.id, "ada")
    queue.approve(bone)

    assert [it.id for it in outgoing.waiting("metal")] == [ash.id, bone.id]


def test_only_what_waits_for_a_slot_can_be_moved(queue: Queue, outgoing: Outgoing) -> None:
    queue.add("Ash")

    with pytest.raises(Conflict, match="draft 1 is pending: only an approved one"):
        outgoing.move(1, "up")
