"""The desk: no revision is approved that the gate has not seen, and a person insists only where allowed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.curation.gate import COPY, SAFETY
from bot.errors import Conflict, GateError, StoreError
from bot.records import Draft, Evidence, Match, Outlet, Verdict
from bot.review.decisions import Desk
from tests.queues import Queue, open_queue, outlet


def gate(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
    """Forbids mentions for good, and the text Copied unless somebody insists."""
    mention = Verdict(SAFETY, "reject", "“@ada” would notify somebody.")
    copy = Verdict(COPY, "reject", "It repeats the recent post “Copied”.")
    return (
        mention if "@" in text else Verdict(SAFETY, "accept"),
        copy if "Copied" in text else Verdict(COPY, "accept"),
    )


def outlets(bot: str, text: str) -> tuple[Outlet, ...]:
    return () if bot == "homeless" else (outlet(text),)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def desk(queue: Queue) -> Desk:
    return Desk(queue.drafts, gate, outlets, "ada")


def test_an_approval_goes_to_the_bots_outlets(queue: Queue, desk: Desk) -> None:
    """The text as each outlet renders it, decided on by whoever sits at the desk."""
    [draft] = queue.add("Wormhorn")

    assert desk.approve(draft.id).status == "approved"
    assert [it.text for it in queue.deliveries.list()] == ["Wormhorn"]
    [decision] = queue.drafts.decisions(draft.id)
    assert (decision.actor, decision.policy, decision.override) == ("ada", "", False)


def test_what_is_unsafe_is_never_approved(queue: Queue, desk: Desk) -> None:
    """Nobody may insist; the reason is the gate's."""
    [draft] = queue.add("Hail @ada")

    for override in (False, True):
        with pytest.raises(GateError, match="draft 1 cannot be approved: “@ada” would notify") as caught:
            desk.approve(draft.id, override=override)
        assert not caught.value.overridable
    assert queue.deliveries.list() == []


def test_a_person_may_insist_on_a_copy(queue: Queue, desk: Desk) -> None:
    """First it is refused and said that one may; then it is recorded that one did."""
    [draft] = queue.add("Copied")

    with pytest.raises(GateError, match=r"repeats the recent post.*override if you mean it") as caught:
        desk.approve(draft.id)
    assert caught.value.overridable
    desk.approve(draft.id, override=True)
    assert [it.override for it in queue.drafts.decisions(draft.id)] == [True]


def test_an_unsafe_copy_is_unsafe(queue: Queue, desk: Desk) -> None:
    """Insisting on the one does not let the other through."""
    [draft] = queue.add("Copied @ada")

    with pytest.raises(GateError, match="would notify"):
        desk.approve(draft.id, override=True)


def test_insisting_without_need_is_not_recorded(queue: Queue, desk: Desk) -> None:
    """An override in the records means that the gate was overridden."""
    [draft] = queue.add("Wormhorn")
    desk.approve(draft.id, override=True)

    assert [it.override for it in queue.drafts.decisions(draft.id)] == [False]


def test_a_bot_without_targets_is_told_so(queue: Queue, desk: Desk) -> None:
    """Its drafts can be queued and rejected, but an approval would lead nowhere."""
    [draft] = queue.add("Wormhorn", bot="homeless")

    with pytest.raises(StoreError, match=r"bots\.homeless\.targets"):
        desk.approve(draft.id)
    assert desk.reject(draft.id).status == "rejected"


def test_a_stale_page_decides_nothing(queue: Queue, desk: Desk) -> None:
    """Neither approves nor rejects nor edits a text that has changed meanwhile."""
    [draft] = queue.add("Wormhorn")
    desk.edit(draft.id, "Wormhorns")

    for call in (desk.approve, desk.reject, lambda id, sha256: desk.edit(id, "Worm", sha256)):
        with pytest.raises(Conflict, match="changed since you looked"):
            call(draft.id, draft.sha256)


