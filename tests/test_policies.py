"""Policies approve in their own name, and only where nobody has to look."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.curation.gate import COPY
from bot.errors import BotError
from bot.records import Draft, Verdict
from bot.review.decisions import Desk
from bot.review.policies import POLICIES, run_policy
from tests.queues import Queue, open_queue, outlet

AUTOMATIC = sorted(set(POLICIES) - {"manual"})


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        yield queue


def always(draft: Draft) -> bool:
    return True


def run(queue: Queue, name: str, bot: str = "metal", likes: Callable[[Draft], bool] = always) -> list[str]:
    """The texts that the policy approved."""

    def gate(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
        return (Verdict(COPY, "reject", "It repeats a post."),) if text == "Copied" else ()

    approved = run_policy(
        name,
        bot,
        queue.drafts,
        lambda actor: Desk(queue.drafts, gate, lambda _, text: (outlet(text),), actor),
        lambda bot: likes,
    )
    return [draft.text for draft in approved]


def test_manual_approves_nothing(queue: Queue) -> None:
    """Everything waits for a person."""
    queue.add("Ash")

    assert run(queue, "manual") == []


@pytest.mark.parametrize("name", AUTOMATIC)
def test_the_policys_name_is_on_record(queue: Queue, name: str) -> None:
    """No person appears where none decided."""
    [draft] = queue.add("Ash")
    run(queue, name)

    [decision] = queue.drafts.decisions(draft.id)
    assert (decision.verdict, decision.actor, decision.policy) == ("approve", "policy", name)


@pytest.mark.parametrize("name", AUTOMATIC)
def test_what_a_filter_asked_about_waits_for_a_person(queue: Queue, name: str) -> None:
    """Trimmed and accepted texts are approved, questioned ones are not."""
    queue.add("Ash", verdicts=[Verdict("length", "accept"), Verdict("trim", "trim", "a blank")])
    queue.add("Bone", verdicts=[Verdict("blocklist", "ask", "seems to hide a word")])

    assert run(queue, name) == ["Ash"]


@pytest.mark.parametrize("name", AUTOMATIC)
def test_the_gate_is_not_overridden(queue: Queue, name: str) -> None:
    """What it forbids stays pending, and the others are approved all the same."""
    queue.add("Copied", "Ash")

    assert run(queue, name) == ["Ash"]
    assert queue.drafts.counts()["pending"] == 1


@pytest.mark.parametrize("name", AUTOMATIC)
def test_what_a_person_has_touched_stays_a_persons(queue: Queue, name: str) -> None:
    """An approval that was undone and a text that was edited are not approved by the next turn."""
    ash, bone = queue.add("Ash", "Bone")
    run(queue, name)
    queue.drafts.undo(ash.id, "ada")
    queue.drafts.edit(bone.id, "Bones", "ada", ())

    assert run(queue, name) == []


def test_other_bots_drafts_are_left_alone(queue: Queue) -> None:
    """A policy is one bot's."""
    queue.add("Ash", bot="other")

    assert run(queue, "automatic") == []


def test_an_unknown_policy_is_named(queue: Queue) -> None:
    """The line says where it stands and which there are."""
    with pytest.raises(BotError, match=r"bots\.metal\.review: .*'automtic' .*manual, automatic, taste, demo"):
        run(queue, "automtic")


def test_taste_approves_what_the_owner_surely_would(queue: Queue) -> None:
    """And nothing that a filter asked about, however well it is liked; no other policy looks at a taste."""
    queue.add("Ash", "Bone")
    queue.add("Ashen", verdicts=[Verdict("blocklist", "ask", "seems to hide a word")])

    assert run(queue, "taste", likes=lambda draft: "Ash" in draft.text) == ["Ash"]
    assert run(queue, "automatic", likes=lambda draft: False) == ["Bone"]
