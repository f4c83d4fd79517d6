"""Slots, claims, fences: a delivery moves on for its owner alone, and everything leaves a trace."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.errors import Conflict, NotFound
from bot.records import Delivery, Draft, Pace, Receipt
from bot.store.tables import events
from bot.store.tables import slots as slot_rows
from tests.queues import NOON, Queue, outlet, slot


@pytest.fixture
def draft(queue: Queue) -> Draft:
    """Approved, for one outlet."""
    return queue.approve(*queue.add("Wormhorn"))


@pytest.fixture
def claimed(queue: Queue, draft: Draft) -> Delivery:
    queue.deliveries.schedule_now("metal")
    return queue.deliveries.claim("me", 90)


# slots


def test_a_slot_takes_the_oldest_approval(queue: Queue) -> None:
    """First approved, first posted, whichever was sampled first; it is due when the slot is."""
    ash, bone = queue.add("Ash", "Bone")
    queue.approve(bone)
    queue.approve(ash)
    taken = queue.deliveries.take_slot(slot(9))

    assert (taken.id, taken.status) == (bone.id, "scheduled")
    assert [one.due_at for one in queue.deliveries.list(draft=bone.id)] == [slot(9).at]
    assert queue.drafts.get(ash.id).status == "approved"


def test_a_slot_is_used_once(queue: Queue) -> None:
    """A second process that takes the same slot gets nothing."""
    for draft in queue.add("Ash", "Bone"):
        queue.approve(draft)
    queue.deliveries.take_slot(slot(9))

    assert queue.deliveries.take_slot(slot(9)) is None
    assert queue.deliveries.take_slot(slot(10)) is not None


def test_a_slot_with_nothing_approved_is_used_up(queue: Queue) -> None:
    """It is written down without a draft, and an approval that comes later waits for the next one."""
    [draft] = queue.add("Wormhorn")
    assert queue.deliveries.take_slot(slot(9)) is None
    queue.approve(draft)

    assert queue.deliveries.take_slot(slot(9)) is None
    assert queue.deliveries.last_slot("metal") == slot(9).at
    assert queue.deliveries.last_slot("other") is None


def test_a_slot_taken_while_the_clock_was_wrong_does_not_count_until_it_comes(queue: Queue) -> None:
    """A clock that was a day ahead must not silence the bot for a day."""
    queue.deliveries.take_slot(slot(9))
    queue.deliveries.take_slot(slot(13))

    assert queue.deliveries.last_slot("metal") == slot(9).at
    queue.clock.pass_by(3600)
    assert queue.deliveries.last_slot("metal") == slot(13).at


def test_a_slot_of_one_bot_is_none_of_another(queue: Queue, draft: Draft) -> None:
    """Bots may post at the same time, each its own drafts."""
    assert queue.deliveries.take_slot(slot(9, bot="other")) is None
    assert queue.deliveries.take_slot(slot(9)).id == draft.id


def test_a_slot_passes_over_what_is_like_a_post_of_the_week(queue):
    """The next one that is not like it goes; what was posted by hand counts too."""
    for draft in queue.add("Wormhorn", "Wormhorns", "Moonspell"):
        queue.approve(draft)
    queue.deliveries.schedule_now("metal")

    assert queue.deliveries.take_slot(slot(13)).text == "Moonspell"
    assert queue.deliveries.take_slot(slot(14)) is None
    assert queue.deliveries.foreseen("metal", [NOON + timedelta(days=8)])[0].text == "Wormhorns"


def test_what_is_in_doubt_keeps_back_what_is_like_it_until_a_person_has_looked(queue):
    """It may be public or not, and come out in any week; the calendar foresees that too."""
    for draft in queue.add("Wormhorn", "Wormhorns"):
        queue.approve(draft)
    queue.deliveries.schedule_now("metal")
    sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    queue.deliveries.settle(sending, "uncertain", "no answer")
    months = [NOON + timedelta(days=day) for day in (1, 30, 60)]

    assert queue.deliveries.foreseen("metal", months) == [None] * 3
    queue.deliveries.settle(queue.deliveries.list()[0], "cancelled", "it is not there", actor="ada")
    assert queue.deliveries.foreseen("metal", months)[0].text == "Wormhorns"


def test_what_was_refused_or_is_another_bots_keeps_nothing_back(queue):
    """Nobody has seen the one, and others have seen the other."""
    for draft in [*queue.add("Wormhorn", "Wormhorns"), *queue.add("Wormhorny", bot="other")]:
        queue.approve(draft)
    queue.deliveries.schedule_now("other")
    queue.deliveries.take_slot(slot(9))
    claimed = queue.deliveries.claim("me", 60, draft=1)
    queue.deliveries.settle(claimed, "refused", "too long")

    assert queue.deliveries.take_slot(slot(10)).text == "Wormhorns"


def test_slots_a_second_apart_are_two(queue: Queue) -> None:
    """Interval slots are keyed by their instant, to the microsecond."""
    first = slot(9)
    later = first.at + timedelta(microseconds=1)
    queue.deliveries.take_slot(first)
    queue.deliveries.take_slot(type(first)("metal", later.date(), later.time(), "UTC", later))

    assert queue.deliveries.last_slot("metal") == later


def test_posting_now_uses_no_slot(queue: Queue, draft: Draft) -> None:
    """The delivery is due at once; when nothing more is approved, nothing is."""
    assert queue.deliveries.schedule_now("metal").id == draft.id
    assert [one.due_at for one in queue.deliveries.list()] == [NOON]
    assert queue.deliveries.schedule_now("metal") is None
    with queue.database.read() as connection:
        assert connection.execute(select(slot_rows)).all() == []


# claiming


def test_one_drafts_deliveries_are_claimed_without_the_others(queue: Queue) -> None:
    """What is due of another draft stays where it is."""
    for draft in queue.add("Ash", "Bone"):
        queue.approve(draft, outlet(draft.text, "feed", f"feed of {draft.text}"))
        queue.deliveries.schedule_now("metal")

    assert queue.deliveries.claim("me", 90, draft=draft.id).text == "Bone"
    assert queue.deliveries.claim("me", 90, draft=draft.id) is None
    assert queue.deliveries.claim("me", 90).text == "Ash"


def test_nothing_is_claimed_before_it_is_due(queue: Queue, draft: Draft) -> None:
    """An approval alone posts nothing, and a slot nothing before its time."""
    assert queue.deliveries.claim("me", 90) is None
    queue.deliveries.take_slot(slot(13))
    assert queue.deliveries.claim("me", 90) is None
    queue.clock.pass_by(3600)

    assert queue.deliveries.claim("me", 90).draft == draft.id


def test_a_resting_bot_is_passed_over(queue: Queue) -> None:
    """What is due of another goes out, and its own when it rests no more."""
    for bot, text in ("metal", "Ash"), ("other", "Bone"):
        queue.approve(*queue.add(text, bot=bot), outlet(text, account=bot))
        queue.deliveries.schedule_now(bot)
    metal_rests = Pace(resting=frozenset(["metal"]))

    assert queue.deliveries.claim("me", 90, pace=metal_rests).text == "Bone"
    assert queue.deliveries.claim("me", 90, pace=metal_rests) is None
    assert queue.deliveries.claim("me", 90).text == "Ash"


def test_posts_of_a_bot_keep_their_distance_on_each_target(queue: Queue) -> None:
    """Whatever has fallen due meanwhile; a second try of the same post need not, nor another target."""
    for text, target in ("Ash", "x"), ("Bone", "x"), ("Moss", "feed"):
        queue.approve(*queue.add(text), outlet(text, target))
        queue.deliveries.schedule_now("metal")
    far = Pace(distances={"metal": timedelta(hours=2)})

    def claimed(pace: Pace = far) -> str:
        delivery = queue.deliveries.claim("me", 90, pace=pace)
        if delivery is None:
            return ""
        queue.deliveries.settle(queue.deliveries.begin_sending(delivery), "planned", "busy")
        return delivery.text

    assert [claimed(), claimed(), claimed()] == ["Ash", "Ash", "Ash"]
    queue.deliveries.settle(queue.deliveries.claim("me", 90, pace=far), "refused", "no")
    assert [claimed(), claimed()] == ["Moss", "Moss"]
    queue.clock.pass_by(2 * 3600 - 1)
    assert claimed() == "Moss"
    queue.clock.pass_by(1)
    assert claimed() == "Bone"
    assert queue.deliveries.last_post("metal") == queue.clock()
    assert queue.deliveries.last_post("other") is None


def test_a_claim_names_its_owner_its_lease_and_its_fence(claimed: Delivery) -> None:
    """The fence counts the claims, so that an old owner can be told from a new one."""
    assert (claimed.state, claimed.owner, claimed.fence) == ("claimed", "me", 1)
    assert claimed.lease_until == NOON + timedelta(seconds=90)
    assert claimed.attempts == 0


def test_what_has_been_due_longest_is_claimed_first(queue: Queue) -> None:
    """Whichever was approved first."""
    ash, bone = queue.add("Ash", "Bone")
    queue.approve(ash, outlet("Ash", "x"))
    queue.deliveries.take_slot(slot(11))
    queue.approve(bone)
    queue.deliveries.take_slot(slot(10))

    assert queue.deliveries.claim("me", 90).draft == bone.id


def test_one_delivery_is_in_flight_on_an_account(queue: Queue) -> None:
    """Another account's may fly beside it; the next of the same waits until it is settled."""
    ash, bone = queue.add("Ash", "Bone")
    queue.approve(ash, outlet("Ash", "x", "@metal"), outlet("Ash", "feed"))
    queue.approve(bone, outlet("Bone", "x", "@metal"))
    queue.deliveries.schedule_now("metal"), queue.deliveries.schedule_now("metal")

    first, second = queue.deliveries.claim("me", 90), queue.deliveries.claim("you", 90)
    assert (first.account, second.account) == ("@metal", "feed")
    assert queue.deliveries.claim("me", 90) is None
    queue.deliveries.settle(first, "refused", "too long")
    assert queue.deliveries.claim("me", 90).draft == bone.id