def test_an_edit_is_judged_by_the_gate(queue: Queue, desk: Desk) -> None:
    """What could never be approved is not kept; a copy is, with the verdict, for somebody may insist."""
    [draft] = queue.add("Wormhorn")

    with pytest.raises(GateError, match="draft 1 cannot have this text: “@ada” would notify"):
        desk.edit(draft.id, "Hail @ada")
    assert queue.drafts.get(draft.id) == draft
    assert desk.edit(draft.id, "Copied").verdicts == gate("metal", "Copied", draft.id)


def test_an_edit_is_given_its_evidence(queue: Queue) -> None:
    """It is asked for the new text of that very draft."""
    [draft] = queue.add("Wormhorn")

    def near(bot: str, text: str, draft: int) -> Evidence:
        return Evidence(len(text), 1, earlier=Match(draft, f"{bot}: {text}"))

    desk = Desk(queue.drafts, gate, outlets, "ada", near)

    assert desk.edit(draft.id, "Ashes").evidence == near("metal", "Ashes", draft.id)


def test_undo_brings_the_draft_back(queue: Queue, desk: Desk) -> None:
    """As the store does it, in the name of whoever sits at the desk."""
    [draft] = queue.add("Wormhorn")
    desk.reject(draft.id)

    assert desk.undo(draft.id) == draft
    assert [it.actor for it in queue.drafts.decisions(draft.id)] == ["ada", "ada"]


def test_the_gate_knows_which_draft_it_judges(queue: Queue) -> None:
    """So that a text is not taken for a repetition of its own post."""
    asked: list[int] = []

    def remember(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
        asked.append(draft)
        return ()

    first, second = queue.add("Ash", "Bone")
    desk = Desk(queue.drafts, remember, outlets, "ada")
    desk.approve(second.id)
    desk.edit(first.id, "Ashes")

    assert asked == [second.id, first.id]


def doubtful(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
    return (Verdict(SAFETY, "ask", "“Wоrm” is spelled with letters of several scripts."),)


def test_what_the_gate_asks_about_no_policy_approves(queue: Queue) -> None:
    """Whatever the verdicts were when it was queued; a person may."""
    [draft] = queue.add("Wоrm")
    desk = Desk(queue.drafts, doubtful, outlets, "policy")

    with pytest.raises(GateError, match="draft 1 needs a person: “Wоrm” is spelled") as caught:
        desk.approve(draft.id, policy="automatic", override=True)
    assert not caught.value.overridable
    assert desk.approve(draft.id).status == "approved"


def test_what_a_target_cannot_take_is_not_approved(queue: Queue) -> None:
    """Nor kept as an edit; nobody may insist, for it would be refused there."""

    def narrow(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
        return (Verdict("targets", "reject", "Its length is 300, and x takes 280."),)

    [draft] = queue.add("long")
    desk = Desk(queue.drafts, narrow, outlets, "ada")

    with pytest.raises(GateError, match=r"cannot be approved: Its length is 300, and x takes 280\. Edit it"):
        desk.approve(draft.id, override=True)
    with pytest.raises(GateError, match="cannot have this text: Its length is 300"):
        desk.edit(draft.id, "longer")


def test_filters_have_their_say_on_an_edit(queue: Queue) -> None:
    """It is stored with the revision and shown; the person who wrote it decides."""

    def opinions(draft: Draft, text: str) -> tuple[Verdict, ...]:
        return (Verdict("blocklist", "reject", f"has the blocked word {text!r}"),)

    [draft] = queue.add("Wormhorn")
    desk = Desk(queue.drafts, gate, outlets, "ada", opinions=opinions)
    edited = desk.edit(draft.id, "zounds")

    assert edited.verdicts[0] == Verdict("blocklist", "reject", "has the blocked word 'zounds'")
    assert queue.drafts.get(draft.id).verdicts == edited.verdicts
    assert desk.approve(draft.id).status == "approved"
