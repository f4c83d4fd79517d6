"""A policy of the owner's taste: it keeps what it promises, and does nothing unless it is told to."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.curation.taste.measures import tail
from bot.curation.taste.prequential import learn
from bot.curation.taste.threshold import LEVEL, SETTLED, imagined, threshold
from bot.records import Judgement
from bot.review.decisions import Desk
from bot.review.liking import Liking, is_held
from bot.review.policies import run_policy
from tests.queues import Queue, open_queue, outlet
from tests.test_taste import decisions


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        yield queue


def words(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return list(dict.fromkeys("".join(rng.choice(list("abdeiklmnorstuz"), 7)).title() for _ in range(count)))


def liked(text: str) -> bool:
    return "o" in text.casefold()


class Told:
    """Judgements that were made elsewhere: so many decisions of one taste."""

    def __init__(self, count: int):
        self.judgements = decisions(count)

    def list(self, bot: str, limit: int) -> list[Judgement]:
        return self.judgements[-limit:]


def run(queue: Queue, policy: str, told: Told) -> list[str]:
    """What the policy approved."""

    def open_liking(bot: str) -> Liking:
        liking = Liking(told, bot, 0.7)
        liking.catch_up()
        return liking

    def desk(actor: str) -> Desk:
        return Desk(queue.drafts, lambda *_: (), lambda bot, text: (outlet(text),), actor)

    return [draft.text for draft in run_policy(policy, "metal", queue.drafts, desk, open_liking)]


@pytest.mark.parametrize("precision", [0.6, 0.9])
def test_a_threshold_keeps_the_precision_that_is_asked_for(precision):
    """In 200 simulated histories what it lets through is too bad in about one of twenty at most."""
    rng, bad, found = np.random.default_rng(1), 0, 0
    for _ in range(200):
        scores = rng.random(400)
        labels = (rng.random(400) < scores).astype(float)
        limit = threshold(scores, labels, precision)
        found += math.isfinite(limit)
        bad += math.isfinite(limit) and (1 + limit) / 2 < precision  # the true precision above the limit

    assert found > (150 if precision == 0.6 else 5)
    assert bad / 200 <= LEVEL + 0.03


def test_too_few_decisions_let_nothing_through():
    """29 out of 29 are the fewest that show 90 %; what was foretold too early does not count."""
    scores = np.linspace(1, 0.5, SETTLED + 29)
    labels = np.ones(SETTLED + 29)

    assert threshold(scores, labels, 0.9) == scores[-1]
    assert threshold(scores[:-1], labels[:-1], 0.9) == math.inf
    assert tail(29, 29, 0.9) <= LEVEL < tail(28, 28, 0.9)


def test_what_is_imagined_is_decided_by_the_past_alone():
    """Later verdicts change nothing that was imagined before; what was asked about is left out."""
    rng = np.random.default_rng(2)
    scores, labels = rng.random(300), np.ones(300)
    asked = np.zeros(300)

    before = imagined(scores[:200], labels[:200], asked[:200], 0.8)
    labels[200:] = 0
    after = imagined(scores, labels, asked, 0.8)

    assert before.count == before.total > 50
    assert after.count == before.count
    assert imagined(scores, labels, np.ones(300), 0.8).total == 0


def test_without_the_policy_nothing_is_approved(queue: Queue) -> None:
    """However sure the taste is: manual approves nothing, and what would be done is only told."""
    queue.add("Oroboro", "Odoroko")

    assert run(queue, "manual", Told(300)) == []
    assert queue.drafts.counts()["pending"] == 2


def test_the_policy_approves_what_resembles_the_approved(queue: Queue) -> None:
    """In its own name; one in ten is left to the owner, and so is what they would reject."""
    queue.add(*words(120, 9))

    approved = run(queue, "taste", Told(300))

    assert len(approved) >= 5
    assert np.mean([liked(text) for text in approved]) >= 0.8
    found = queue.drafts.list("approved")
    assert not any(is_held(draft) for draft in found)
    assert [it.policy for it in queue.drafts.decisions(found[0].id)] == ["taste"]
    assert queue.judgements.list("metal") == []  # it has not taught itself


def test_before_it_knows_the_owner_it_approves_nothing(queue: Queue) -> None:
    """Few decisions, or none."""
    queue.add("Oroboro")

    assert run(queue, "taste", Told(0)) == []
    assert run(queue, "taste", Told(20)) == []


def test_one_in_ten_is_left_to_the_owner(queue: Queue) -> None:
    """By the text's digest, so that it is the same whenever it is asked."""
    held = [is_held(draft) for draft in queue.add(*words(200, 3))]

    assert np.mean(held) == pytest.approx(0.1, abs=0.04)


def test_it_learns_anew_only_when_something_was_decided(monkeypatch) -> None:
    """A turn of the daemon costs nothing otherwise."""
    fits, told = [], Told(30)
    monkeypatch.setattr("bot.review.liking.learn", lambda known: fits.append(len(known)) or learn(known))
    liking = Liking(told, "metal", 0.9)
    liking.catch_up()
    liking.catch_up()
    told.judgements = decisions(31)
    liking.catch_up()

    assert fits == [30, 31]
