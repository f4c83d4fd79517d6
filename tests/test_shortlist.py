"""Which draft is shown next: learned from decisions, noted with its chance, and never in a decision's way."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.curation.taste.learner import Learner
from bot.records import Listing
from bot.review.shortlist import Shortlist
from tests.queues import Queue, judged, open_queue

LIKED, DISLIKED = ("Ooz", "Oov", "Ool", "Oor", "Oot", "Oos"), ("Iiz", "Iiv", "Iil", "Iir", "Iit", "Iis")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        yield queue


def shortlist(queue: Queue, explore: float | None = 0.3, seed: int = 1) -> Shortlist:
    return Shortlist(queue.drafts, queue.judgements, lambda bot: explore, Random(seed))


def decide(queue: Queue) -> None:
    """Twelve decisions of one taste."""
    for draft in queue.add(*LIKED):
        queue.approve(draft)
    for draft in queue.add(*DISLIKED):
        queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")


def shown(queue: Queue) -> list[tuple[int, str, float]]:
    """Every showing: draft, reason, propensity."""
    with queue.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT draft, reason, propensity FROM showings ORDER BY id")
        return [tuple(row) for row in rows]


def test_before_there_is_a_taste_the_most_typical_draft_is_shown(queue: Queue) -> None:
    """The one whose surprise is nearest to that of real items."""
    for n, surprise in enumerate((0.6, 1.3, 0.97, 1.1)):
        one = judged(f"Ash {n}")
        candidate = replace(one.candidate, surprise=surprise, index=n)
        queue.drafts.add("metal", [replace(one, candidate=candidate)])

    assert shortlist(queue, explore=0.0).next("metal").candidate.surprise == 0.97
    assert shown(queue) == [(3, "typical", 1.0)]


def test_what_resembles_the_approved_is_shown_first(queue: Queue) -> None:
    """However late it was queued."""
    decide(queue)
    queue.add("Iin", "Iim", "Oon", "Iip")

    assert shortlist(queue, explore=0.0).next("metal").text == "Oon"


def test_each_showing_is_noted_with_its_chance(queue: Queue) -> None:
    """As often as it says: shown 400 times, the shares are 70, 20 and 10 in a hundred."""
    decide(queue)
    queue.add("Iin", "Oin", "Oon", "Iip")
    picker = shortlist(queue)
    drafts = Counter(picker.next("metal").id for _ in range(400))

    rows = shown(queue)
    reasons = Counter(reason for _, reason, _ in rows)
    assert {name: n / 400 for name, n in reasons.items()} == pytest.approx(
        {"best": 0.7, "uncertain": 0.2, "random": 0.1}, abs=0.06
    )
    chances = {draft: propensity for draft, _, propensity in rows}
    assert {draft: n / 400 for draft, n in drafts.items()} == pytest.approx(chances, abs=0.06)


def test_the_order_is_the_same_for_the_same_seed(queue: Queue) -> None:
    """And another for another."""
    queue.add(*[f"Ash {n}" for n in range(8)])

    def order(seed: int) -> list[int]:
        picker, skipped = shortlist(queue, 0.9, seed), set[int]()
        while draft := picker.next("metal", skipped):
            skipped.add(draft.id)
        return list(skipped)

    assert order(1) == order(1)
    first = [shortlist(queue, 0.9, seed).next("metal").id for seed in range(20)]
    assert len(set(first)) > 2


def test_every_draft_is_shown_once_until_none_is_left(queue: Queue) -> None:
    """What was skipped is not shown again."""
    ids = {draft.id for draft in queue.add("Ash", "Bone", "Crypt")}
    picker, skipped = shortlist(queue), set[int]()
    for _ in ids:
        skipped.add(picker.next("metal", skipped).id)

    assert skipped == ids
    assert picker.next("metal", skipped) is None


def test_without_a_bot_the_oldest_drafts_bot_comes_first(queue: Queue) -> None:
    """All of one bot's, then the next one's."""
    queue.add("Dusk", bot="other")
    queue.add("Ash", "Bone")
    picker, skipped, bots = shortlist(queue), set[int](), []
    while draft := picker.next(None, skipped):
        skipped.add(draft.id)
        bots.append(draft.bot)

    assert bots == ["other", "metal", "metal"]


def test_oldest_first_notes_nothing(queue: Queue) -> None:
    """Where the owner wants it so."""
    queue.add("Ash", "Bone")
    picker = shortlist(queue, explore=None)

    assert [picker.next("metal").text, picker.next(None, {1}).text] == ["Ash", "Bone"]
    picker.catch_up("metal")
    assert shown(queue) == []


def test_no_decision_waits_for_a_fit(queue: Queue, monkeypatch) -> None:
    """Between two cards nothing is learned unless it is asked to catch up, and then only what is new."""
    decide(queue)
    queue.add("Iin", "Oon")
    picker, fits = shortlist(queue), []
    picker.next("metal")
    monkeypatch.setattr(Learner, "_learn", lambda self, latest: fits.append(len(latest)))
    queue.drafts.decide(13, queue.drafts.get(13).sha256, "reject", "ada")

    picker.next("metal")
    assert fits == []
    picker.catch_up("metal")
    assert fits == [13]


def test_of_a_long_queue_the_oldest_are_looked_at(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a card costs no more, however many wait; the others come when those are decided on."""
    monkeypatch.setattr("bot.review.shortlist.LOOKED_AT", 2)
    queue.add("Ash", "Bone", "Crypt", "Dirge")
    picker = shortlist(queue)

    assert {picker.pick("metal").draft.id for _ in range(30)} == {1, 2}
    assert {picker.pick("metal", {1, 2}).draft.id for _ in range(30)} == {3, 4}


def test_what_is_picked_is_noted_when_it_is_shown(queue: Queue) -> None:
    """A card that was made ahead may never be seen."""
    queue.add("Ash")
    picker = shortlist(queue, explore=0.0)
    picked = picker.pick("metal")
    assert shown(queue) == []

    picker.note(picked)
    assert shown(queue) == [(picked.draft.id, "typical", 1.0)]


def test_what_was_learned_stands_beside_what_waits(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that lists can be sorted by it; what has not changed is not written again."""
    decide(queue)
    queue.add("Iin", "Oon")
    picker = shortlist(queue)
    assert [draft.score for draft in queue.drafts.list("pending")] == [None, None]
    picker.catch_up("metal")

    bad, good = queue.drafts.list("pending")
    assert 0 <= bad.score < good.score <= 1
    assert [it.id for it in queue.drafts.page(Listing(sort="score")).drafts] == [good.id, bad.id]
    written: list[dict[int, float]] = []
    monkeypatch.setattr(queue.judgements, "score", written.append)
    picker.catch_up("metal")
    assert written == [{}]
