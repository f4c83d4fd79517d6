"""The review screen under a pilot: one key a decision, and nothing decided behind somebody's back."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, get_args

import pytest
from textual.widgets import TextArea

from bot.curation.gate import COPY, SAFETY
from bot.errors import BotError, ConfigError
from bot.records import Draft, Evidence, Judged, Match, Measure, Outlet, Receipt, Status, Suggestion, Verdict
from bot.review.decisions import Desk
from bot.review.keys import IN_LISTS, KEYS, OF_TERMINAL
from bot.review.outgoing import Outgoing
from bot.review.shortlist import Shortlist
from bot.review.terminal import Review
from bot.review.view import TABS
from tests.queues import NOON, Queue, judged, open_queue, outlet

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


class Grows:
    """A model that answers at once, and only what begins with a small letter it cannot go on with."""

    def close(self) -> None:
        pass

    def suggestions(self, draft: Draft, prefix: str, count: int = 8) -> list[Suggestion]:
        if prefix[:1].islower():
            raise BotError(f"the model cannot begin with {prefix!r}")
        return [Suggestion("e", f"{prefix}e", 0.25), Suggestion("", prefix, 0.125)]

    def continuations(self, draft: Draft, prefix: str, count: int = 5) -> list[Judged]:
        vetoed = Verdict("length", "reject", "it is too long")
        return [judged(f"{prefix}wood"), judged(f"{prefix}hole"), judged(f"{prefix}!!!", vetoed)]


def open_review(queue: Queue, bot: str | None = None, explore: float | None = None, **given: Any) -> Review:
    desk = Desk(queue.drafts, gate, outlets, "ada")
    shortlist = Shortlist(queue.drafts, queue.judgements, lambda bot: explore, Random(1))
    given = {"outgoing": Outgoing(queue.deliveries, "ada"), "grows": Grows()} | given
    return Review(queue.drafts, desk, shortlist, bot, **given)


async def settled(pilot: Any) -> str:
    """What can be read when all threads have answered."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    return screen(pilot.app)


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
    assert "Worm horn" in shown  # its first half is the nearest item's, and coloured
    for part in ("death_metal/epoch12", "0.83", "length", "Wormwood", "console", "2 pending"):
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


# reasons, putting off, marks


