"""The diagram: what each outcome leads to, for each kind of target."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.posting.delivery import MAX_ATTEMPTS, QUIET, follow
from bot.posting.outcomes import NotSent, Refused, Sent, Unknown
from bot.records import Kind, Receipt
from tests.deliveries import NOON, delivery

KINDS = get_args(Kind)
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
RECEIPT = Receipt("r1")


def after(outcome, draw=0.5, now=NOON, awaits=None, **fields):
    return follow(delivery(**fields), outcome, now, lambda: draw, awaits)


@pytest.mark.parametrize("kind", KINDS)
def test_proof_makes_it_sent(kind):
    """A receipt ends it, whatever the kind."""
    step = after(Sent(RECEIPT), kind=kind)

    assert (step.state, step.receipt) == ("sent", RECEIPT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_a_final_no_ends_it(kind, state):
    """Refused at the first attempt, or before it, is refused."""
    step = after(Refused("no"), kind=kind, state=state, attempts=int(state == "sending"))

    assert (step.state, step.reason) == ("refused", "no")


@pytest.mark.parametrize("kind", KINDS)
def test_certainly_not_done_is_tried_again(kind):
    """Not sent is planned again, for every kind."""
    step = after(NotSent("busy"), kind=kind)

    assert (step.state, step.reason) == ("planned", "busy")
    assert step.due_at > NOON


@pytest.mark.parametrize(
    ("kind", "state", "asked"),
    [
        ("put", "planned", None),
        ("key", "uncertain", QUIET),
        ("query", "uncertain", QUIET),
        ("opaque", "uncertain", None),
    ],
)
def test_an_unknown_outcome_goes_by_kind(kind, state, asked):
    """The same put again, a key or a query after a quiet time, a person for the rest."""
    step = after(Unknown("lost"), kind=kind)

    assert step.state == state
    if state == "uncertain":
        assert step.due_at == (asked and NOON + asked)


@pytest.mark.parametrize("kind", KINDS)
def test_while_it_may_go_on_nothing_is_asked(kind):
    """If the attempt is not surely over, absence would prove nothing: only a put goes on."""
    step = after(Unknown("lost sight of"), kind=kind, awaits="slow", owner="slow")

    assert step.state == ("planned" if kind == "put" else "uncertain")
    assert kind == "put" or step.due_at is None
    assert step.awaits == "slow"


@pytest.mark.parametrize(
    ("claims", "draw", "seconds"),
    [
        (1, 0, 30),
        (1, 1, 60),
        (2, 1, 120),
        (3, 0, 30),
        (6, 1, 1920),
        (7, 1, 3600),
        (7, 0.5, 1815),
        (5000, 1, 3600),
    ],
)
@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_backoff_is_full_jitter(claims, draw, seconds, state):
    """The wait is drawn between 30 s and a bound that doubles up to an hour, also where nothing was sent."""
    step = after(NotSent("busy"), draw, fence=claims, state=state, attempts=int(state == "sending"))

    assert step.due_at - NOON == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(-3600, 5), (0, 5), (60, 60), (7e9, 86400), (float("inf"), 86400), (float("nan"), 5)],
)
def test_a_targets_wish_is_kept_within_bounds(asked, seconds):
    """What the target asks for is clamped to between 5 s and 24 h, whatever its header says."""
    assert after(NotSent("busy", asked)).due_at - NOON == timedelta(seconds=seconds)


def test_eight_attempts_are_enough():
    """After the eighth attempt a post that was certainly not made is refused, in words that say so."""
    assert after(NotSent("busy"), attempts=7).state == "planned"
    step = after(NotSent("busy"), attempts=8)

    assert (step.state, step.reason) == ("refused", "given up after 8 attempts: busy")


def test_a_day_is_enough():
    """No retry is planned for later than 24 h after the first attempt."""
    late = NOON + DAY - HOUR

    assert after(NotSent("busy", 3600), now=late).state == "planned"
    assert after(NotSent("busy", 3601), now=late).state == "refused"


@pytest.mark.parametrize("outcome", [Refused("no"), NotSent("busy")])
def test_giving_up_is_no_proof_of_absence(outcome):
    """A put that was repeated because it may have got through is not called refused but asked for."""
    tried, claimed = (after(outcome, kind="put", attempts=8, state=state) for state in ("sending", "claimed"))

    assert (tried.state, tried.due_at) == ("uncertain", NOON + QUIET)
    assert (claimed.state, claimed.due_at) == ("uncertain", None)  # no attempt bounds how often that happens


@pytest.mark.parametrize("kind", ["put", "key", "query"])
def test_absence_after_asking_is_evidence(kind):
    """What is surely not there is tried again, even days later, or refused after 8 attempts."""
    there_not = NotSent("it was asked for and is not there")

    assert after(there_not, kind=kind, state="uncertain", now=NOON + 3 * DAY).state == "planned"
    assert after(there_not, kind=kind, state="uncertain", attempts=8).state == "refused"


def test_asking_becomes_rarer_and_ends():
    """A target that does not answer is asked after twice the time each time, and for a day."""
    state = {"kind": "query", "state": "uncertain"}

    assert after(Unknown("down"), **state, now=NOON + 10 * QUIET).due_at == NOON + 20 * QUIET
    assert after(Unknown("down"), **state, now=NOON + timedelta(seconds=1)).due_at == NOON + timedelta(
        seconds=61
    )
    assert after(Unknown("down"), **state, now=NOON + DAY + HOUR).due_at is None


deliveries = st.builds(
    delivery,
    kind=st.sampled_from(KINDS),
    state=st.sampled_from(["claimed", "sending", "uncertain"]),
    attempts=st.integers(0, 12),
    first_tried_at=st.none() | st.datetimes(timezones=st.just(NOON.tzinfo)).filter(lambda t: t <= NOON),
)
outcomes = st.one_of(
    st.builds(Sent, st.just(RECEIPT)),
    st.builds(Refused, st.text()),
    st.builds(NotSent, st.text(), st.none() | st.floats()),
    st.builds(Unknown, st.text()),
)


@given(deliveries, outcomes, st.floats(0, 1, exclude_max=True), st.sampled_from([None, "slow"]))
def test_what_always_holds(one, outcome, draw, awaits):
    """No sent without a receipt, no loss of a doubt, no hot loop, no more than 8 attempts."""
    step = follow(one, outcome, NOON, lambda: draw, awaits)

    assert (step.state == "sent") == isinstance(outcome, Sent) == (step.receipt is not None)
    assert step.state in ("sent", "refused", "planned", "uncertain")
    if isinstance(outcome, Unknown):
        assert step.state != "refused"
        assert step.state == "uncertain" or one.kind == "put"
    if step.state == "planned":
        assert one.attempts < MAX_ATTEMPTS
    if step.due_at:
        assert timedelta(seconds=5) <= step.due_at - NOON
    if awaits and step.state != "sent":
        assert step.state != "refused"
        assert step.awaits == awaits
        assert step.state == "planned" or step.due_at is None
