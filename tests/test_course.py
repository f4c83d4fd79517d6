"""A target's course: which steps count as failures, and what ends a row of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bot.posting.course import UNTRIED, Course, Courses
from tests.deliveries import NOON


@dataclass
class Step:
    old: str
    new: str
    reason: str = ""
    id: int = 1
    bot: str = "metal"
    target: str = "pad"
    at: datetime = NOON
    slot_at: datetime | None = None


def course(*steps):
    courses = Courses()
    courses.add(steps)
    return courses.of["metal", "pad"]


@pytest.mark.parametrize(
    "step",
    [
        Step("sending", "planned", "429"),
        Step("sending", "refused", "401"),
        Step("sending", "uncertain", "no answer"),
        Step("claimed", "planned", "the environment variable TOKEN is not set"),
        Step("claimed", "refused", "approved for ada, but it would go to bob"),
        Step("uncertain", "uncertain", "asked, and no answer"),
    ],
    ids=lambda step: f"{step.old} {step.new}",
)
def test_what_a_target_did_not_take_is_a_failure(step):
    """Until something is sent there."""
    failing = course(step, step)

    assert (failing.failures, failing.failing_since, failing.reason) == (2, NOON, step.reason)
    assert course(step, Step("sending", "sent")) == Course(sent_at=NOON)


@pytest.mark.parametrize(
    "step",
    [
        Step(None, "planned"),
        Step("planned", "claimed"),
        Step("claimed", "sending"),
        Step("planned", "cancelled"),
        Step("claimed", "planned", UNTRIED),
        Step("claimed", "refused", "gate.copy: it stands in the corpus"),
        Step("uncertain", "planned", "it was asked for and is not there"),
    ],
    ids=lambda step: f"{step.old} {step.new}",
)
def test_what_is_not_the_targets_fault_is_none(step):
    """Neither is it a success."""
    failure = Step("sending", "planned", "429")

    assert course(step) == Course()
    assert course(failure, step).failures == 1


def test_what_a_person_decides_of_a_doubt_ends_the_row():
    """Somebody has looked."""
    failure = Step("sending", "uncertain", "no answer")

    assert course(failure, Step("uncertain", "cancelled")).failures == 0


def test_lateness_is_counted_from_the_slot():
    """In steps that rise; a post without a slot has none."""
    courses = Courses()
    sent = [Step("sending", "sent", slot_at=NOON - timedelta(seconds=late)) for late in (0.5, 5, 50, 10**6)]
    courses.add([*sent, Step("sending", "sent")])

    assert courses.late == {("metal", 1): 1, ("metal", 5): 1, ("metal", 60): 1, ("metal", float("inf")): 1}
    assert courses.seconds["metal"] == 10**6 + 55.5