def test_one_that_is_tried_later_is_claimed_under_a_new_fence(queue: Queue, claimed: Delivery) -> None:
    """It waits as long as it was put off."""
    later = NOON + timedelta(seconds=60)
    put_off = queue.deliveries.settle(claimed, "planned", "busy", due_at=later)
    assert (put_off.due_at, put_off.owner, put_off.lease_until) == (later, None, None)
    assert queue.deliveries.claim("me", 90) is None
    queue.clock.pass_by(60)

    assert queue.deliveries.claim("you", 90).fence == 2


# sending and settling


def test_an_attempt_is_on_record_before_the_network(queue: Queue, claimed: Delivery) -> None:
    """It keeps the time of the first, whatever follows."""
    sending = queue.deliveries.begin_sending(claimed)
    assert (sending.state, sending.attempts, sending.first_tried_at) == ("sending", 1, NOON)

    queue.deliveries.settle(sending, "planned", "busy")
    queue.clock.pass_by(60)
    again = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    assert (again.attempts, again.first_tried_at, again.key) == (2, NOON, claimed.key)


def test_the_key_and_the_text_never_change(queue: Queue, claimed: Delivery) -> None:
    """Every attempt is the same post."""
    sending = queue.deliveries.begin_sending(claimed)
    queue.deliveries.settle(sending, "planned", "busy")
    queue.clock.pass_by(60)
    again = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))

    assert (again.key, again.text, again.approved_at) == (claimed.key, claimed.text, claimed.approved_at)


