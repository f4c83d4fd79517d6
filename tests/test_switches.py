"""The stop switch: takes effect before the next send, whoever asks, and says who stopped and when."""

from datetime import timedelta

import pytest

from bot.errors import Conflict, Stopped
from bot.records import Halt
from bot.store import Deliveries, Switches
from tests.queues import NOON, outlet


@pytest.fixture
def switches(queue, tmp_path):
    switches = Switches(queue.database, tmp_path / "STOP")
    queue.deliveries = Deliveries(queue.database, switches=switches)
    return switches


def due(queue, *bots):
    """A draft of each bot, due now."""
    for bot in bots:
        [draft] = queue.add(f"a text of {bot}", bot=bot)
        queue.approve(draft, outlet(draft.text, account=f"@{bot}"))
        queue.deliveries.schedule_now(bot)


def claimed_bots(queue):
    found = []
    while claimed := queue.deliveries.claim("worker", 90):
        found.append(claimed.bot)
    return found


def test_a_stopped_bot_posts_nothing_and_the_others_go_on(queue, switches):
    """What it has due waits, is not refused, and goes out when it is resumed."""
    due(queue, "metal", "folk")
    switches.stop("metal", "ada", "too loud")
    assert claimed_bots(queue) == ["folk"]

    [hold] = queue.deliveries.holds()
    assert (hold.bot, hold.reason, hold.until) == ("metal", "metal is stopped by ada: too loud", None)
    assert [halt.name for halt in switches.resume("metal", [], "bob")] == ["metal"]
    assert claimed_bots(queue) == ["metal"]


def test_all_can_be_stopped(queue, switches):
    """Then one alone cannot be resumed, which is said; to resume all lifts whatever there is."""
    due(queue, "metal", "folk")
    switches.stop("folk", "ada")
    switches.stop(None, "ada")
    assert claimed_bots(queue) == []
    with pytest.raises(Conflict, match="all bots are stopped, metal is one of them: bot resume"):
        switches.resume("metal", [], "ada")

    assert len(switches.resume(None, [], "ada")) == 2
    assert claimed_bots(queue) == ["metal", "folk"]


def test_it_takes_effect_after_a_claim_too(queue, switches):
    """Between the claim and the send: nothing is recorded as tried, and the delivery is as it was."""
    due(queue, "metal")
    claimed = queue.deliveries.claim("worker", 90)
    switches.stop("metal", "ada")

    with pytest.raises(Stopped, match="metal is stopped by ada"):
        queue.deliveries.begin_sending(claimed)
    assert queue.deliveries.get(claimed.id) == claimed


def test_a_file_stops_all(queue, switches):
    """Also a broken link, where nothing else can be written; it is removed as it was made."""
    due(queue, "metal")
    switches.stop_file.symlink_to("nowhere")
    assert claimed_bots(queue) == []
    [halt] = switches.in_force()
    assert (halt.scope, halt.actor) == ("all", f"the file {switches.stop_file}")
    for bot in ("metal", None):
        with pytest.raises(Conflict, match=r"the file .*STOP stops all bots: remove it"):
            switches.resume(bot, [], "ada")

    switches.stop_file.unlink()
    assert claimed_bots(queue) == ["metal"]


def test_a_file_that_cannot_be_looked_for_counts(queue, switches):
    """Where nobody can say whether there is one, nothing is posted."""
    due(queue, "metal")
    switches.stop_file = switches.stop_file.parent / ("x" * 300)  # a name too long for any file

    assert claimed_bots(queue) == []


def test_who_stopped_and_when_is_kept(queue, switches):
    """Every stop stays on record with who lifted it and when."""
    switches.stop("metal", "ada", "holidays")
    queue.clock.pass_by(60)
    switches.resume("metal", [], "bob")
    switches.stop("metal", "eve")

    first, second = switches.history()
    assert first == (Halt("bot", "metal", "ada", "holidays", NOON), "bob", NOON + timedelta(seconds=60))
    assert second[1:] == (None, None)


def test_what_is_stopped_is_not_stopped_again(switches):
    """Whoever comes second learns of it, and the first one's name stays."""
    switches.stop("metal", "ada")
    with pytest.raises(Conflict, match="bot metal is stopped already"):
        switches.stop("metal", "eve")

    assert [halt.actor for halt in switches.in_force()] == ["ada"]


def test_an_account_rests_until_its_time_has_come(queue, switches):
    """Or until its bot is resumed; meanwhile other accounts go on."""
    due(queue, "metal", "folk")
    until = NOON + timedelta(hours=1)
    assert switches.rest("@metal", "the sender", "it failed three times", until)
    assert not switches.rest("@metal", "the sender", "and again", until)
    assert claimed_bots(queue) == ["folk"]
    assert [hold.until for hold in queue.deliveries.holds()] == [until]

    queue.clock.pass_by(3600)
    assert claimed_bots(queue) == ["metal"]
    assert switches.rest("@metal", "the sender", "once more", until + timedelta(hours=1))
    assert len(switches.resume("metal", ["@metal"], "ada")) == 1


def test_a_rest_that_a_wrong_clock_began_does_not_last(queue, switches):
    """Set forward by 200 years and back again: nobody waits for so long."""
    due(queue, "metal")
    far = 200 * 365 * 86_400
    queue.clock.pass_by(far)
    switches.rest("@metal", "the sender", "it failed", queue.clock() + timedelta(hours=1))
    queue.clock.pass_by(-far)

    assert claimed_bots(queue) == ["metal"]


def test_what_a_wrong_clock_has_put_off_is_due(queue, switches):
    """A delivery put off until the year 2226 goes out when the clock is right again."""
    due(queue, "metal")
    far = 200 * 365 * 86_400
    queue.clock.pass_by(far)
    claimed = queue.deliveries.claim("worker", 90)
    queue.deliveries.settle(claimed, "planned", "busy", due_at=queue.clock() + timedelta(minutes=1))
    queue.clock.pass_by(-far)

    assert claimed_bots(queue) == ["metal"]
