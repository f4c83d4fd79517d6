"""What counts as a person's judgement, why a draft was shown, how a batch was divided; on either database."""

import pytest
from sqlalchemy.exc import IntegrityError

from bot.store.judgements import Allotment
from tests.queues import Queue, outlet


def reject(queue: Queue, draft, actor="ada", policy="") -> None:
    queue.drafts.decide(draft.id, draft.sha256, "reject", actor, policy)


def texts(queue: Queue, bot: str = "metal") -> list[tuple[str, bool]]:
    return [(it.draft.text, it.approved) for it in queue.judgements.list(bot)]


def test_approvals_and_rejections_count_in_the_order_they_were_made(queue: Queue) -> None:
    """One bot's only; what is pending is no judgement."""
    ash, bone, _ = queue.add("Ash", "Bone", "Crypt")
    [other] = queue.add("Dusk", bot="other")
    reject(queue, bone)
    queue.approve(ash)
    reject(queue, other)

    assert texts(queue) == [("Bone", False), ("Ash", True)]
    assert queue.judgements.list("metal")[1].draft == queue.drafts.get(ash.id)
    assert [it.draft.text for it in queue.judgements.list("metal", limit=1)] == ["Ash"]


def test_what_was_undone_does_not_count(queue: Queue) -> None:
    """Nor is what came before it forgotten."""
    ash, bone = queue.add("Ash", "Bone")
    queue.approve(ash)
    queue.drafts.undo(ash.id, "ada")
    reject(queue, bone)
    queue.approve(bone)
    queue.drafts.undo(bone.id, "ada")

    assert texts(queue) == [("Bone", False)]


def test_what_a_policy_decided_is_nobodys_taste(queue: Queue) -> None:
    """Until a person thinks otherwise."""
    ash, bone = queue.add("Ash", "Bone")
    for draft in (ash, bone):
        queue.drafts.decide(draft.id, draft.sha256, "approve", "policy", "automatic", [outlet(draft.text)])
    assert texts(queue) == []

    reject(queue, bone)
    assert texts(queue) == [("Bone", False)]


def test_an_edit_is_judged_as_it_reads_when_it_is_approved(queue: Queue) -> None:
    """The text before the edit is no judgement of it; a rejection before it is."""
    ash, bone = queue.add("Ash", "Bone")
    ashes = queue.drafts.edit(ash.id, "Ashes", "ada", ())
    queue.approve(ashes)
    reject(queue, bone)
    queue.drafts.edit(bone.id, "Bones", "ada", ())

    assert texts(queue) == [("Ashes", True), ("Bone", False)]
    assert [it.draft.revision for it in queue.judgements.list("metal")] == [2, 1]
    assert queue.judgements.list("metal")[0].draft.candidate.text == "Ash"


def test_the_showing_before_a_decision_goes_with_it(queue: Queue) -> None:
    """The last one of that revision; what was decided by number had none."""
    ash, bone = queue.add("Ash", "Bone")
    queue.judgements.show(ash, "random", 0.25)
    queue.judgements.show(ash, "best", 0.75)
    queue.approve(ash)
    queue.clock.pass_by(1)
    queue.judgements.show(ash, "random", 0.125)
    reject(queue, bone)

    found = queue.judgements.list("metal")
    assert [(it.reason, it.propensity) for it in found] == [("best", 0.75), ("", None)]


@pytest.mark.parametrize("propensity", [0.0, 1.5])
def test_a_propensity_is_a_probability(queue: Queue, propensity: float) -> None:
    """What could never have been shown cannot be weighted."""
    [ash] = queue.add("Ash")
    with pytest.raises(IntegrityError, match="propensity"):
        queue.judgements.show(ash, "best", propensity)


def test_the_last_division_is_kept_with_those_before(queue: Queue) -> None:
    """Each bot's own."""
    queue.judgements.divide("metal", {"safe": Allotment(100, 0.5), "wild": Allotment(156, 0.5)})
    queue.clock.pass_by(60)
    queue.judgements.divide("metal", {"safe": Allotment(26, 0.05), "wild": Allotment(230, 0.95)})

    assert queue.judgements.last_division("metal") == {
        "safe": Allotment(26, 0.05),
        "wild": Allotment(230, 0.95),
    }
    assert queue.judgements.last_division("other") == {}


def test_a_division_is_found_whole_while_the_clock_runs(queue: Queue, monkeypatch) -> None:
    """All of a batch has one moment."""

    def now():
        queue.clock.pass_by(1)
        return queue.clock()

    monkeypatch.setattr(queue.database, "now", now)
    queue.judgements.divide("metal", {"safe": Allotment(20, 0.5), "wild": Allotment(40, 0.5)})

    assert set(queue.judgements.last_division("metal")) == {"safe", "wild"}