def test_a_receipt_makes_it_sent(queue: Queue, claimed: Delivery) -> None:
    """The remote id is kept and the owner let go."""
    sending = queue.deliveries.begin_sending(claimed)
    sent = queue.deliveries.settle(sending, "sent", "", Receipt("42", "https://example.org/42"))

    assert (sent.state, sent.remote_id, sent.owner) == ("sent", "42", None)
    assert queue.deliveries.unfinished() == []


def test_evidence_makes_it_sent_too(queue: Queue, claimed: Delivery) -> None:
    """Where a target gives no id, what was seen stands for it."""
    sending = queue.deliveries.begin_sending(claimed)

    assert (
        queue.deliveries.settle(sending, "sent", "", Receipt(evidence="it is in the feed")).remote_id is None
    )


@pytest.mark.parametrize("receipt", [None, Receipt(), Receipt(url="https://example.org")])
def test_nothing_is_sent_without_proof(queue: Queue, claimed: Delivery, receipt: Receipt | None) -> None:
    """Neither an id nor evidence: it stays as it was."""
    sending = queue.deliveries.begin_sending(claimed)

    with pytest.raises(Conflict, match="neither an id from console nor evidence"):
        queue.deliveries.settle(sending, "sent", "", receipt)
    assert queue.deliveries.get(sending.id) == sending


def test_one_post_is_the_receipt_of_one_delivery(queue: Queue) -> None:
    """An id that another delivery of the account has is no proof."""
    for draft in queue.add("Ash", "Bone"):
        queue.approve(draft)
        queue.deliveries.schedule_now("metal")
    first = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    queue.deliveries.settle(first, "sent", "", Receipt("42"))
    second = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))

    with pytest.raises(Conflict, match="the post 42 of console is delivery 1 already"):
        queue.deliveries.settle(second, "sent", "", Receipt("42"))


