"""The queue: what is kept of a sample, which decision follows which, and what a person is told."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.curation.normal import fingerprint
from bot.errors import BotError, Conflict, NotFound, StoreError
from bot.records import Draft, Evidence, Judged, Match, Mirostat, Receipt, Sampling, Span, Verdict
from bot.store.tables import drafts, marks
from tests.queues import NOON, Queue, judged, open_queue, outlet, slot


def deliver(queue: Queue, state: str = "sent", reason: str = "", receipt: Receipt | None = None) -> None:
    """Take the delivery that is due through to its end."""
    sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
    queue.deliveries.settle(sending, state, reason, receipt or Receipt(remote_id=f"post-{sending.id}"))


# queueing


def test_a_draft_keeps_everything_needed_to_sample_it_again(queue: Queue) -> None:
    """The candidate comes back equal in every field, the raw text beside the trimmed one."""
    verdicts = (Verdict("length", "accept"), Verdict("not_in_training", "ask", "one edit from “Wormhole”"))
    [draft] = queue.add("Wormhorn", verdicts=verdicts)

    assert draft.candidate == judged("Wormhorn").candidate
    assert (draft.text, draft.status, draft.revision) == ("Wormhorn", "pending", 1)
    assert (draft.verdicts, draft.created_at) == (verdicts, NOON)


def test_a_draft_of_a_time_with_fewer_settings_is_read_with_their_defaults(queue: Queue) -> None:
    """What it was sampled by is what the same settings mean now; and every setting of today comes back."""
    old, new = judged("Wormhorn"), judged("Wormwood")
    full = replace(Sampling((0.7, 0.9), 40), mirostat=Mirostat(2.0), stop=("a", "b"), prefix="Worm")
    queue.add(old.candidate.text)
    queue.drafts.add("other", [replace(new, candidate=replace(new.candidate, sampling=full))])
    with queue.database.write() as connection:
        known = {
            "temperature": [0.7, 0.9],
            "max_length": 40,
            "band": "",
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
        }
        connection.execute(update(drafts).where(drafts.c.bot == "metal").values(sampling=known))

    assert queue.drafts.get(1).candidate == old.candidate
    assert queue.drafts.get(2).candidate.sampling == full


def test_what_a_filter_rejected_is_not_queued(queue: Queue) -> None:
    """Only kept candidates become drafts."""
    vetoed = judged("Slayer", Verdict("not_in_training", "reject", "it stands in the corpus"))

    assert queue.drafts.add("metal", [vetoed, judged("Wormhorn")]) == queue.drafts.list()
    assert [draft.text for draft in queue.drafts.list()] == ["Wormhorn"]


def test_the_same_sample_is_queued_once(queue: Queue) -> None:
    """A fill that was run again with its seed adds nothing; another bot may queue the same sample."""
    queue.add("Wormhorn")

    assert queue.add("Wormhorn") == []
    assert len(queue.add("Wormhorn", bot="other")) == 1


def test_the_queue_is_listed_by_status_and_bot(queue: Queue) -> None:
    """Oldest first, as many as asked for."""
    first, second, third = queue.add("Ash", "Bone", "Crypt")
    [other] = queue.add("Dirge", bot="other")
    queue.approve(second)

    assert queue.drafts.list("pending", "metal") == [first, third]
    assert queue.drafts.list("pending") == [first, third, other]
    assert queue.drafts.list(limit=1) == [first]


def test_counts_name_every_status(queue: Queue) -> None:
    """Zeros are counted too, so that no caller needs to know which statuses there are."""
    first, _ = queue.add("Ash", "Bone")
    queue.approve(first)

    counts = queue.drafts.counts("metal")
    assert (counts["pending"], counts["approved"], sum(counts.values()), len(counts)) == (1, 1, 2, 9)
    assert {status: queue.drafts.count(status, "metal") for status in counts} == counts


def test_everything_ever_queued_has_been_seen(queue: Queue) -> None:
    """Every revision counts, rejected drafts too; other bots' do not."""
    [draft] = queue.add("Ash")
    queue.add("Bone", bot="other")
    queue.drafts.edit(draft.id, "Ashes", "ada", ())

    assert queue.drafts.seen("metal") == {fingerprint("Ash"), fingerprint("Ashes")}


