"""Limits of an account: what is beyond them waits, whatever the clock, a restart or a retry does."""

import tempfile
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import PluginError
from bot.posting import fit
from bot.records import Limits, Outlet, Receipt
from bot.store import Deliveries
from bot.uptime import Machine
from tests.queues import NOON, Queue, open_queue

HOUR, DAY, MONTH = 3600, 86_400, 31 * 86_400


class World:
    """A queue under limits, with a clock on the wall that can be set and time that truly passes."""

    def __init__(self, queue: Queue, limits: Limits, kind: str = "opaque", cost: float = 0.0):
        self.queue, self.limits, self.kind, self.cost = queue, limits, kind, cost
        self.true, self.boot, self.started, self.number = 0.0, 0, 0.0, 0
        self.restart()

    def restart(self) -> None:
        """Another process on the same database."""
        boot, started = f"boot {self.boot}", self.started
        self.queue.database.machine = Machine("here", boot, lambda: self.true - started)
        self.deliveries = Deliveries(self.queue.database, lambda bot: self.limits)

    def reboot(self, seconds: float) -> None:
        """Off for so long; its clock on the wall goes on."""
        self.pass_by(seconds)
        self.boot, self.started = self.boot + 1, self.true
        self.restart()

    def pass_by(self, seconds: float) -> None:
        self.true += seconds
        self.queue.clock.pass_by(seconds)

    def set(self, seconds: float) -> None:
        self.queue.clock.pass_by(seconds)

    def due(self, account: str = "me", bot: str = "metal") -> None:
        self.number += 1
        [draft] = self.queue.add(f"text {self.number}", bot=bot)
        self.queue.approve(draft, Outlet("pad", account, self.kind, draft.text, self.cost))
        self.deliveries.schedule_now(bot)

    def claim(self):
        return self.deliveries.claim("worker", 90)

    def attempt(self, state: str = "sent"):
        """Claim, send and settle what may be; None if nothing may."""
        claimed = self.claim()
        if claimed is None:
            return None
        sending = self.deliveries.begin_sending(claimed)
        receipt = Receipt(f"r{claimed.id}-{claimed.fence}")
        return self.deliveries.settle(sending, state, "", receipt if state == "sent" else None)


@pytest.fixture
def world(queue):
    return World(queue, Limits(per_hour=2))


def test_what_exceeds_the_posts_of_an_hour_waits(world):
    """The third goes out when an hour has passed since the end of the first, and no sooner."""
    for _ in range(3):
        world.due()
    assert world.attempt().state == "sent"
    world.pass_by(60)
    assert world.attempt().state == "sent"
    assert world.attempt() is None

    [hold] = world.deliveries.holds()
    assert (hold.bot, hold.account, hold.waiting) == ("metal", "me", 1)
    assert hold.reason == "me has had its 2 posts of one hour (limits.per_hour)"
    assert hold.until == NOON + timedelta(hours=1)
    world.pass_by(HOUR - 61)
    assert world.attempt() is None
    world.pass_by(1)
    assert world.attempt().state == "sent"
    assert world.deliveries.holds() == []


def test_another_account_goes_on(world):
    """A limit holds back its own account alone, also where that one has been due for longer."""
    for account in ("me", "me", "me", "other"):
        world.due(account)
    found = [world.attempt() for _ in range(4)]

    assert [it and it.account for it in found] == ["me", "me", "other", None]


def test_two_bots_on_one_account_share_what_it_has_had(world):
    """What counts are the posts of the account, whichever bot's they are."""
    world.due(bot="metal")
    world.due(bot="folk")
    world.due(bot="metal")

    assert [bool(world.attempt()) for _ in range(3)] == [True, True, False]


def test_each_bot_has_its_own_limits(world):
    """On one account the bot with the lower limit waits, and the other goes on."""
    limits = {"metal": Limits(per_hour=1), "folk": Limits(per_hour=3)}
    for bot in ("metal", "metal", "folk", "folk"):
        world.due(bot=bot)
    world.deliveries = Deliveries(world.queue.database, limits.__getitem__)
    found = [world.attempt() for _ in range(4)]

    assert [it and it.bot for it in found] == ["metal", "folk", "folk", None]


