"""What `bot fill` prints of a batch."""

from dataclasses import replace

import pytest
from rich.console import Console

from bot.cli.funnel import report
from bot.curation.chain import FAILED, funnel
from bot.curation.habits import Habit
from bot.curation.variety import Rut, Variety
from bot.events import Filled
from bot.records import Verdict
from tests.queues import judged

WIDTH = 80
KEPT = [Verdict("length", "accept"), Verdict("mine", "accept")]


@pytest.fixture
def shown(queue):
    """The lines that a batch leaves in a pipe."""

    def shown(batch, **more):
        drafts = queue.add(*[one.candidate.text for one in batch if one.kept])
        console = Console(width=WIDTH, record=True)
        with console.capture() as capture:
            console.print(report(Filled("metal", funnel(batch), drafts, 9, **more)))
        return capture.get().splitlines()

    return shown


def short(text: str):
    return judged(text, Verdict("length", "reject", f"{len(text)} characters, fewer than 3"))


def test_a_batch_is_told_from_top_to_bottom(shown):
    """What was sampled, what each filter dropped with three examples and their reasons, what was kept."""
    batch = [short(text) for text in ("a", "bb", "c", "dd")] + [judged("Wormhorn", *KEPT)]

    lines = [line.split() for line in shown(batch)]

    assert lines[0][:3] == ["sampled", "5", "100%"]
    assert lines[1][:3] == ["length", "4", "80%"]
    assert lines[2] == ["a", "1", "characters,", "fewer", "than", "3"]
    assert lines[4][0] == "c"
    assert lines[5][:3] == ["mine", "0", "0%"]
    assert lines[6][:3] == ["kept", "1", "20%"]
    assert lines[7] == ["Wormhorn"]
    assert lines[8] == ["1", "draft", "queued;", "9", "in", "the", "queue", "of", "metal", "now"]


def test_a_filter_that_broke_stands_out(shown):
    """It is said that it broke, of what, and that this was a veto."""
    broken = judged("Grave", KEPT[0], Verdict("mine", "reject", f"{FAILED}ZeroDivisionError: by zero"))

    lines = shown([broken, broken, judged("Wormhorn", *KEPT)])

    at = next(number for number, line in enumerate(lines) if line.startswith("mine"))
    assert "it broke on 2 of them, which counts as a veto" in lines[at + 1]
    assert "ZeroDivisionError: by zero" in lines[at + 2]


def test_long_texts_are_cut_and_long_reasons_go_on(shown):
    """No line is wider than the terminal, and no reason loses its end."""
    reason = "is far from " + "everything " * 20 + "at all"
    lines = shown([judged("W" * 300, Verdict("mine", "reject", reason)), judged("V" * 300, *KEPT)])

    assert max(map(len, lines)) <= WIDTH
    assert any(line.rstrip().endswith("at all") for line in lines)


def test_what_is_generated_cannot_command_the_terminal(shown):
    """Neither a text nor a reason."""
    batch = [judged("\x1b[31m[bold]red", Verdict("mine", "reject", "two\nlines\x07")), judged("", *KEPT[:1])]

    text = "\n".join(shown(batch))

    assert "\\x1b[31m[bold]red" in text
    assert "two\\x0alines\\x07" in text


def test_variety_and_ruts_come_last(shown):
    """As figures with their names, and in words."""
    found, rut = Variety("characters", (0.1, 0.5, 0.912), 0.4), Rut(Habit("ends in", "remix"), 0.42, 0.01)
    text = "\n".join(shown([judged("Wormhorn", *KEPT)], variety=found, ruts=[rut]))

    assert "different characters, pairs, triples: 0.10, 0.50, 0.91 (distinct-1, -2, -3)" in text
    assert "self-BLEU-4 0.40" in text
    assert "in a rut  of the kept 42% end in “remix”, in the corpus 1%" in text


def test_an_empty_batch_is_told_too(shown):
    """Nothing is divided by nothing."""
    assert shown([])[0].split() == ["sampled", "0"]


def test_what_a_filter_asks_about_is_named(queue):
    """By the numbers that `bot why` takes; what needs no answer is not."""
    plain, doubtful = queue.add("Wormhorn", "Deth")
    doubtful = replace(doubtful, verdicts=(Verdict("blocklist", "ask", "seems to hide a blocked word"),))
    console = Console(width=WIDTH)

    with console.capture() as capture:
        console.print(report(Filled("metal", funnel([]), [plain, doubtful], 9)))

    assert f"a filter asks about 1 of them: {doubtful.id} (bot why ID)" in capture.get()
