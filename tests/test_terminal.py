"""The review screen under a pilot: one key a decision, and nothing decided behind somebody's back."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from textual.widgets import TextArea

from bot.curation.gate import COPY, SAFETY
from bot.errors import ConfigError
from bot.records import Evidence, Match, Outlet, Verdict
from bot.review.decisions import Desk
from bot.review.shortlist import Shortlist
from bot.review.terminal import Review
from tests.queues import Queue, open_queue, outlet

pytestmark = pytest.mark.asyncio
SIZE = (100, 30)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with open_queue(tmp_path) as queue:
        yield queue


def gate(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
    if "@" in text:
        return (Verdict(SAFETY, "reject", "It would notify somebody."),)
    return (Verdict(COPY, "reject", "It repeats a post."),) if text == "Copied" else ()


def outlets(bot: str, text: str) -> tuple[Outlet, ...]:
    if bot == "gone":
        raise ConfigError("config.yaml: there is no bot 'gone' (have metal)")
    return () if bot == "homeless" else (outlet(text),)


def open_review(queue: Queue, bot: str | None = None, explore: float | None = None) -> Review:
    desk = Desk(queue.drafts, gate, outlets, "ada")
    shortlist = Shortlist(queue.drafts, queue.judgements, lambda bot: explore, Random(1))
    return Review(queue.drafts, desk, shortlist, bot)


def screen(app: Review) -> str:
    """Everything that can be read on it."""
    plain = re.sub(r"<style>.*?</style>|<[^>]+>", " ", app.export_screenshot(), flags=re.DOTALL)
    return " ".join(html.unescape(plain).split())


def statuses(queue: Queue) -> list[str]:
    return [draft.status for draft in queue.drafts.list()]


async def test_a_card_says_what_why_and_where(queue: Queue) -> None:
    """The text, the model, the verdicts, the nearest item, the targets, the counts and the keys."""
    near = Evidence(8, 3, Match(2, "Wormwood"))
    queue.add("Wormhorn", "Ash", verdicts=[Verdict("length", "accept")], evidence=near)
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.pause()
        shown = screen(pilot.app)

    assert "draft 1" in shown
    for part in ("Wormhorn", "death_metal/epoch12", "0.83", "length", "Wormwood", "console", "2 pending"):
        assert part in shown
    for key in ("a approve", "r reject", "e edit", "s skip", "q quit"):
        assert key in shown
    assert "undo" not in shown


async def test_a_draft_of_a_bot_that_is_gone_can_be_rejected(queue: Queue) -> None:
    """The card says what is wrong where it would say where the draft goes."""
    queue.add("Wormhorn", bot="gone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "there is no bot 'gone'" in screen(pilot.app)
        await pilot.press("a")
        assert statuses(queue) == ["pending"]
        await pilot.press("r")
        assert statuses(queue) == ["rejected"]


async def test_one_key_a_decision(queue: Queue) -> None:
    """Each goes on to the next draft, oldest first, until nothing is left."""
    queue.add("Ash", "Bone", "Crypt")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("a", "r", "s")
        assert statuses(queue) == ["approved", "rejected", "pending"]
        assert "skipped: 1" in screen(pilot.app)

    assert [it.actor for it in queue.drafts.decisions(1)] == ["ada"]


async def test_an_empty_queue_says_how_to_fill_it(queue: Queue) -> None:
    """And the keys that would decide do nothing."""
    async with open_review(queue, "metal").run_test(size=SIZE) as pilot:
        await pilot.press("a", "r", "e", "s", "u", "o")
        assert "Nothing to review: `bot fill metal`" in screen(pilot.app)


async def test_only_one_bots_drafts_are_shown(queue: Queue) -> None:
    """If one was asked for."""
    queue.add("Ash", bot="other")
    queue.add("Bone")
    async with open_review(queue, "metal").run_test(size=SIZE) as pilot:
        assert "Bone" in screen(pilot.app)
        await pilot.press("a")

    assert statuses(queue) == ["pending", "approved"]


async def test_undo_goes_back_decision_by_decision(queue: Queue) -> None:
    """The draft is on the card again; what was decided before this session is not touched."""
    queue.add("Ash", "Bone", "Crypt")
    queue.drafts.decide(3, queue.drafts.get(3).sha256, "reject", "bob")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("a", "r", "u")
        assert "draft 2 is pending again" in screen(pilot.app)
        await pilot.press("u", "u")
        assert "draft 1" in screen(pilot.app)

    assert statuses(queue) == ["pending", "pending", "rejected"]


async def test_undo_is_refused_once_posting_has_begun(queue: Queue) -> None:
    """The reason is shown, and the next draft stays on the card."""
    queue.add("Ash", "Bone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("a")
        queue.deliveries.schedule_now("metal")
        queue.deliveries.claim("me", 90)
        await pilot.press("u")
        assert "draft 1 is posting: it cannot be undone" in screen(pilot.app)
        assert "Bone" in screen(pilot.app)


async def test_an_edit_begins_with_the_text_and_stays_to_be_approved(queue: Queue) -> None:
    """Enter keeps it, and no letter typed is taken for a decision; then it is approved as it reads."""
    queue.add("Ash", "Bone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("e")
        assert pilot.app.query_one(TextArea).text == "Ash"
        await pilot.press("e", "s", "ctrl+j", "r", "a", "enter")
        assert queue.drafts.get(1).text == "Ashes\nra"
        assert "revision 2" in screen(pilot.app)
        await pilot.press("a")

    assert statuses(queue) == ["approved", "pending"]
    assert [it.text for it in queue.deliveries.list()] == ["Ashes\nra"]


async def test_escape_leaves_the_text_as_it_was(queue: Queue) -> None:
    """As does an edit that changes nothing; neither can be undone."""
    [draft] = queue.add("Ash")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("e", "x", "escape", "e", "enter", "u")

    assert queue.drafts.get(1) == draft
    assert queue.drafts.decisions(1) == []


@pytest.mark.parametrize("keys", [("ctrl+c",), ("e", "x", "ctrl+c")])
async def test_ctrl_c_leaves(queue: Queue, keys: tuple[str, ...]) -> None:
    """From the editor too, where it decides nothing."""
    queue.add("Wormhorn")
    app = open_review(queue)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys)
        await pilot.pause()

        assert not app.is_running
    assert statuses(queue) == ["pending"]
    assert queue.drafts.list()[0].text == "Wormhorn"


async def test_an_edit_can_be_undone(queue: Queue) -> None:
    """The earlier revision is on the card again."""
    [draft] = queue.add("Ash")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("e", "x", "enter", "u")

    assert queue.drafts.get(1) == draft


async def test_an_edit_that_nobody_could_approve_stays_open(queue: Queue) -> None:
    """The gate's reason is shown beside the text, to be mended there."""
    queue.add("Ash")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("e", "@", "enter")
        assert "It would notify somebody." in screen(pilot.app)
        await pilot.press("backspace", "x", "enter")

    assert queue.drafts.get(1).text == "Ashx"


