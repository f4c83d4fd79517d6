"""What the terminal shows of events and lists."""

from dataclasses import replace

import pytest
from rich.console import Console

from bot.cli.show import Screen
from bot.curation.chain import FAILED, funnel
from bot.curation.habits import Habit
from bot.curation.variety import Rut
from bot.events import Approved, Delivered, Failed, Filled, SlotTaken
from bot.records import PluginReport, Verdict
from tests.queues import NOON, judged, outlet, slot

WIDTH = 100


@pytest.fixture
def screen():
    return Screen(Console(width=WIDTH, record=True, highlight=False, force_terminal=True))


@pytest.fixture
def shown(screen):
    """The lines that an event leaves on the screen."""

    def shown(*events):
        for event in events:
            screen.show(event)
        return screen.console.export_text().splitlines()

    return shown


@pytest.fixture
def delivery(queue):
    [draft] = queue.add("Wormhorn")
    queue.approve(draft, outlet("Wormhorn", "feed"), outlet("Wormhorn", "jsonl"))
    return queue.deliveries.list()[0]


def test_a_fill_shows_what_was_kept_and_what_was_dropped_and_why(shown, queue):
    """One bar a filter that dropped something, with an example and its reason; then the queue."""
    batch = [
        judged("Wormhorn", Verdict("length", "accept"), Verdict("new", "accept")),
        judged("A", Verdict("length", "reject", "1 character, fewer than 3")),
        judged("Abcess", Verdict("length", "accept"), Verdict("new", "ask", "near to an item")),
    ]

    lines = shown(Filled("metal", funnel(batch), queue.add("Wormhorn", "Abcess"), 9))

    assert "sampled  3 texts for metal" in lines[0]
    assert "length" in lines[1]
    assert "1 character, fewer than 3" in lines[1]
    assert "Wormhorn · Abcess" in lines[2]
    assert "1 of them want a person's eye; 9 wait in the queue of metal" in lines[3]


def test_no_line_is_wider_than_the_terminal(shown):
    """A long text is cut, not wrapped over the next bar."""
    batch = [judged("W" * 300, Verdict("length", "reject", "300 characters, more than 40"))]

    assert max(map(len, shown(Filled("metal", funnel(batch), [], 0)))) <= WIDTH


def test_a_text_cannot_command_the_terminal(shown):
    """Control characters and markup are shown, not obeyed."""
    batch = [judged("\x1b[31m[bold]red\x07", Verdict("length", "reject", "no"))]

    [_, line, *_] = shown(Filled("metal", funnel(batch), [], 0))

    assert "\\x1b[31m[bold]red\\x07" in line


def test_a_reason_cannot_command_the_terminal(shown):
    """It may quote a text, or come from anybody's plugin."""
    batch = [judged("Abcess", Verdict("mine", "reject", "two\nlines \x1b[31m"))]

    [_, line, *_] = shown(Filled("metal", funnel(batch), [], 0))

    assert "two\\x0alines \\x1b[31m" in line


def test_spaces_of_all_scripts_stay_spaces(shown):
    """The ideographic space is no control character."""
    batch = [judged("\u6625\u3000\u590f", Verdict("mine", "reject", "no"))]

    [_, line, *_] = shown(Filled("metal", funnel(batch), [], 0))

    assert "\u6625\u3000\u590f" in line


def test_a_post_is_one_line_when_all_targets_are_reached(shown, delivery):
    """Nothing is said until the draft is through; then where it went."""
    sent = replace(delivery, state="sent")
    lines = shown(Delivered(sent, 1), Delivered(replace(sent, target="jsonl"), 0))

    [line] = lines
    assert "posted   Wormhorn → feed, jsonl" in line


def test_the_longest_state_does_not_run_into_the_text(shown, delivery):
    """A space stands between them."""
    [line] = shown(Delivered(replace(delivery, state="uncertain", reason="no answer"), 0))

    assert "uncertain Wormhorn → feed: no answer" in line


def test_a_trouble_is_told_beside_what_went_well(shown, delivery):
    """One target is reached, the other refuses: both are told, with the reason."""
    refused = replace(delivery, state="refused", target="x", reason="too long")
    lines = shown(Delivered(replace(delivery, state="sent"), 1), Delivered(refused, 0))

    assert "posted   Wormhorn → feed" in lines[0]
    assert "refused  Wormhorn → x: too long" in lines[1]


def test_what_is_tried_again_says_when(shown, delivery):
    """A target that could not be reached is no end."""
    later = replace(delivery, due_at=NOON, reason="the disk is full")

    [line] = shown(Delivered(later, 1))

    assert "later    Wormhorn → feed: the disk is full; again at" in line


def test_the_other_events_have_a_line_each(shown, queue):
    """Approvals with their policy, empty slots, failures with their reason."""
    lines = shown(
        Approved("metal", "demo", queue.add("Wormhorn")),
        SlotTaken(slot(13), None),
        SlotTaken(slot(14), None, held=3),
        Failed("metal", "the model host died (exit code 3)"),
    )

    assert "by the policy 'demo'" in lines[0]
    assert "nothing is approved, the slot passes" in lines[1]
    assert "all 3 approved are like what goes out this week, the slot passes" in lines[2]
    assert "the model host died" in lines[3]


def test_an_empty_queue_says_how_to_fill_it(screen):
    """Not an empty table."""
    screen.queue([])

    assert "bot fill" in screen.console.export_text()


def test_a_plugin_that_was_set_aside_is_named_with_its_failure(screen):
    """Below the table of what was loaded."""
    screen.plugins(
        [
            PluginReport("lines", "plugins/corpora/lines.py", {"corpora": ("lines",)}),
            PluginReport("broken", "plugins/broken.py", failure="SyntaxError: line 3"),
        ]
    )

    shown = screen.console.export_text()
    assert "lines" in shown
    assert "set aside: plugins/broken.py: SyntaxError: line 3" in shown


def test_a_rut_is_told_once(shown):
    """While it lasts; when it is over and comes again, it is told again."""
    rut = Rut(Habit("ends in", "remix"), 0.42, 0.01)
    stuck, free = (Filled("metal", funnel([]), [], 0, None, ruts) for ruts in ([rut], []))

    lines = shown(stuck, stuck, replace(stuck, bot="other"), free, stuck)

    assert [line.strip() for line in lines if "in a rut" in line] == [
        "in a rut  of the kept 42% end in “remix”, in the corpus 1%"
    ] * 3


def test_a_filter_that_broke_shows_what_it_broke_of(shown):
    """In the line of its bar."""
    batch = [judged("Abcess", Verdict("mine", "reject", f"{FAILED}ZeroDivisionError: by zero"))]

    [_, line, *_] = shown(Filled("metal", funnel(batch), [], 0))

    assert "the filter failed: ZeroDivisionError: by zero" in line
