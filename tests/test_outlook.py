"""What `bot calendar` foresees, and how it is shown."""

import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from bot import delivering
from bot import outlook as module
from bot.cli.calendar import calendar
from bot.config import Limits, Schedule
from bot.delivering import Posting
from bot.errors import BotError, PluginError
from bot.outlook import outlook
from bot.posting.calendar import next_slots
from bot.records import Outlet
from tests.queues import NOON, judged

WIDTH = 80
HOUR = timedelta(hours=1)
BERLIN = {"at": ["09:00", "17:30"], "days": ["mon", "wed", "fri"], "zone": "Europe/Berlin"}


class Dear:
    """A target with a price a letter."""

    kind, account, max_length = "opaque", "dear", None

    def measure(self, text):
        return len(text)

    def cost(self, text):
        return len(text) / 100


@pytest.fixture
def plan(house, monkeypatch):
    """plan(at=[...]) sets the schedule of the bot `night`."""

    def plan(**schedule):
        bot = house.bot("night").model_copy(
            update={"schedule": Schedule.model_validate_json(json.dumps(schedule))}
        )
        monkeypatch.setitem(house.config.bots, "night", bot)

    return plan


@pytest.fixture
def approve(house):
    """Approved drafts with these texts, in this order; their ids."""

    def approve(*texts, targets=("jsonl",)):
        drafts = house.drafts.add("night", [judged(text) for text in texts])
        for draft in drafts:
            outlets = [Outlet(target, target, "opaque", draft.text) for target in targets]
            house.drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=outlets)
        return [draft.id for draft in drafts]

    return approve


def shown(coming):
    console = Console(width=WIDTH)
    with console.capture() as capture:
        console.print(calendar(coming))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= WIDTH
    return [line.rstrip() for line in lines]


def test_each_slot_gets_the_draft_that_it_is_shown_with(house, plan, approve):
    """What is foreseen is what the slots then take, one by one; what is like a post of the week waits."""
    plan(**BERLIN)
    approve("Wormhorn", "Wormhorns", "Iron Choir", "Wormhorny", "Salt Ladder", "Pale Moon")
    foreseen = outlook(house, "night", 30)

    taken = []
    for one in foreseen.slots:
        house.clock.at = one.slot.at
        taken.append(house.deliveries.take_slot(one.slot))

    assert [draft and draft.id for draft in taken] == [one.draft for one in foreseen.slots]
    assert [one.text for one in foreseen.slots if one.text][:3] == ["Wormhorn", "Iron Choir", "Salt Ladder"]


def test_the_day_the_queue_runs_dry(house, plan, approve):
    """The first slot after the last approved draft has its own; it is shown with the slots that pass."""
    plan(**BERLIN)
    approve("Wormhorn", "Iron Choir")
    third = next_slots("night", house.bot("night").schedule, house.clock(), 3)[2]

    coming = outlook(house, "night", 30)
    lines = shown(coming)

    assert (coming.dry, coming.left) == (third, 0)
    assert lines[0] == "night: 26 slots until Tue 31 Mar 2026, 2 with a draft, as things are now"
    assert lines[1] == "Mon 02 Mar 2026 09:00 CET  1  Wormhorn"
    assert lines[3].startswith("Wed 04 Mar 2026 09:00 CET  -  nothing is approved, 24 slots to 30 Mar 2026")
    assert "the queue runs dry on Wed 04 Mar 2026 09:00 CET, in 2 days: bot review night" in lines


def test_what_is_left_over_is_no_dry_queue(house, plan, approve):
    """Neither where the window is short, nor where all that is left is like what went out."""
    plan(**BERLIN)
    approve("Wormhorn", "Wormhorns", "Iron Choir", "Salt Ladder", "Pale Moon")

    coming = outlook(house, "night", 5)

    assert [one.text for one in coming.slots] == [
        "Wormhorn",
        "Iron Choir",
        "Salt Ladder",
        "Pale Moon",
        "",
    ]
    assert (coming.dry, coming.left) == (None, 1)
    lines = shown(coming)
    assert lines[5].endswith("nothing: what is approved is like the week's")
    assert lines[-1] == "1 more approved than these slots take"


def test_an_empty_queue_is_dry_at_once(house, plan):
    """From the first slot on."""
    plan(**BERLIN)

    coming = outlook(house, "night", 400)

    assert coming.dry == coming.slots[0].slot
    assert len(coming.slots) == 2 * 3 * 400 // 7 + 1
    assert any("nothing is approved, 343 slots to " in line for line in shown(coming))


