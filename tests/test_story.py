"""What `bot why` tells of one draft."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from bot.cli.why import explanation
from bot.errors import NotFound
from bot.records import Evidence, Match, Receipt, Verdict
from bot.story import story
from tests.queues import judged

WIDTH = 80


@pytest.fixture
def told(house):
    """The lines that are printed of a draft."""

    def told(id: int) -> str:
        console = Console(width=WIDTH)
        with console.capture() as capture:
            console.print(explanation(story(house, id)))
        lines = capture.get().splitlines()
        assert max(map(len, lines)) <= WIDTH
        return "\n".join(line.rstrip() for line in lines)

    return told


@pytest.fixture
def queued(house):
    """Drafts of the bot, pending."""
    verdicts = (Verdict("length", "accept"), Verdict("blocklist", "ask", "seems to hide a word"))
    return house.drafts.add("night", [judged(text, *verdicts) for text in ("Salt Ladder", "Iron Choir")])


def test_a_pending_draft_says_where_it_came_from_and_what_was_said(house, queued, told):
    """Model, temperature, surprise in words, how to sample it again, every filter, what it waits for."""
    text, draft = told(queued[0].id), queued[0]

    assert text.startswith(f"{draft.id}  {draft.text}\n    for night, pending; queued ")
    assert f"model  {draft.candidate.checkpoint}" in text
    assert f"temperature {draft.candidate.temperature:.2f}, surprise {draft.candidate.surprise:.2f} (" in text
    assert f"bot replay {draft.id}" in text
    assert all(verdict.filter in text for verdict in draft.verdicts)
    assert "it waits for a decision: bot review" in text
    assert "what happened since" not in text
    assert "jsonl" in text


def test_the_evidence_is_told(house, queued):
    """The nearest item, as it was found when the draft was made."""
    draft = replace(queued[0], evidence=Evidence(9, 8, Match(2, "pale moon under snow", "moons.txt")))
    console = Console(width=WIDTH)
    with console.capture() as capture:
        console.print(explanation(replace(story(house, draft.id), draft=draft)))

    assert "pale moon under snow (moons.txt), 2 edits away" in capture.get()


def test_an_approved_draft_names_its_slot(house, queued, told):
    """The one it will get as things are: one that is like a post of the week waits longer."""
    draft = queued[0]
    first = house.desk("ada").edit(draft.id, "Wormhorn")
    second = house.desk("ada").edit(queued[1].id, "Wormhorns")
    for one in (first, second):
        house.desk("ada").approve(one.id)

    slot, later = (story(house, one.id).next_slot for one in (first, second))

    assert house.clock() < slot <= house.clock() + timedelta(seconds=4)
    assert later is None  # within the slots that are looked at
    assert f"it will go out on {slot:%a %d %b %Y %H:%M} UTC" in told(first.id)
    assert "ada gave it another text" in told(first.id)
    assert "ada approved it" in told(first.id)
    assert "is approved, and waits" in told(second.id)


def test_a_posted_draft_has_its_whole_way(house, queued, told):
    """Who decided, each step of each delivery with its reason."""
    house.lineage.examine()  # as every run begins
    house.desk("policy").approve(queued[0].id, policy="automatic")
    house.deliveries.schedule_now("night")
    claimed = house.deliveries.claim("me", 60)
    sending = house.deliveries.begin_sending(claimed)
    house.deliveries.settle(sending, "sent", "the file has it", Receipt("k1"))

    text = told(queued[0].id)

    assert "the policy 'automatic' approved it" in text
    for step in ("will be posted", "is about to be posted", "is being posted", "was posted: the file has it"):
        assert f"{claimed.target}: {step}" in text
    assert [step.state for step in story(house, queued[0].id).steps][-3:] == ["claimed", "sending", "sent"]


def test_every_edit_is_told_with_its_text(house, queued, told):
    """Also one that was edited again since."""
    desk = house.desk("ada")
    for text in ("Salt Ladders", "Salty Ladders"):
        desk.edit(queued[0].id, text)

    said = told(queued[0].id)

    assert "ada gave it another text: Salt Ladders" in said
    assert "ada gave it another text: Salty Ladders" in said


def test_what_is_told_cannot_command_the_terminal(house, queued, told):
    """A reason may quote anything."""
    house.desk("\x1b[31mada").reject(queued[0].id)
    draft = house.drafts.get(queued[0].id)
    shown = replace(
        story(house, draft.id), draft=replace(draft, verdicts=(Verdict("mine", "ask", "\x1b[2J"),))
    )
    console = Console(width=WIDTH)
    with console.capture() as capture:
        console.print(explanation(shown))

    assert "\x1b" not in capture.get()
    assert "goes nowhere: it was rejected" in told(draft.id)


def test_a_draft_of_a_bot_that_is_gone_has_a_story(house, queued):
    """It has no slot and goes nowhere, and what was is still there."""
    del house.config.bots["night"]

    found = story(house, queued[0].id)

    assert (found.next_slot, found.outlets, found.zone) == (None, (), "UTC")


def test_an_id_that_nobody_has_is_named(house):
    """In one line."""
    with pytest.raises(NotFound, match="no draft has the id 99"):
        story(house, 99)