def test_what_was_surely_not_posted_does_not_count(world):
    """A refusal and a busy place cost nothing; what nobody knows about counts."""
    for state in ("refused", "planned", "uncertain", "sent"):
        world.due()
        assert world.attempt(state).state == state
    assert world.claim() is None

    [doubt] = world.queue.deliveries.list(state="uncertain")
    world.deliveries.settle(doubt, "refused", "it is not there")
    assert world.attempt().state == "sent"


def test_a_put_that_is_sent_again_is_one_post(queue):
    """It counts once, from its last attempt, and its own first one does not hold it back."""
    world = World(queue, Limits(per_hour=1), kind="put")
    world.due()
    world.attempt("planned")
    world.pass_by(1800)
    assert world.attempt().attempts == 2
    world.due()
    world.pass_by(HOUR - 1)
    assert world.claim() is None
    world.pass_by(1)
    assert world.claim()


def test_a_put_that_could_not_be_asked_for_still_counts(queue):
    """It is sent again without an answer, and may be there all the while."""
    world = World(queue, Limits(per_hour=1), kind="put")
    world.due()
    doubt = world.attempt("uncertain")
    world.deliveries.settle(doubt, "planned", "no answer", due_at=NOON + timedelta(days=1))
    world.due()
    assert world.claim() is None

    [waiting] = [it for it in world.queue.deliveries.list(state="planned") if it.attempts]
    world.pass_by(HOUR)
    assert world.claim().id != waiting.id


@pytest.mark.parametrize("kind", ["put", "key", "query", "opaque"])
@pytest.mark.parametrize("limits", [Limits(per_hour=1), Limits(per_day=1), Limits(usd_per_month=0.1)])
def test_what_a_lost_process_may_still_post_counts_as_made_now(queue, kind, limits):
    """However long ago it was given up; from when it has surely ended, it counts as any other."""
    world = World(queue, limits, kind, cost=0.1)
    world.due()
    lost = world.deliveries.begin_sending(world.claim())
    doubt = world.deliveries.settle(lost, "uncertain", "lost sight of", awaits="slow")
    world.due()
    world.pass_by(40 * DAY)
    assert world.claim() is None

    world.deliveries.settle(doubt, "uncertain", "it has ended")
    assert world.claim() is None
    world.pass_by(MONTH)
    assert world.claim()


def test_a_claim_that_comes_to_nothing_ends_no_attempt_before_it(queue):
    """A put is claimed again while its first attempt may go on; let go untried, it still may."""
    world = World(queue, Limits(per_hour=1), kind="put")
    world.due()
    lost = world.deliveries.begin_sending(world.claim())
    world.deliveries.settle(lost, "planned", "lost sight of", awaits="slow")
    untried = world.deliveries.settle(world.claim(), "planned", "untried")

    assert untried.awaits == "slow"


def test_money_is_counted_to_the_millionth(queue):
    """Three posts for 0.1 USD fit into 0.3; the fourth waits until the first is 31 days old."""
    world = World(queue, Limits(usd_per_month=0.3), cost=0.1)
    for _ in range(4):
        world.due()
    assert [bool(world.attempt()) for _ in range(4)] == [True, True, True, False]

    [hold] = world.deliveries.holds()
    assert "has spent 0.30 of its 0.3 USD a month, and this post costs 0.1" in hold.reason
    assert hold.until == NOON + timedelta(days=31)
    world.pass_by(MONTH)
    assert world.attempt()


def test_every_attempt_that_may_have_been_posted_costs(queue):
    """A put that is sent three times may be charged three times; what was free goes on."""
    world = World(queue, Limits(usd_per_month=0.35), kind="put", cost=0.1)
    world.due()
    for _ in range(3):
        world.attempt("planned")
    assert world.claim() is None
    world.cost = 0.0
    world.due()

    assert world.attempt().cost == 0.0


