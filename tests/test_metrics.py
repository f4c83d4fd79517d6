"""The numbers for Prometheus: read back by its own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.health import Examiner, metrics
from bot.posting.calendar import next_slots
from bot.records import Outlet, Receipt
from tests.folders import write_folder
from tests.healths import approved, opened, run_pulse
from tests.queues import judged


@pytest.fixture
def bot(tmp_path):
    return opened(write_folder(tmp_path / "bot"))


def numbers(house):
    """name, labels -> value."""
    text = metrics(Examiner(house).examine())
    return {
        (sample.name.removeprefix("wormhorn_"), *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_deliveries_are_counted_by_bot_target_and_state(bot):
    """What is open as a gauge, what became of all as counters; lateness from the slot on."""
    [slot] = next_slots("night", bot.bot("night").schedule, bot.clock(), 1)
    for text in ("Moon", "Sun"):
        approved(bot, text)
    bot.clock.pass_by(4 + 3)
    bot.deliveries.take_slot(slot)
    sending = bot.deliveries.begin_sending(bot.deliveries.claim("me", 90))
    bot.deliveries.settle(sending, "sent", "", Receipt("1"))
    approved(bot, "Star")
    bot.deliveries.schedule_now("night")
    bot.clock.pass_by(30)

    found = numbers(bot)

    assert found["delivery_steps_total", "jsonl", "night", "sent"] == 1
    assert found["delivery_steps_total", "jsonl", "night", "planned"] == 3
    assert found["deliveries", "jsonl", "night", "planned"] == 1
    assert found["due_seconds", "jsonl", "night"] == 30
    assert found["approved_drafts", "night"] == 1
    assert (found["lateness_seconds_bucket", "1.0", "night"], found["lateness_seconds_sum", "night"]) == (
        0,
        3,
    )
    assert found["lateness_seconds_bucket", "5.0", "night"] == 1
    assert found["last_post_timestamp_seconds", "jsonl", "night"] == bot.clock().timestamp() - 30
    assert found["ok",] == 1


def test_failures_are_counted(bot):
    """In all, and in a row."""
    approved(bot)
    bot.deliveries.schedule_now("night")
    for _ in range(2):
        sending = bot.deliveries.begin_sending(bot.deliveries.claim("me", 90))
        bot.deliveries.settle(sending, "planned", "429")

    found = numbers(bot)

    assert found["delivery_failures_total", "jsonl", "night"] == 2
    assert found["failures_in_a_row", "jsonl", "night"] == 2
    assert found["check_ok", "target night/jsonl"] == 0
    assert found["ok",] == 0


def test_the_jobs_of_a_run_are_measured(bot):
    """Turns, durations, silence, and the age of what was heard."""
    run_pulse(bot, post=7)
    bot.clock.pass_by(3)

    found = numbers(bot)

    assert (found["turns_total", "post"], found["quiet_seconds", "post"]) == (1, 7)
    assert found["pulse_age_seconds",] == 3


def test_what_was_spent_is_told(bot):
    """By account, within the month that the limits count."""

    [draft] = bot.drafts.add("night", [judged("Moon")])
    outlet = Outlet("x", "x 42", "query", "Moon", 0.015)
    bot.drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=[outlet])
    bot.deliveries.schedule_now("night")
    bot.deliveries.begin_sending(bot.deliveries.claim("me", 90))

    assert numbers(bot)["spent_usd", "x 42"] == 0.015