async def test_insisting_is_offered_where_it_is_allowed(queue: Queue) -> None:
    """The key appears after the gate has refused a copy, and is gone with the card."""
    queue.add("Copied", "Ash")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("o")
        assert statuses(queue) == ["pending", "pending"]
        await pilot.press("a")
        assert "It repeats a post." in screen(pilot.app)
        assert "approve all the same" in screen(pilot.app)
        await pilot.press("o")
        assert "approve all the same" not in screen(pilot.app)

    assert [it.override for it in queue.drafts.decisions(1)] == [True]


async def test_a_text_that_changed_is_shown_before_it_is_decided_on(queue: Queue) -> None:
    """Somebody else's edit: the key approves nothing and the card shows the new text."""
    queue.add("Ash")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        queue.drafts.edit(1, "Bones", "bob", ())
        await pilot.press("a")
        assert "changed since you looked" in screen(pilot.app)
        assert "Bones" in screen(pilot.app)
        assert statuses(queue) == ["pending"]
        await pilot.press("a")

    assert statuses(queue) == ["approved"]


async def test_a_draft_that_somebody_else_decided_on_is_left(queue: Queue) -> None:
    """The next one is shown, with the reason."""
    ash, _ = queue.add("Ash", "Bone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        queue.drafts.decide(ash.id, ash.sha256, "reject", "bob")
        await pilot.press("r")
        assert "draft 1 is rejected already" in screen(pilot.app)
        assert "Bone" in screen(pilot.app)


async def test_a_bot_without_targets_is_told_so(queue: Queue) -> None:
    """On the card, and again when its draft is approved."""
    queue.add("Ash", bot="homeless")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        assert "nowhere: the bot has no target yet" in screen(pilot.app)
        await pilot.press("a")
        assert "bots.homeless.targets" in screen(pilot.app)

    assert statuses(queue) == ["pending"]


async def test_what_is_probably_liked_is_shown_first(queue: Queue) -> None:
    """After some decisions the card goes to what resembles the approved, and says nothing of why."""
    queue.add(*[f"{'Oo' if n % 2 else 'Ii'}{chr(97 + n)}" for n in range(14)])
    for draft in queue.drafts.list():
        queue.drafts.decide(
            draft.id,
            draft.sha256,
            "approve" if "oo" in draft.text.casefold() else "reject",
            "ada",
            outlets=[outlet(draft.text)],
        )
    queue.add("Iiy", "Iix", "Ooz")
    async with open_review(queue, explore=0.0).run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "Ooz" in screen(pilot.app)
        assert "best" not in screen(pilot.app)
        await pilot.press("a")

    assert queue.judgements.list("metal")[-1].reason == "best"