def test_a_queue_that_just_lasts_is_told(house, plan, approve):
    """As many drafts as slots."""
    plan(at=["12:30"])
    approve("Wormhorn")

    coming = outlook(house, "night", 1)

    assert (len(coming.slots), coming.left, coming.dry) == (1, 0, None)
    assert shown(coming)[-1] == "the queue lasts for these slots, and no longer"


def test_a_missed_slot_comes_first(house, plan, approve):
    """The one that `bot run` makes up as soon as it runs, and nothing before it."""
    plan(**BERLIN)
    approve("Wormhorn", "Iron Choir")
    schedule = house.bot("night").schedule
    house.deliveries.take_slot(next_slots("night", schedule, house.clock(), 1)[0])
    house.clock.pass_by(7 * 24 * 3600)

    coming = outlook(house, "night", 3)

    assert [one.missed for one in coming.slots] == [True, False, False, False]
    assert coming.slots[0].text == "Iron Choir"
    assert "Iron Choir (missed; made up once bot run runs)" in " ".join(" ".join(shown(coming)).split())
    slots = []
    Posting(house, NoCourier(), slots.append, threading.Event())()
    assert slots[0].slot == coming.slots[0].slot


def test_all_missed_slots_of_some_hours_are_made_up(house, plan, approve):
    """As `missed` says, here and when it runs, turn by turn."""
    plan(every="1h", missed={"within": "3h"})
    approve("Wormhorn", "Iron Choir", "Salt Ladder", "Pale Moon")
    house.deliveries.take_slot(next_slots("night", house.bot("night").schedule, house.clock(), 1)[0])
    house.clock.pass_by(8 * 3600)

    coming = outlook(house, "night", 1)
    slots = []
    posting = Posting(house, NoCourier(), slots.append, threading.Event())
    for _ in range(5):
        posting()

    missed = [one for one in coming.slots if one.missed]
    assert [one.text for one in missed] == ["Iron Choir", "Salt Ladder", "Pale Moon"]
    assert [event.slot for event in slots] == [one.slot for one in missed]


class NoCourier:
    def deliver_due(self, stopped):
        pass


def test_a_time_that_the_clocks_leap_over_is_told(house, plan, approve):
    """It is shown at the instant it means, with the time it stands for."""
    plan(at=["02:30"], zone="Europe/Berlin")
    approve(*(f"{word} Choir of {word}" for word in ("Iron", "Salt", "Bone", "Moss")))
    house.clock.at = datetime(2026, 3, 28, 12, tzinfo=UTC)

    lines = shown(outlook(house, "night", 2))

    assert lines[1].startswith("Sun 29 Mar 2026 03:00 CEST")
    assert "(for 02:30, which the clocks leap over)" in " ".join(" ".join(lines).split())


def test_what_the_posts_cost_is_added_up(house, plan, approve, monkeypatch):
    """By the targets that a draft was approved for; a target without a price costs nothing."""
    plan(at=["09:00"])
    approve("Wormhorn", targets=("jsonl", "dear"))
    approve("Iron Choir", targets=("dear",))
    approve("Salt Ladder")
    monkeypatch.setattr(house, "targets", lambda bot: {"dear": Dear(), "jsonl": object()})

    coming = outlook(house, "night", 5)

    assert [one.cost for one in coming.slots] == [0.08, 0.1, 0, 0, 0]
    assert coming.slots[0].targets == ("jsonl", "dear")
    assert shown(coming)[1].endswith("Wormhorn             0.080 USD")
    assert shown(coming)[-1] == "the posts cost about 0.180 USD"


def test_what_a_missing_target_would_cost_nobody_knows(house, plan, approve):
    """It is said, not taken for nothing."""
    plan(at=["09:00"])
    approve("Wormhorn", targets=("jsonl", "gone"))

    coming = outlook(house, "night", 2)

    assert coming.cost is None
    assert "nobody can say what it costs" in shown(coming)[-1]


def test_a_price_that_fails_is_told_with_its_target(house, plan, approve, monkeypatch):
    """In one line."""

    class Broken(Dear):
        def cost(self, text):
            raise KeyError("price")

    plan(at=["09:00"])
    approve("Wormhorn", targets=("dear",))
    monkeypatch.setattr(house, "targets", lambda bot: {"dear": Broken()})

    with pytest.raises(PluginError, match="dear cannot say what a post costs"):
        outlook(house, "night", 2)