def test_the_newest_texts_come_first(queue: Queue) -> None:
    """Edits included, as many as asked for; other bots' and the draft that is judged do not count."""
    first, _ = queue.add("Ash", "Bone")
    queue.add("Crypt", bot="other")
    queue.drafts.edit(first.id, "Ashes", "ada", ())

    assert queue.drafts.recent_texts("metal") == ["Ashes", "Bone", "Ash"]
    assert queue.drafts.recent_texts("metal", limit=1) == ["Ashes"]
    assert queue.drafts.recent_texts("metal", besides=first.id) == ["Bone"]


def test_checkpoints_of_drafts_are_in_use(queue: Queue) -> None:
    """Each is named once, whatever became of its drafts."""
    other = judged("Bone")
    other = Judged(replace(other.candidate, checkpoint="doom/epoch1"), ())
    queue.drafts.add("metal", [judged("Ash"), judged("Crypt"), other])

    assert queue.drafts.checkpoints_in_use() == {judged("").candidate.checkpoint, "doom/epoch1"}


def test_an_id_that_does_not_exist_is_said_so(queue: Queue) -> None:
    """Every way to a draft answers the same."""
    for call in (queue.drafts.get, queue.drafts.decisions, lambda id: queue.drafts.undo(id, "ada")):
        with pytest.raises(NotFound, match="no draft has the id 7"):
            call(7)


# deciding


def test_an_approval_plans_a_delivery_for_each_outlet(queue: Queue) -> None:
    """In the same transaction, with the outlet's own bytes; nothing is due before a slot comes."""
    [draft] = queue.add("Wormhorn")
    approved = queue.approve(draft, outlet("Wormhorn"), outlet("Wormhorn!", "x", "@wormhorn"))

    planned = queue.deliveries.list(draft=draft.id)
    assert approved.status == "approved"
    assert [(it.target, it.account, it.text) for it in planned] == [
        ("console", "console", "Wormhorn"),
        ("x", "@wormhorn", "Wormhorn!"),
    ]
    assert {(it.state, it.due_at, it.revision_sha256) for it in planned} == {("planned", None, draft.sha256)}


def test_an_approval_without_an_outlet_is_refused(queue: Queue) -> None:
    """It would never be posted; the line says where to name a target."""
    [draft] = queue.add("Wormhorn")

    with pytest.raises(StoreError, match=r"no target.*bots\.metal\.targets"):
        queue.drafts.decide(draft.id, draft.sha256, "approve", "ada")
    assert queue.drafts.get(draft.id) == draft
    assert queue.drafts.decisions(draft.id) == []


def test_a_stale_decision_is_a_conflict(queue: Queue) -> None:
    """What was approved is exactly what was looked at."""
    [draft] = queue.add("Wormhorn")
    queue.drafts.edit(draft.id, "Wormhorns", "bob", ())

    with pytest.raises(Conflict, match="changed since you looked at it"):
        queue.approve(draft)
    with pytest.raises(Conflict, match="changed since you looked at it"):
        queue.drafts.edit(draft.id, "Wormhole", "ada", (), draft.sha256)
    assert queue.deliveries.list() == []


def test_a_second_approval_is_a_conflict(queue: Queue) -> None:
    """Two people who approve the same draft make one post of it."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)

    with pytest.raises(Conflict, match="draft 1 is approved already"):
        queue.approve(draft)
    assert len(queue.deliveries.list()) == 1


def test_decisions_are_recorded_with_who_and_why(queue: Queue) -> None:
    """A policy by its name, a person's override as such, in order."""
    ash, bone = queue.add("Ash", "Bone")
    queue.drafts.decide(ash.id, ash.sha256, "approve", "policy", "demo", [outlet("Ash")])
    queue.drafts.decide(bone.id, bone.sha256, "approve", "ada", outlets=[outlet("Bone")], override=True)
    queue.drafts.undo(bone.id, "bob")

    [by_policy] = queue.drafts.decisions(ash.id)
    assert (by_policy.actor, by_policy.policy, by_policy.at) == ("policy", "demo", NOON)
    assert by_policy.revision_sha256 == ash.sha256
    made = [(made.verdict, made.actor, made.override) for made in queue.drafts.decisions(bone.id)]
    assert made == [("approve", "ada", True), ("undo", "bob", False)]


def test_an_edit_makes_a_pending_revision(queue: Queue) -> None:
    """It has its own digest and its own verdicts; what was sampled stays as it was."""
    [draft] = queue.add("Wormhorn")
    verdict = Verdict("gate.safety", "accept")
    edited = queue.drafts.edit(draft.id, "Wormhorns", "ada", [verdict])

    assert (edited.text, edited.status, edited.revision) == ("Wormhorns", "pending", 2)
    assert (edited.verdicts, edited.candidate) == ((verdict,), draft.candidate)
    assert edited.sha256 != draft.sha256