def test_what_alone_exceeds_the_budget_waits_for_a_person(queue):
    """No time will bring it; the reason says so."""
    world = World(queue, Limits(usd_per_month=0.1), cost=0.2)
    world.due()

    assert world.claim() is None
    [hold] = world.deliveries.holds()
    assert hold.until is None


@pytest.mark.parametrize("seconds", [-HOUR, DAY, 200 * 365.25 * DAY, -5 * 365 * DAY])
def test_a_clock_that_is_set_brings_nothing_on(world, seconds):
    """The hour is counted by the machine's uptime, in this process and in the next."""
    for _ in range(3):
        world.due()
    world.attempt(), world.attempt()
    world.set(seconds)
    assert world.attempt() is None
    world.restart()
    world.pass_by(HOUR - 1)
    assert world.attempt() is None
    world.set(-seconds)
    world.pass_by(1)

    assert world.attempt()


def test_a_reboot_forgets_nothing(world):
    """What passed while the machine was off is taken from its clock on the wall."""
    for _ in range(3):
        world.due()
    world.attempt(), world.attempt()
    world.reboot(HOUR - 1)
    assert world.attempt() is None
    world.pass_by(1)

    assert world.attempt()


def test_a_new_machine_believes_no_clock(world):
    """Where a database comes to a machine that it does not know, its last posts count as new."""
    for _ in range(3):
        world.due()
    world.attempt(), world.attempt()
    world.pass_by(5 * HOUR)
    world.queue.database.machine = Machine("there", "boot", lambda: world.true)
    assert world.attempt() is None
    world.pass_by(HOUR)

    assert world.attempt()


LIMITS = st.sampled_from(
    [Limits(1), Limits(2, 3), Limits(None, 2), Limits(3, 4, 0.25), Limits(None, None, 0.45)]
)
steps = st.one_of(
    st.tuples(st.just("pass_by"), st.sampled_from([1, 60, 900, 1800, HOUR, 6 * HOUR, DAY])),
    st.tuples(st.just("set"), st.sampled_from([-HOUR, HOUR, DAY, -DAY, 200 * 365 * DAY])),
    st.tuples(st.just("restart")),
    st.tuples(
        st.just("attempt"), st.sampled_from(["sent", "sent", "sent", "uncertain", "planned", "refused"])
    ),
    st.tuples(st.just("attempt"), st.just("sent")),
)


@settings(max_examples=25)
@given(
    st.lists(steps, max_size=50),
    st.sampled_from(["put", "key", "opaque"]),
    LIMITS,
)
def test_no_limit_is_ever_exceeded(plan, kind, limits):
    """Whatever passes, is set, restarted, retried or in doubt: no window of true time has more posts."""
    with tempfile.TemporaryDirectory() as folder, open_queue(Path(folder)) as queue:
        world, posts, cost = World(queue, limits, kind, cost=0.1), defaultdict(float), []
        for name, *given in plan:
            if name != "attempt":
                getattr(world, name)(*given)
                continue
            world.due()
            may_be_there = "sent", "uncertain", *(["planned"] if kind == "put" else [])
            if (it := world.attempt(*given)) and it.state in may_be_there:
                posts[it.id] = world.true
                cost.append(world.true)
        times = sorted(posts.values())
        for most, window in ((limits.per_hour, HOUR), (limits.per_day, DAY)):
            rows = zip(times, times[most:], strict=False) if most else ()
            assert all(late - early >= window for early, late in rows)
        for last in cost if limits.usd_per_month is not None else ():
            paid = sum(0.1 for at in cost if last - MONTH < at <= last)
            assert paid <= limits.usd_per_month + 1e-9


class Priced:
    def __init__(self, cost):
        self.cost = lambda text: cost


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1, "dear", None])
def test_a_target_that_gives_no_price_is_named(cost):
    """Neither a draft that costs nothing knowable nor a negative sum ever reaches the budget."""
    with pytest.raises(PluginError, match="shop"):
        fit.cost("shop", Priced(cost), "text")


def test_a_target_without_a_price_is_free():
    """Most are."""
    assert fit.cost("pad", object(), "text") == 0.0