def test_a_lost_claim_sends_nothing(queue: Queue, claimed: Delivery) -> None:
    """An owner that was held up finds its fence passed by, before a byte leaves and after."""
    queue.deliveries.settle(claimed, "planned", "its process ended")
    with pytest.raises(Conflict, match="moved on: it is planned now, under fence 1"):
        queue.deliveries.begin_sending(claimed)
    newer = queue.deliveries.claim("you", 90)
    with pytest.raises(Conflict, match="moved on: it is claimed now, under fence 2"):
        queue.deliveries.begin_sending(claimed)
    with pytest.raises(Conflict):
        queue.deliveries.settle(claimed, "sent", "", Receipt("42"))
    assert queue.deliveries.get(newer.id) == newer


def test_a_state_leads_only_where_it_may(queue: Queue, claimed: Delivery) -> None:
    """What has not been tried was not sent, and what is final stays so."""
    with pytest.raises(Conflict, match="is claimed: it cannot become sent"):
        queue.deliveries.settle(claimed, "sent", "", Receipt("42"))
    refused = queue.deliveries.settle(claimed, "refused", "too long")
    for state in ("planned", "sent", "uncertain", "cancelled"):
        with pytest.raises(Conflict, match=f"is refused: it cannot become {state}"):
            queue.deliveries.settle(refused, state, "", Receipt("42"))


def test_nothing_is_in_doubt_of_which_nothing_was_tried(queue: Queue, claimed: Delivery) -> None:
    """Else evidence could make it sent without an attempt; after one, a claim may be in doubt."""
    with pytest.raises(Conflict, match="is claimed: it cannot become uncertain"):
        queue.deliveries.settle(claimed, "uncertain", "who knows")
    queue.deliveries.settle(queue.deliveries.begin_sending(claimed), "planned", "busy")
    again = queue.deliveries.claim("me", 90)

    assert queue.deliveries.settle(again, "uncertain", "the first may be there").state == "uncertain"


def test_a_person_can_settle_a_doubt(queue: Queue, claimed: Delivery) -> None:
    """An uncertain delivery waits for evidence; who gave it is on record."""
    doubt = queue.deliveries.settle(queue.deliveries.begin_sending(claimed), "uncertain", "no answer")
    assert queue.deliveries.list(state="uncertain") == [doubt]
    queue.deliveries.settle(doubt, "sent", "seen", Receipt(evidence="ada saw it"), actor="ada")

    with queue.database.read() as connection:
        assert connection.scalars(select(events.c.actor).order_by(events.c.id.desc())).first() == "ada"


def test_a_doubt_keeps_when_to_ask(queue: Queue, claimed: Delivery) -> None:
    """An uncertain delivery is due when its target is asked, and never if a person must look."""
    later = NOON + timedelta(seconds=60)
    sending = queue.deliveries.begin_sending(claimed)
    doubt = queue.deliveries.settle(sending, "uncertain", "no answer", due_at=later)
    assert doubt.due_at == later

    assert queue.deliveries.settle(doubt, "uncertain", "still none").due_at is None


def test_the_last_post_is_known_with_its_time(queue: Queue, claimed: Delivery) -> None:
    """When it was sent, not when it was due; of other bots it knows nothing."""
    sending = queue.deliveries.begin_sending(claimed)
    queue.clock.pass_by(90)
    sent = queue.deliveries.settle(sending, "sent", "", Receipt("p1"))

    assert queue.deliveries.last_sent("metal") == (sent, NOON + timedelta(seconds=90))
    assert queue.deliveries.last_sent("other") is None


def test_every_change_leaves_an_event(queue: Queue, claimed: Delivery) -> None:
    """Old state, new state, actor, fence, reason and time."""
    sending = queue.deliveries.begin_sending(claimed)
    queue.clock.pass_by(5)
    queue.deliveries.settle(sending, "refused", "too long")

    columns = (events.c.old, events.c.new, events.c.actor, events.c.fence, events.c.reason, events.c.at)
    with queue.database.read() as connection:
        assert [tuple(row) for row in connection.execute(select(*columns))] == [
            (None, "planned", "ada", 0, "", NOON),
            ("planned", "claimed", "me", 1, "", NOON),
            ("claimed", "sending", "me", 1, "", NOON),
            ("sending", "refused", "me", 1, "too long", NOON + timedelta(seconds=5)),
        ]


def test_deliveries_are_listed_by_state_bot_and_draft(queue: Queue, claimed: Delivery) -> None:
    """Oldest first."""
    [other] = queue.add("Dirge", bot="other")
    queue.approve(other)
    [planned] = queue.deliveries.list(bot="other")

    assert queue.deliveries.list() == [claimed, planned]
    assert queue.deliveries.list(state="claimed") == queue.deliveries.unfinished() == [claimed]
    assert queue.deliveries.list(draft=other.id) == [planned]
    with pytest.raises(NotFound, match="no delivery has the id 7"):
        queue.deliveries.get(7)