def test_a_quick_interval_is_cut(house, plan, approve, monkeypatch):
    """No more slots than can be looked at, and that is said."""
    monkeypatch.setattr(module, "MOST", 100)
    plan(every="4s")
    approve("Wormhorn", "Wormhorns")

    coming = outlook(house, "night", 400)

    assert (len(coming.slots), coming.cut, coming.left) == (100, True, 1)
    assert coming.until == coming.slots[-1].slot.at + timedelta(seconds=4)
    assert shown(coming)[1] == "later slots are not looked at: there are too many"


def test_a_bot_without_a_schedule_is_told(house, monkeypatch):
    """With the command that posts."""
    bot = house.bot("night").model_copy(update={"schedule": None})
    monkeypatch.setitem(house.config.bots, "night", bot)

    with pytest.raises(BotError, match="no schedule: it posts by `bot post night`"):
        outlook(house, "night", 30)


def test_a_text_cannot_command_the_terminal(house, plan, approve):
    """Control signs and markup are shown."""
    plan(at=["09:00"])
    approve("[bold]\x1b[2J")

    assert "[bold]\\x1b[2J" in shown(outlook(house, "night", 1))[1]


def test_the_end_of_a_schedule_is_told(house, plan, approve):
    """Within the window, or long past; what is approved stays."""
    approve("Wormhorn", "Iron Choir")
    for last, slots, left in ("2026-03-02", 1, 1), ("2026-02-02", 0, 2):
        plan(at=["09:00"], until=last)

        coming = outlook(house, "night", 30)

        assert len(coming.slots) == slots
        ended = date.fromisoformat(last).strftime("%a %d %b %Y")
        assert shown(coming)[-1] == f"the schedule ends on {ended}; {left} approved stay where they are"


def test_a_slot_is_held_up_by_what_was_posted_by_hand(house, plan, approve):
    """The turn takes it when the calendar says so, and not before; it is due then."""
    plan(at=["12:30"], distance="2h")
    approve("Wormhorn", "Iron Choir")
    house.lineage.examine()
    house.deliveries.schedule_now("night")
    house.deliveries.begin_sending(house.deliveries.claim("me", 90))

    coming = outlook(house, "night", 1)
    [one] = coming.slots
    posting = Posting(house, NoCourier(), lambda event: None, threading.Event())
    house.clock.at = one.at - timedelta(seconds=1)
    posting()
    early = house.deliveries.list(state="planned", draft=2)
    house.clock.at = one.at
    posting()

    assert one.at == NOON + 2 * HOUR
    assert shown(coming)[1] == "Sun 01 Mar 2026 14:00 UTC  2  Iron Choir (held up since 12:30)"
    assert [it.due_at for it in early] == [None]
    assert [it.due_at for it in house.deliveries.list(state="planned", draft=2)] == [one.at]


def test_nothing_goes_out_in_quiet_hours(house, plan, approve):
    """Neither slot nor what has been due since before; both when they are over, as the calendar says."""
    plan(at=["12:30"], quiet=["12:45", "14:00"], zone="UTC")
    approve("Wormhorn", "Iron Choir")
    house.clock.at = NOON + timedelta(minutes=50)
    posting = Posting(house, NoCourier(), lambda event: None, threading.Event())
    posting._since = NOON

    posting()
    resting = delivering.pace(house).resting
    house.clock.at = NOON + 2 * HOUR
    posting()

    assert resting == {"night"}
    assert delivering.pace(house).resting == set()
    assert [it.due_at for it in house.deliveries.list(state="planned")] == [NOON + 2 * HOUR, None]


def test_what_is_stopped_is_said(house, plan, approve):
    """The slots are shown as they would be, under what keeps them from being taken."""
    plan(every="6h")
    approve("Moon")
    house.switches.stop("night", "ada", "holidays")

    lines = shown(outlook(house, "night", 1))
    assert lines[1] == "night is stopped by ada: holidays, and until that is over no slot is taken"


def test_limits_that_the_slots_exceed_are_named(house, plan, approve, monkeypatch):
    """Of posts if every slot brought one, of money by what is approved; what keeps to them is not told."""
    plan(every="10m")
    approve("A long and dear moon", targets=("dear",))
    monkeypatch.setattr(house, "targets", lambda bot: {"dear": Dear()})
    limits = {"per_hour": 5, "per_day": 200, "usd_per_month": 0.1}
    bot = house.bot("night").model_copy(update={"limits": Limits(**limits)})
    monkeypatch.setitem(house.config.bots, "night", bot)

    found = outlook(house, "night", 1)
    assert found.beyond == ["per_hour", "usd_per_month"]
    assert shown(found)[-1] == "some will come later, for together they exceed limits.usd_per_month"