def test_every_revision_keeps_its_evidence(queue: Queue) -> None:
    """Every field comes back equal; where none was asked for there is none."""
    sampled = Evidence(8, 3, Match(2, "Wormwood", "bands.csv"), Span("Worm", "Wormwood", "bands.csv"), 0.5)
    edited = Evidence(9, 1, copied=Span("horns", start=4), earlier=Match(1, "Wormhorn", "draft"))
    [draft, other] = [*queue.add("Wormhorn", evidence=sampled), *queue.add("Ash")]

    assert (draft.evidence, other.evidence) == (sampled, None)
    assert queue.drafts.edit(draft.id, "Wormhorns", "ada", (), evidence=edited).evidence == edited
    assert queue.drafts.undo(draft.id, "ada").evidence == sampled


def test_an_edit_that_changes_nothing_is_none(queue: Queue) -> None:
    """The approval stands and nothing is recorded."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)

    assert queue.drafts.edit(draft.id, "Wormhorn", "ada", ()).status == "approved"
    assert len(queue.drafts.decisions(draft.id)) == 1


def test_an_edit_back_to_an_old_text_is_that_revision_again(queue: Queue) -> None:
    """Revisions are immutable and unique by their text."""
    [draft] = queue.add("Wormhorn")
    queue.drafts.edit(draft.id, "Wormhorns", "ada", ())

    assert queue.drafts.edit(draft.id, "Wormhorn", "ada", ()) == draft


@pytest.mark.parametrize("scheduled", [False, True])
def test_an_edit_withdraws_the_approval(queue: Queue, scheduled: bool) -> None:
    """The bytes that were approved are not those that would be posted; both steps are recorded."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)
    if scheduled:
        queue.deliveries.take_slot(slot(9))
    edited = queue.drafts.edit(draft.id, "Wormhorns", "bob", ())

    assert edited.status == "pending"
    assert [it.state for it in queue.deliveries.list()] == ["cancelled"]
    assert [it.verdict for it in queue.drafts.decisions(draft.id)] == ["approve", "undo", "edit"]
    assert queue.deliveries.claim("me", 90) is None


def test_a_rejection_withdraws_the_approval(queue: Queue) -> None:
    """To reject an approved draft is to take the approval back first."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)

    assert queue.drafts.decide(draft.id, draft.sha256, "reject", "ada").status == "rejected"
    assert [it.state for it in queue.deliveries.list()] == ["cancelled"]


# undoing


def test_undo_takes_back_decision_by_decision(queue: Queue) -> None:
    """Each undo leads to what was before, until nothing is left to undo."""
    [draft] = queue.add("Wormhorn")
    rejected = queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")
    edited = queue.drafts.edit(draft.id, "Wormhorns", "ada", ())
    queue.approve(edited)

    assert queue.drafts.undo(draft.id, "ada") == edited
    assert queue.drafts.undo(draft.id, "ada") == rejected
    assert queue.drafts.undo(draft.id, "ada") == draft
    with pytest.raises(Conflict, match="nothing to undo"):
        queue.drafts.undo(draft.id, "ada")


def test_a_draft_can_be_approved_again_after_an_undo(queue: Queue) -> None:
    """The new approval has deliveries and keys of its own, and may take another slot."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft)
    queue.deliveries.take_slot(slot(9))
    assert queue.drafts.undo(draft.id, "ada").status == "pending"
    queue.approve(draft)

    old, new = queue.deliveries.list()
    assert (old.state, new.state) == ("cancelled", "planned")
    assert old.key != new.key
    assert queue.deliveries.take_slot(slot(10)).status == "scheduled"


def test_what_was_claimed_cannot_be_taken_back(queue: Queue) -> None:
    """From the claim on, undo, reject and edit are refused, also between two attempts."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft, outlet("Wormhorn"), outlet("Wormhorn", "x"))
    queue.deliveries.take_slot(slot(9))
    claimed = queue.deliveries.claim("me", 90)
    for _ in range(2):
        for call in (
            lambda: queue.drafts.undo(draft.id, "ada"),
            lambda: queue.drafts.edit(draft.id, "Wormhorns", "ada", ()),
            lambda: queue.drafts.decide(draft.id, draft.sha256, "reject", "ada"),
        ):
            with pytest.raises(Conflict, match="draft 1 is posting"):
                call()
        if claimed.state == "claimed":
            claimed = queue.deliveries.settle(claimed, "planned", "the target is busy")


# status


def test_a_draft_is_posted_when_every_delivery_is_sent(queue: Queue) -> None:
    """Until then it is posting, whatever the others are doing."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft, outlet("Wormhorn"), outlet("Wormhorn", "x"))
    assert queue.deliveries.schedule_now("metal").status == "scheduled"

    deliver(queue)
    assert queue.drafts.get(draft.id).status == "posting"
    deliver(queue)
    assert queue.drafts.get(draft.id).status == "posted"
    assert queue.drafts.counts()["posted"] == 1