async def test_a_digit_rejects_and_says_why(queue: Queue) -> None:
    """Still one key a decision; R asks for words."""
    queue.add("Ash", "Bone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("2")
        assert "Draft 1 rejected as not a word." in screen(pilot.app)
        await pilot.press("R", *"rude", "enter")

    assert statuses(queue) == ["rejected", "rejected"]
    [[first], [second]] = map(queue.drafts.decisions, (1, 2))
    assert (first.reason, first.remark, second.reason, second.remark) == ("no_word", "", "", "rude")


async def test_what_is_put_off_is_gone_until_its_time(queue: Queue) -> None:
    """z for a day, Z for as long as one writes; what is no time is said, and nothing is put off."""
    queue.add("Ash", "Bone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("z")
        assert queue.drafts.get(1).snoozed_until == NOON + timedelta(days=1)
        await pilot.press("Z", *"soon", "enter")
        assert "'soon' is no time: write 3h, 2d" in screen(pilot.app)
        await pilot.press("Z", *"3h", "enter")

    assert statuses(queue) == ["snoozed", "snoozed"]
    assert queue.drafts.get(2).snoozed_until == NOON + timedelta(hours=3)


async def test_a_favourite_and_a_note_stay_on_the_card(queue: Queue) -> None:
    """They decide nothing; escape writes nothing."""
    queue.add("Ash")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("f", "n", *"for halloween", "enter", "n", *"!!", "escape")
        shown = screen(pilot.app)
        assert "★ draft 1" in shown
        assert "for halloween" in shown
        assert "!!" not in shown

    draft = queue.drafts.get(1)
    assert (draft.starred, draft.note, draft.status) == (True, "for halloween", "pending")


async def test_undo_takes_back_what_was_decided_before_a_restart(queue: Queue) -> None:
    """One's own last decision, not another's."""
    ash, bone = queue.add("Ash", "Bone")
    queue.drafts.decide(ash.id, ash.sha256, "reject", "ada")
    queue.drafts.decide(bone.id, bone.sha256, "reject", "bob")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("u")
        assert "draft 1 is pending again" in screen(pilot.app)

    assert statuses(queue) == ["pending", "rejected"]


async def test_what_another_approved_is_not_rejected_by_who_saw_it_pending(queue: Queue) -> None:
    """The text is the same, and yet it is another decision."""
    ash, _ = queue.add("Ash", "Bone")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        queue.approve(ash)
        await pilot.press("r")
        assert "draft 1 is approved by now, and was pending when you looked" in screen(pilot.app)
        assert "Bone" in screen(pilot.app)

    assert statuses(queue) == ["approved", "pending"]


# what comes next


async def test_the_next_card_is_made_while_the_first_is_read(queue: Queue) -> None:
    """When the decision comes nothing has to be asked for it any more."""
    queue.add("Ash", "Bone")
    asked: list[str] = []

    def measured(bot: str, text: str) -> dict[str, Measure]:
        asked.append(text)
        return {"console": Measure(len(text) * 2, 280)}

    async with open_review(queue, measures=measured).run_test(size=SIZE) as pilot:
        assert "length 6 of 280" in await settled(pilot)
        assert asked == ["Ash", "Bone"]
        await pilot.press("a")
        assert "length 8 of 280" in screen(pilot.app)
        await settled(pilot)
        assert asked == ["Ash", "Bone"]


async def test_a_card_that_was_made_ahead_is_shown_as_it_is_now(queue: Queue) -> None:
    """Somebody edited it meanwhile, or decided on it."""
    _, bone, crypt = queue.add("Ash", "Bone", "Crypt")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await settled(pilot)
        queue.drafts.edit(bone.id, "Marrow", "bob", ())
        await pilot.press("a")
        assert "Marrow" in screen(pilot.app)
        await settled(pilot)
        queue.drafts.decide(crypt.id, crypt.sha256, "reject", "bob")
        await pilot.press("s")
        assert "skipped: 1" in screen(pilot.app)


# going on with a text


async def test_the_editor_tells_what_may_come_next(queue: Queue) -> None:
    """The likeliest is taken with tab; what the model cannot begin with is said."""
    queue.add("Worm")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("e")
        assert "next e 25% end 12%" in await settled(pilot)
        await pilot.press("tab")
        assert pilot.app.query_one(TextArea).text == "Worme"
        await pilot.press("home", "w", "end")
        assert "cannot begin with 'wWorme'" in await settled(pilot)
        await pilot.press("enter")

    assert queue.drafts.get(1).text == "wWorme"


async def test_the_model_goes_on_from_the_cursor(queue: Queue) -> None:
    """What the filters dropped is counted with the reason; one of the others is taken and saved."""
    queue.add("Worm Horn")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("e", "left", "left", "left", "ctrl+g")
        shown = await settled(pilot)
        assert "Worm H wood" in shown
        assert "dropped 1: it is too long" in shown
        await pilot.press("down", "enter")
        assert pilot.app.query_one(TextArea).text == "Worm Hhole"
        await pilot.press("enter")

    assert (queue.drafts.get(1).text, queue.drafts.get(1).revision) == ("Worm Hhole", 2)


async def test_one_key_on_the_card_grows_the_last_word_anew(queue: Queue) -> None:
    """Escape goes back to the text, and once more leaves it as it was."""
    [draft] = queue.add("Worm Horn")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("g")
        assert "Worm wood" in await settled(pilot)
        await pilot.press("escape")
        assert pilot.app.query_one(TextArea).text == "Worm Horn"
        await pilot.press("escape")

    assert queue.drafts.get(1) == draft


async def test_without_a_model_the_editor_works_as_well(queue: Queue) -> None:
    queue.add("Worm")
    async with open_review(queue, grows=None).run_test(size=SIZE) as pilot:
        await pilot.press("g", "end", "s", "enter")

    assert queue.drafts.get(1).text == "Worms"


async def test_leaving_waits_for_no_model(queue: Queue) -> None:
    """It may be loading, which takes seconds."""
    given_up = Event()

    class Slow(Grows):
        def suggestions(self, draft: Draft, prefix: str, count: int = 8) -> list[Suggestion]:
            assert given_up.wait(60)
            raise BotError("given up")

        def close(self) -> None:
            given_up.set()

    queue.add("Worm")
    async with open_review(queue, grows=Slow()).run_test(size=SIZE) as pilot:
        await pilot.press("e", "ctrl+c")
    assert given_up.is_set()


# lists


async def test_lists_are_walked_through(queue: Queue) -> None:
    """A line is opened, decided on, and the list is shown again without it."""
    queue.add("Ash", "Bone", "Crypt")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("a", "r", "left_square_bracket")
        assert "Bone" in await settled(pilot)
        await pilot.press("enter")
        assert "draft 2, rejected" in screen(pilot.app)
        await pilot.press("a")
        assert "Draft 2 approved." in screen(pilot.app)
        await pilot.press("right_square_bracket")
        assert "Crypt" in screen(pilot.app)

    assert statuses(queue) == ["approved", "approved", "pending"]


async def test_every_status_has_its_list() -> None:
    """So that no draft is out of sight."""
    assert set(TABS) == set(get_args(Status))


async def test_a_search_shows_what_matches_and_all_of_it_is_rejected(queue: Queue) -> None:
    """After the number was said and agreed to; one undo takes all of it back."""
    queue.add("Pale Moon", "Crypt", "Moonrise")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("slash", *"moon", "enter")
        shown = await settled(pilot)
        assert "pending · with “moon”" in shown
        assert "Crypt" not in shown
        await pilot.press("X")
        assert "reject all 2 that are pending" in screen(pilot.app)
        await pilot.press("n", "enter")
        assert statuses(queue) == ["pending"] * 3
        await pilot.press("X", "y", "enter")
        assert "2 decided. u takes all of it back." in await settled(pilot)
        assert statuses(queue) == ["rejected", "pending", "rejected"]
        await pilot.press("u")
        assert statuses(queue) == ["pending"] * 3
        await pilot.press("escape")
        assert "draft 1" in await settled(pilot)


async def test_what_is_approved_at_once_is_left_where_a_person_must_look(queue: Queue) -> None:
    queue.add("Ash", "Copied")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("F", "F", "slash", "enter")
        await pilot.press("slash", *"s", "enter", "A", *"yes", "enter")
        assert statuses(queue) == ["approved", "pending"] or await settled(pilot)
        await pilot.press("slash", *"o", "enter", "A", *"yes", "enter")
        assert "Left: draft 2: It repeats a post." in await settled(pilot)

    assert statuses(queue) == ["approved", "pending"]


async def test_what_is_like_a_draft_is_shown(queue: Queue) -> None:
    """The nearest first; escape goes back to the card."""
    queue.add("Pale Moon", "Crypt", "Pale Noon")
    async with open_review(queue).run_test(size=SIZE) as pilot:
        await pilot.press("m")
        shown = await settled(pilot)
        assert shown.index("Pale Noon") < shown.index("Crypt")
        await pilot.press("r")
        assert statuses(queue) == ["pending", "pending", "rejected"]
        await pilot.press("escape")
        assert "Pale Moon" in await settled(pilot)


@pytest.mark.parametrize("bot", ["metal", None])
async def test_the_order_of_what_is_approved_is_changed(queue: Queue, bot: str | None) -> None:
    """The list is as slots take them, bot by bot where all are shown."""
    for draft in queue.add("Ash", "Bone", "Crypt"):
        queue.approve(draft)
    [other] = queue.drafts.add("other", [judged("Quartz")])
    queue.approve(other)
    async with open_review(queue, bot).run_test(size=SIZE) as pilot:
        await pilot.press("right_square_bracket", "right_square_bracket", "down", "down")
        await pilot.press("shift+up", "shift+up", "shift+down", "down", "shift+home")
        await settled(pilot)

    assert [it.id for it in queue.deliveries.waiting("metal")] == [2, 1, 3]


async def test_what_is_in_doubt_is_settled(queue: Queue) -> None:
    """It was posted, it was not, or it is given up: each is a line of its own."""
    for draft in queue.add("Ash", "Bone", "Crypt"):
        queue.approve(draft)
        queue.deliveries.schedule_now("metal")
        sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
        queue.deliveries.settle(sending, "uncertain", "no answer", Receipt())
    async with open_review(queue).run_test(size=SIZE) as pilot:
        for _ in range(6):
            await pilot.press("right_square_bracket")
        assert "no answer" in await settled(pilot)
        await pilot.press("y", *"113", "enter", "x", "c")
        assert "Draft 3 on console: cancelled." in await settled(pilot)

    assert [it.state for it in queue.deliveries.list()] == ["sent", "planned", "cancelled"]


async def test_help_shows_every_key_and_decides_nothing(queue: Queue) -> None:
    queue.add("Ash")
    async with open_review(queue).run_test(size=(100, 60)) as pilot:
        await pilot.press("question_mark")
        shown = await settled(pilot)
        for key in (*KEYS, *OF_TERMINAL, *IN_LISTS):
            assert key.means.split(";")[0][:40] in shown
        await pilot.press("a", "r", "z")
        assert statuses(queue) == ["pending"]
        await pilot.press("escape", "a")

    assert statuses(queue) == ["approved"]


# the whole story


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=["small", "wide"])
async def test_fifty_drafts_are_reviewed_by_keyboard(
    queue: Queue, screenshots: Path, size: tuple[int, int]
) -> None:
    """Every one is decided on as its key says, in their order; what the screen showed is kept."""
    near = Evidence(9, 3, Match(2, "Wormwood", "bands.csv"))
    ask = [Verdict("blocklist", "ask", "seems to hide a word"), Verdict("length", "accept")]
    queue.add(*(f"Worm {n} wood" for n in range(50)), evidence=near, verdicts=ask)
    keys = ["a", "r", "1", "z", "a"] * 10
    measures = {"console": Measure(11, 280)}
    async with open_review(queue, "metal", measures=lambda bot, text: measures).run_test(size=size) as pilot:

        async def keep(name: str) -> None:
            await settled(pilot)
            picture = pilot.app.export_screenshot(title=f"bot review: {name}")
            screenshots.joinpath(f"terminal-{size[0]}x{size[1]}-{name}.svg").write_text(picture)

        for number, key in enumerate(keys):
            if number == 7:
                await keep("card")
                for shown, opened, closed in STEPS:
                    await pilot.press(*opened)
                    await keep(shown)
                    await pilot.press(*closed)
            assert f"draft {number + 1} " in screen(pilot.app).replace("★ ", "")
            await pilot.press(key)
        assert "Nothing to review" in await settled(pilot)
        await keep("nothing")
        for name in ("snoozed", "approved"):
            await pilot.press("right_square_bracket")
            await keep(name)

    wanted = {"a": "approved", "r": "rejected", "1": "rejected", "z": "snoozed"}
    assert statuses(queue) == [wanted[key] for key in keys]
    assert len(queue.deliveries.list()) == 20


STEPS = [  # what is shown, the keys that open it, and those that close it
    ("help", ["question_mark"], ["escape"]),
    ("grown", ["g"], ["escape", "escape"]),
    ("edit", ["e"], ["escape"]),
    ("note", ["n", "h", "a"], ["enter"]),
    ("favourite", ["f"], []),
    ("like", ["m"], ["escape"]),
    ("search", ["slash", "4", "enter"], ["escape"]),
]
