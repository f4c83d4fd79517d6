"""Favourites that go out again where nothing is approved."""

import json
import threading
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.config import Schedule
from bot.delivering import Posting
from bot.events import Approved, SlotTaken
from bot.outlook import outlook
from bot.records import Outlet, Receipt
from tests.queues import judged

DAY = timedelta(days=1)


@pytest.fixture
def posted(house):
    """Drafts with these texts, approved and posted a day after each other, and starred."""

    house.lineage.examine()

    def posted(*texts):
        drafts = house.drafts.add("night", [judged(text) for text in texts])
        for draft in drafts:
            house.drafts.decide(
                draft.id,
                draft.sha256,
                "approve",
                "ada",
                outlets=[Outlet("jsonl", "jsonl", "opaque", draft.text)],
            )
            house.deliveries.schedule_now("night")
            deliver(house, f"id of {draft.text}")
            house.drafts.star(draft.id, True, "ada")
            house.clock.pass_by(DAY.total_seconds())
        return drafts

    return posted


def deliver(house, remote_id):
    sending = house.deliveries.begin_sending(house.deliveries.claim("me", 90))
    house.deliveries.settle(sending, "sent", "", Receipt(remote_id))


class Deliverer:
    """Posts what is due."""

    def __init__(self, house):
        self._house, self._count = house, 0

    def deliver_due(self, stopped):
        while claimed := self._house.deliveries.claim("me", 90):
            self._count += 1
            sending = self._house.deliveries.begin_sending(claimed)
            self._house.deliveries.settle(sending, "sent", "", Receipt(f"again {self._count}"))


@pytest.fixture
def turns(house, monkeypatch):
    """turns(days): what is told in a turn a day, of a bot whose favourites come again after 30 days."""
    schedule = Schedule.model_validate_json(json.dumps({"at": ["12:00"], "recycle": "30d"}))
    monkeypatch.setitem(
        house.config.bots, "night", house.bot("night").model_copy(update={"schedule": schedule})
    )
    told = []
    posting = Posting(house, Deliverer(house), told.append, threading.Event())

    def turns(days):
        told.clear()
        for _ in range(days):
            house.clock.pass_by(DAY.total_seconds())
            posting()
        return list(told)

    return turns


def test_where_nothing_is_approved_a_favourite_comes_again(house, posted, turns):
    """After its rest, that of the longest silence first, each as a draft of its own that names the first."""
    ash, bone = posted("Wormhorn", "Iron Choir")

    texts = [event.draft and event.draft.text for event in turns(34) if isinstance(event, SlotTaken)]

    assert [text for text in texts if text] == ["Wormhorn", "Iron Choir"]
    assert texts.index("Wormhorn") == 30 - 2 - 1  # two days had gone by, and a turn begins with the third
    copies = [draft for draft in house.drafts.list("posted", "night") if draft.recycled_from]
    assert [(copy.recycled_from, copy.text) for copy in copies] == [(ash.id, ash.text), (bone.id, bone.text)]
    assert copies[0].candidate == ash.candidate
    [decision] = house.drafts.decisions(copies[0].id)
    assert (decision.policy, decision.actor) == ("recycle", "policy")


def test_it_comes_again_and_again(house, posted, turns):
    """A copy counts as a post of the same text: the next one keeps its distance from it."""
    posted("Wormhorn")

    days = [n for n, event in enumerate(e for e in turns(95) if isinstance(e, SlotTaken)) if event.draft]

    assert len(days) == 3
    assert {later - earlier for earlier, later in pairwise(days)} == {30}


def test_the_calendar_foresees_it(house, posted, turns):
    """The same favourites in the same slots."""
    posted("Wormhorn", "Iron Choir")
    foreseen = [(one.slot.at, one.text) for one in outlook(house, "night", 70).slots if one.again]

    taken = [(e.slot.at, e.draft.text) for e in turns(70) if isinstance(e, SlotTaken) and e.draft]

    assert taken == foreseen
    assert len(foreseen) == 4


def test_what_is_approved_goes_first(house, posted, turns):
    """A favourite comes only where the queue is empty."""
    posted("Wormhorn")
    house.clock.pass_by(40 * DAY.total_seconds())
    [fresh] = house.drafts.add("night", [judged("Salt Ladder")])
    house.drafts.decide(
        fresh.id, fresh.sha256, "approve", "ada", outlets=[Outlet("jsonl", "jsonl", "opaque", fresh.text)]
    )

    taken = [event.draft.text for event in turns(2) if isinstance(event, SlotTaken)]

    assert taken == ["Salt Ladder", "Wormhorn"]


def test_without_its_star_it_stays_away(house, posted, turns):
    """And so does one that was never posted."""
    [ash] = posted("Wormhorn")
    house.drafts.star(ash.id, False, "ada")
    [waiting] = house.drafts.add("night", [judged("Salt Ladder")])
    house.drafts.star(waiting.id, True, "ada")

    assert not any(isinstance(event, Approved) for event in turns(40))


def test_what_the_gate_forbids_now_stays_away(house, posted, turns):
    """A post that has become like it, say; no copy of it is made."""
    posted("Wormhorn of the seventh sunken choir")
    house.clock.pass_by(20 * DAY.total_seconds())
    [like] = house.drafts.add("night", [judged("Wormhorn of the seventh sunken choirs")])
    house.drafts.decide(
        like.id, like.sha256, "approve", "ada", outlets=[Outlet("jsonl", "jsonl", "opaque", like.text)]
    )

    told = turns(40)

    assert [e.draft.text for e in told if isinstance(e, SlotTaken) and e.draft] == [like.text]
    assert len(house.drafts.list()) == 2