def test_a_doubt_is_shown_before_everything_else(queue: Queue) -> None:
    """A person must look at it, so no other delivery hides it."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft, outlet("Wormhorn"), outlet("Wormhorn", "x"))
    queue.deliveries.schedule_now("metal")
    deliver(queue, "uncertain", "no answer")

    assert queue.drafts.get(draft.id).status == "uncertain"


def test_a_refused_post_can_be_corrected(queue: Queue) -> None:
    """The new approval goes to the target that refused, and not again to the one that has it."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft, outlet("Wormhorn"), outlet("Wormhorn", "x"))
    queue.deliveries.schedule_now("metal")
    deliver(queue)
    deliver(queue, "refused", "too long")
    assert queue.drafts.get(draft.id).status == "refused"

    edited = queue.drafts.edit(draft.id, "Worm", "ada", ())
    queue.approve(edited, outlet("Worm"), outlet("Worm", "x"))
    assert [(it.target, it.state) for it in queue.deliveries.list()] == [
        ("console", "sent"),
        ("x", "refused"),
        ("x", "planned"),
    ]
    assert queue.drafts.get(draft.id).status == "approved"


def test_a_refused_draft_with_nowhere_left_to_go_is_a_conflict(queue: Queue) -> None:
    """If the target that refused is gone from the configuration, every other one has the post."""
    [draft] = queue.add("Wormhorn")
    queue.approve(draft, outlet("Wormhorn"), outlet("Wormhorn", "x"))
    queue.deliveries.schedule_now("metal")
    deliver(queue)
    deliver(queue, "refused", "too long")

    with pytest.raises(Conflict, match="posted to every target"):
        queue.approve(draft, outlet("Wormhorn"))


def test_recent_posts_are_those_that_may_be_public(queue: Queue) -> None:
    """Sent ones and those in doubt, each once, the newest first, without the draft that is asked about."""
    ash, bone, _ = queue.add("Ash", "Bone", "Crypt")
    queue.approve(ash, outlet("Ash"), outlet("Ash", "x"))
    queue.deliveries.schedule_now("metal")
    deliver(queue), deliver(queue)
    queue.approve(bone)
    queue.deliveries.schedule_now("metal")
    deliver(queue, "uncertain", "no answer")

    assert queue.drafts.recent_posts("metal") == ["Bone", "Ash"]
    assert queue.drafts.recent_posts("metal", besides=bone.id) == ["Ash"]
    assert queue.drafts.recent_posts("metal", limit=1) == ["Bone"]
    assert queue.drafts.recent_posts("other") == []


def test_a_copied_database_yields_the_same_keys(tmp_path: Path) -> None:
    """A key derives from what is posted where, so that a restored copy cannot post under another one."""

    def key(folder: Path, before: int) -> str:
        folder.mkdir()
        with open_queue(folder) as queue:
            draft: Draft = queue.add(*(f"Ash {n}" for n in range(before)), "Wormhorn")[-1]
            queue.approve(draft)
            return queue.deliveries.list()[0].key

    assert key(tmp_path / "one", 0) == key(tmp_path / "two", 3)


# putting off, marking


def test_a_snooze_is_a_decision_that_can_be_undone(queue: Queue) -> None:
    """Before its time the draft can be decided on all the same, and then it is put off no more."""
    [draft] = queue.add("Ash")
    until = NOON + timedelta(days=1)
    snoozed = queue.drafts.snooze(draft.id, until, "ada", draft.sha256, "pending")
    assert [(it.verdict, it.until) for it in queue.drafts.decisions(1)] == [("snooze", until)]
    assert queue.drafts.undo(draft.id, "ada") == draft

    queue.drafts.snooze(draft.id, until, "ada")
    assert queue.approve(draft).status == "approved"
    assert queue.drafts.undo(draft.id, "ada") == snoozed


