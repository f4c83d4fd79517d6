"""What is in doubt, told and settled by number."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.settling import list_doubts, settle_doubt
from bot.errors import BotError
from bot.review.outgoing import Outgoing
from tests.queues import Queue, open_queue, outlet


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """Two targets' answers to one draft were lost."""
    with open_queue(tmp_path) as queue:
        [draft] = queue.add("Worm\x1bhorn")
        queue.approve(draft, outlet("Worm\x1bhorn", "hook"), outlet("Wormhorn", "mail"))
        queue.deliveries.schedule_now("metal")
        for _ in range(2):
            sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90))
            queue.deliveries.settle(sending, "uncertain", "no answer")
        yield queue


def states(queue: Queue) -> list[str]:
    return [it.state for it in queue.deliveries.list()]


def test_what_is_in_doubt_is_listed(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    """With what is known of it, and how to go on; signs that a terminal would obey are shown."""
    list_doubts(Outgoing(queue.deliveries, "ada"))
    out, err = capsys.readouterr()

    assert out == "1  hook (hook)  Worm\\x1bhorn  no answer\n1  mail (mail)  Wormhorn  no answer\n"
    assert "bot settle ID --posted ADDRESS" in err


def test_it_is_settled_one_target_after_the_other(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    outgoing = Outgoing(queue.deliveries, "ada")
    settle_doubt(outgoing, 1, "hook", "https://example.org/1", False, False)
    assert states(queue) == ["sent", "uncertain"]
    settle_doubt(outgoing, 1, None, None, True, False)
    assert states(queue) == ["sent", "planned"]
    list_doubts(outgoing)

    assert capsys.readouterr().err.splitlines() == [
        "draft 1 on hook: sent",
        "draft 1 on mail: planned",
        "Nothing is in doubt.",
    ]


@pytest.mark.parametrize(
    ("draft", "target", "said", "message"),
    [
        (1, None, (None, False, True), "in doubt on hook, mail: add --target"),
        (1, "x", (None, False, True), "draft 1 on x is not in doubt"),
        (2, None, (None, True, False), "draft 2 is not in doubt"),
        (1, "hook", (None, False, False), "say one of --posted ADDRESS, --not-posted and --cancel"),
        (1, "hook", ("113", True, False), "say one of"),
    ],
)
def test_what_is_not_clear_settles_nothing(
    queue: Queue, draft: int, target: str | None, said: tuple[str | None, bool, bool], message: str
) -> None:
    with pytest.raises(BotError, match=message):
        settle_doubt(Outgoing(queue.deliveries, "ada"), draft, target, *said)
    assert states(queue) == ["uncertain", "uncertain"]