def test_nothing_is_put_off_until_a_time_that_is_past(queue: Queue) -> None:
    queue.add("Ash")

    with pytest.raises(BotError, match="draft 1: it cannot be put off until 2026-03-01 12:00 UTC"):
        queue.drafts.snooze(1, NOON, "ada")


def test_only_what_waits_can_be_put_off(queue: Queue) -> None:
    [draft] = queue.add("Ash")
    queue.approve(draft)

    with pytest.raises(Conflict, match="draft 1 is approved: it cannot be snoozed"):
        queue.drafts.snooze(1, NOON + timedelta(days=1), "ada")


def test_a_favourite_and_a_note_stay_whatever_becomes_of_the_draft(queue: Queue) -> None:
    """They are no decisions: undo takes back what was decided. Who made them is kept."""
    [draft] = queue.add("Ash")
    queue.drafts.star(draft.id, True, "ada", draft.sha256)
    noted = queue.drafts.note(draft.id, "for halloween", "bob", draft.sha256)
    assert (noted.starred, noted.note, noted.status) == (True, "for halloween", "pending")
    queue.approve(draft)

    assert queue.drafts.undo(draft.id, "ada") == noted
    queue.drafts.star(draft.id, False, "ada")
    assert queue.drafts.note(draft.id, "", "ada") == draft
    with queue.database.read() as connection:
        kept = connection.execute(select(marks.c.kind, marks.c.text, marks.c.actor)).all()
    assert kept == [
        ("star", "", "ada"),
        ("note", "for halloween", "bob"),
        ("unstar", "", "ada"),
        ("note", "", "ada"),
    ]


def test_what_has_changed_is_neither_marked_nor_put_off(queue: Queue) -> None:
    """The error carries the draft as it is now."""
    [draft] = queue.add("Ash")
    now = queue.drafts.edit(draft.id, "Bone", "bob", ())

    for call in (
        lambda: queue.drafts.star(draft.id, True, "ada", draft.sha256),
        lambda: queue.drafts.note(draft.id, "!", "ada", draft.sha256),
        lambda: queue.drafts.snooze(draft.id, NOON + timedelta(days=1), "ada", draft.sha256),
        lambda: queue.drafts.undo(draft.id, "ada", draft.sha256),
    ):
        with pytest.raises(Conflict, match="changed since you looked") as caught:
            call()
        assert caught.value.current == now


def test_two_never_decide_the_same_revision(queue: Queue) -> None:
    """Who saw it pending does not reject what another has approved meanwhile, though it reads the same."""
    [draft] = queue.add("Ash")
    approved = queue.approve(draft)

    with pytest.raises(
        Conflict, match="draft 1 is approved by now, and was pending when you looked"
    ) as caught:
        queue.drafts.decide(draft.id, draft.sha256, "reject", "bob", was="pending")
    assert caught.value.current == approved
    assert queue.drafts.decide(draft.id, draft.sha256, "reject", "bob", was="approved").status == "rejected"


def test_after_a_day_a_decision_stands(queue: Queue) -> None:
    """For 24 hours it can be undone; then one decides anew."""
    [draft] = queue.add("Ash")
    queue.approve(draft)
    queue.clock.pass_by(24 * 3600 + 1)

    with pytest.raises(Conflict, match="draft 1 was decided on more than a day ago"):
        queue.drafts.undo(draft.id, "ada")
    assert queue.drafts.last_of("ada") == []
    assert queue.drafts.decide(draft.id, draft.sha256, "reject", "ada").status == "rejected"
    queue.clock.pass_by(24 * 3600)
    assert queue.drafts.undo(draft.id, "ada").status == "pending"


def test_the_last_decision_is_ones_own_and_still_stands(queue: Queue) -> None:
    """Neither what another decided, nor what was undone, nor what another has decided anew."""
    ash, bone, crypt = queue.add("Ash", "Bone", "Crypt")
    for draft in (ash, bone, crypt):
        queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")
    assert queue.drafts.last_of("ada") == [crypt.id]
    assert queue.drafts.last_of("bob") == []
    queue.drafts.undo(crypt.id, "bob")
    assert queue.drafts.last_of("ada") == [bone.id]
    queue.drafts.decide(bone.id, bone.sha256, "approve", "bob", outlets=[outlet("Bone")])
    assert queue.drafts.last_of("ada") == [ash.id]
    queue.drafts.undo(bone.id, "bob")
    assert queue.drafts.last_of("ada") == [bone.id]
