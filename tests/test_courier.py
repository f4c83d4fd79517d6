"""The courier on a real database: what it claims, checks, sends, records, and takes up after a death."""

import shutil
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.errors import StoreError
from bot.posting.courier import LEASE, Courier
from bot.posting.delivery import QUIET
from bot.posting.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from bot.posting.owner import identify
from bot.records import Outlet, Receipt, Verdict
from tests.queues import NOON, open_queue

DEAD = identify().rsplit("/", 2)[0] + "/1.00/dead"  # this pid, but a process of another start
ELSEWHERE = "another-host/boot/1/1.00/busy"


@dataclass
class Script:
    """A sender that answers as it is told, and remembers what it was asked."""

    posting: list[Outcome] = field(default_factory=list)
    finding: list[Outcome] = field(default_factory=list)
    checking: Refused | NotSent | None = None
    posted: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    meanwhile: object = None

    def check(self, delivery):
        return self.checking

    def post(self, delivery):
        self.posted.append(delivery.text)
        assert delivery.state == "sending"
        if self.meanwhile:
            self.meanwhile(delivery)
        return self.posting.pop(0) if self.posting else Sent(Receipt(f"r-{delivery.key}"))

    def find(self, delivery):
        self.asked.append(delivery.text)
        return self.finding.pop(0)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """An empty database; making its tables takes longer than a test."""
    folder = tmp_path_factory.mktemp("empty")
    with open_queue(folder):
        return folder / "bot.db"


@pytest.fixture
def queue(tmp_path, empty):
    shutil.copy(empty, tmp_path)
    with open_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def sender():
    return Script()


@pytest.fixture
def told():
    return []


def open_courier(queue, sender, **more):
    """One whose steady clock goes as the other, unless told otherwise."""
    steady = {"steady": lambda: queue.clock().timestamp()}
    return Courier(queue.deliveries, sender, lambda delivery: (), identify(), queue.clock, **steady | more)


@pytest.fixture
def courier(queue, sender, told):
    return open_courier(queue, sender, draw=lambda: 0.0, told=told.append)


def due(queue, text="Crypt of Ash", kind="opaque", account="me"):
    """A draft, approved and due now."""
    [draft] = queue.add(text)
    queue.approve(draft, Outlet("pad", account, kind, text))
    queue.deliveries.schedule_now("metal")
    [delivery] = queue.deliveries.list(draft=draft.id)
    return delivery


def states(queue):
    return [delivery.state for delivery in queue.deliveries.list()]


def test_all_that_is_due_is_sent(queue, courier, sender, told):
    """Deliveries are sent one after the other, oldest first, proven by their receipts, and told."""
    due(queue, "one")
    due(queue, "two")
    queue.add("not approved")
    courier.deliver_due()

    assert sender.posted == ["one", "two"]
    assert [(delivery.text, delivery.state, delivery.attempts) for delivery in told] == [
        ("one", "sent", 1),
        ("two", "sent", 1),
    ]
    assert all(delivery.remote_id for delivery in told)


def test_nothing_is_due(queue, courier, sender):
    """Without a due delivery nothing is asked and nothing sent."""
    assert courier.deliver_next() is False
    assert sender.posted == []


def test_once_stopped_no_new_one_begins(queue, courier, sender):
    """A stop takes effect before the next send; what is in flight is finished."""
    due(queue, "one")
    due(queue, "two")
    courier.deliver_due(stopped=lambda: len(sender.posted) > 0)

    assert sender.posted == ["one"]
    assert states(queue) == ["sent", "planned"]


def test_stopped_while_it_is_checked_it_is_let_go(queue, courier, sender):
    """A check may take as long as a send: between the two the claim is given back, and nothing was tried."""
    due(queue)
    asked = []

    def check(delivery):
        asked.append(delivery)

    sender.check = check
    courier.deliver_due(stopped=lambda: bool(asked))

    [delivery] = queue.deliveries.list()
    assert (delivery.state, delivery.owner, delivery.attempts) == ("planned", None, 0)
    assert delivery.due_at <= queue.clock()
    assert sender.posted == []


def test_the_gate_has_the_last_word(queue, courier, sender, monkeypatch):
    """What the gate rejects now is not sent, although it was approved; a doubt alone forbids nothing."""
    due(queue)
    replace(
        courier, gate=lambda delivery: [Verdict("length", "ask"), Verdict("copy", "reject", "taken")]
    ).deliver_due()

    [delivery] = queue.deliveries.list()
    assert (delivery.state, delivery.reason, sender.posted) == ("refused", "copy: taken", [])


def test_a_gate_that_fails_has_allowed_nothing(queue, courier, sender, caplog):
    """The delivery waits, and the failure is logged."""

    def broken(delivery):
        raise RuntimeError("no corpus")

    due(queue)
    replace(courier, gate=broken).deliver_due()

    [delivery] = queue.deliveries.list()
    assert (delivery.state, sender.posted) == ("planned", [])
    assert delivery.due_at == NOON + timedelta(seconds=30)
    assert "no corpus" in caplog.text


def test_what_the_check_forbids_is_no_attempt(queue, courier, sender):
    """A refusal before anything is sent leaves no attempt behind."""
    sender.checking = Refused("too long")
    due(queue)
    courier.deliver_due()

    [delivery] = queue.deliveries.list()
    assert (delivery.state, delivery.attempts, sender.posted) == ("refused", 0, [])


def test_the_attempt_stands_in_the_database_before_anything_is_sent(queue, courier, sender):
    """While the target is asked, another look at the database sees the attempt."""
    seen = []
    sender.meanwhile = lambda delivery: seen.extend(queue.deliveries.unfinished())
    due(queue)
    courier.deliver_due()

    assert [(delivery.state, delivery.attempts, delivery.first_tried_at) for delivery in seen] == [
        ("sending", 1, NOON)
    ]


def test_not_sent_is_tried_again_when_it_is_time(queue, courier, sender):
    """It waits as the target asked, keeps its first time, and goes out then."""
    sender.posting = [NotSent("busy", 60)]
    due(queue)
    courier.deliver_due()
    queue.clock.pass_by(59)
    courier.deliver_due()
    assert states(queue) == ["planned"]
    queue.clock.pass_by(1)
    courier.deliver_due()

    [delivery] = queue.deliveries.list()
    assert (delivery.state, delivery.attempts, delivery.first_tried_at) == ("sent", 2, NOON)


@pytest.mark.parametrize(
    ("found", "state"), [(Sent(Receipt("r1", "", "seen")), "sent"), (NotSent("absent"), "sent")]
)
def test_a_query_in_doubt_is_asked_for_after_a_quiet_time(queue, courier, sender, found, state):
    """Nothing is asked before the quiet time is over; then it is sent, at once or by one more attempt."""
    sender.posting, sender.finding = [Unknown("lost")], [found]
    due(queue, kind="query")
    courier.deliver_due()
    queue.clock.pass_by(QUIET.total_seconds() - 1)
    courier.deliver_due()
    assert (states(queue), sender.asked) == (["uncertain"], [])
    queue.clock.pass_by(1)
    courier.deliver_due()
    queue.clock.pass_by(60)
    courier.deliver_due()

    assert states(queue) == [state]
    assert len(sender.posted) == (1 if isinstance(found, Sent) else 2)


def test_a_clock_that_is_set_shortens_no_quiet_time(queue, courier, sender):
    """An hour forward on the wall, and still a minute passes by the steady clock before it is asked for."""
    sender.posting, sender.finding, passed = [Unknown("lost")], [Sent(Receipt("r1"))], [0.0]
    courier = replace(courier, steady=lambda: passed[0])
    due(queue, kind="query")
    courier.deliver_due()
    queue.clock.pass_by(3600)
    for passed[0] in (1.0, QUIET.total_seconds() - 1):
        courier.deliver_due()
        assert (states(queue), sender.asked) == (["uncertain"], [])
    passed[0] += 1
    courier.deliver_due()

    assert states(queue) == ["sent"]


def test_a_process_that_finds_a_doubt_waits_too(queue, courier, sender):
    """How long ago it was before this process began, the clock on the wall alone cannot say."""
    sender.posting, sender.finding = [Unknown("lost")], [Sent(Receipt("r1"))]
    due(queue, kind="key")
    courier.deliver_due()
    queue.clock.pass_by(3600)
    new = open_courier(queue, sender)
    new.deliver_due()
    assert sender.asked == []
    queue.clock.pass_by(QUIET.total_seconds())
    new.deliver_due()

    assert states(queue) == ["sent"]


@pytest.mark.parametrize("kind", ["key", "query"])
def test_a_key_is_asked_for_before_it_is_used_again(queue, courier, sender, kind):
    """Its target may have forgotten it by the time the second request arrives, so absence is proved first."""
    sender.posting, sender.finding = [Unknown("lost")], [Unknown("down"), NotSent("absent")]
    due(queue, kind=kind)
    courier.deliver_due()
    for state in ("uncertain", "planned", "sent"):
        queue.clock.pass_by(3600)
        courier.deliver_due()
        assert states(queue) == [state]

    assert (len(sender.posted), sender.finding) == (2, [])


def test_an_opaque_one_in_doubt_waits_for_a_person(queue, courier, sender):
    """Nobody is asked and nothing is sent, however long it takes."""
    sender.posting = [Unknown("lost")]
    due(queue)
    courier.deliver_due()
    queue.clock.pass_by(1e7)
    courier.deliver_due()

    assert (states(queue), len(sender.posted), sender.asked) == (["uncertain"], 1, [])


def test_the_receipt_of_another_post_proves_nothing(queue, courier, sender, caplog):
    """If the account has this id already, a person must look."""
    sender.posting = [Sent(Receipt("r1")), Sent(Receipt("r1"))]
    due(queue, "one")
    due(queue, "two")
    courier.deliver_due()

    assert states(queue) == ["sent", "uncertain"]
    assert "r1" in caplog.text


def left(queue, owner, state, **fields):
    """A delivery that an owner has left in this state."""
    delivery = due(queue, **fields)
    claimed = queue.deliveries.claim(owner, LEASE.total_seconds())
    return queue.deliveries.begin_sending(claimed) if state == "sending" else delivery


@pytest.mark.parametrize("owner", ["dead", "mine"])
@pytest.mark.parametrize(
    ("kind", "state", "then"),
    [
        ("opaque", "claimed", "sent"),
        ("query", "claimed", "sent"),
        ("put", "sending", "planned"),
        ("key", "sending", "uncertain"),
        ("query", "sending", "uncertain"),
        ("opaque", "sending", "uncertain"),
    ],
)
def test_what_a_dead_owner_left(queue, courier, owner, kind, state, then):
    """Claimed was never sent; sending goes by kind. The same for what an error made this courier leave."""
    left(queue, DEAD if owner == "dead" else courier.owner, state, kind=kind)
    courier.deliver_due()

    [delivery] = queue.deliveries.list()
    assert delivery.state == then
    assert (delivery.due_at == NOON + QUIET) == (kind in ("key", "query") and state == "sending")


def test_what_a_living_owner_holds_is_left_alone(queue, courier, sender):
    """Another courier's delivery, and its account, are not touched while its lease runs."""
    left(queue, identify(), "sending", kind="put")
    due(queue, "next", account="me")
    courier.deliver_due()

    assert (states(queue), sender.posted) == (["sending", "planned"], [])


@pytest.mark.parametrize("owner", ["lives", "elsewhere"])
@pytest.mark.parametrize(
    ("kind", "then"),
    [("put", "planned"), ("key", "uncertain"), ("query", "uncertain"), ("opaque", "uncertain")],
)
def test_a_lease_that_is_over_proves_no_death(queue, courier, sender, owner, kind, then):
    """Who may wake up again may still send: a query is not asked for, since absence would prove nothing."""
    left(queue, identify() if owner == "lives" else ELSEWHERE, "sending", kind=kind)
    queue.clock.pass_by(LEASE.total_seconds())
    courier.recover()

    [delivery] = queue.deliveries.list()
    assert delivery.state == then
    assert delivery.due_at is None or kind == "put"
    queue.clock.pass_by(10 * QUIET.total_seconds())
    courier.reconcile()
    assert sender.asked == []


@pytest.mark.parametrize("kind", ["key", "query"])
def test_a_doubt_is_asked_for_once_its_owner_has_ended(queue, sender, kind):
    """Who was lost sight of may send while it lives; its end is noticed later, and a quiet time kept."""
    ended = set()
    courier = open_courier(queue, sender, dead=lambda owner: owner in ended)
    sender.finding = [NotSent("absent")]
    left(queue, "slow", "sending", kind=kind)
    queue.clock.pass_by(LEASE.total_seconds())
    courier.deliver_due()
    queue.clock.pass_by(7 * 24 * 3600)
    courier.deliver_due()
    [doubt] = queue.deliveries.list()
    assert (doubt.state, doubt.awaits, doubt.due_at, sender.asked) == ("uncertain", "slow", None, [])

    ended.add("slow")
    courier.deliver_due()
    [doubt] = queue.deliveries.list()
    assert (doubt.awaits, doubt.due_at, sender.asked) == (None, queue.clock() + QUIET, [])
    queue.clock.pass_by(QUIET.total_seconds())
    courier.deliver_due()
    queue.clock.pass_by(60)
    courier.deliver_due()

    assert (states(queue), len(sender.asked), len(sender.posted)) == (["sent"], 1, 1)


def test_a_put_is_refused_only_once_every_attempt_has_ended(queue, sender):
    """Sent again while its first process may go on, it is not called absent while that lives."""
    ended = set()
    courier = open_courier(queue, sender, draw=lambda: 0.0, dead=lambda owner: owner in ended)
    left(queue, "slow", "sending", kind="put")
    queue.clock.pass_by(LEASE.total_seconds())
    sender.posting = [Refused("no")]
    courier.deliver_due()
    queue.clock.pass_by(3600)
    courier.deliver_due()
    [doubt] = queue.deliveries.list()
    assert (doubt.state, doubt.awaits, doubt.attempts, sender.asked) == ("uncertain", "slow", 2, [])

    ended.add("slow")
    courier.deliver_due()
    queue.clock.pass_by(QUIET.total_seconds())
    sender.finding = [NotSent("absent")]
    courier.deliver_due()
    assert [len(sender.asked), queue.deliveries.list()[0].awaits] == [1, None]


@pytest.mark.parametrize("turn", ["deliver_due", "leave"])
def test_an_owner_knows_that_its_own_attempt_is_over(queue, courier, sender, turn):
    """Given up by others, and it has heard nothing: its next turn, or its end, lets the target be asked."""
    left(queue, courier.owner, "sending", kind="query")
    queue.clock.pass_by(LEASE.total_seconds())
    open_courier(queue, sender).recover()
    assert [(it.awaits, it.due_at) for it in queue.deliveries.list()] == [(courier.owner, None)]
    getattr(courier, turn)()

    assert [(it.awaits, it.due_at) for it in queue.deliveries.list()] == [(None, queue.clock() + QUIET)]
    assert (sender.asked, sender.posted) == ([], [])


def test_two_living_owners_each_take_themselves_off_what_a_put_awaits(queue, courier, sender):
    """Neither can know of the other; it would else wait until one of them dies."""
    other = open_courier(queue, sender)
    left(queue, courier.owner, "sending", kind="put")
    [delivery] = queue.deliveries.list()
    awaits = f"{courier.owner} {other.owner}"
    queue.deliveries.settle(delivery, "uncertain", "given up", awaits=awaits)
    for turn in (courier, open_courier(queue, sender)):
        turn.reconcile()
        assert [(it.awaits, it.reason) for it in queue.deliveries.list()] == [(other.owner, "given up")]
    other.reconcile()

    assert [(it.awaits, it.due_at) for it in queue.deliveries.list()] == [(None, queue.clock() + QUIET)]


def test_an_opaque_doubt_is_never_asked_for(queue, courier, sender):
    """Whoever ends: what it waited for is over then, and it stays a doubt."""
    left(queue, ELSEWHERE, "sending")
    queue.clock.pass_by(LEASE.total_seconds())
    courier.deliver_due()
    assert [(it.state, it.awaits) for it in queue.deliveries.list()] == [("uncertain", ELSEWHERE)]

    replace(courier, dead=lambda owner: True).deliver_due()
    assert [(it.state, it.awaits, it.due_at) for it in queue.deliveries.list()] == [("uncertain", None, None)]
    assert sender.asked == []


def test_a_worker_that_wakes_up_late_sends_nothing(queue, courier, sender, told):
    """Whoever lost its claim while it was held up finds the fence and lets go."""
    due(queue)
    other = open_courier(queue, sender)

    def asleep(delivery):
        queue.clock.pass_by(LEASE.total_seconds())
        other.deliver_due()
        return ()

    replace(courier, gate=asleep).deliver_next()

    assert (states(queue), len(sender.posted)) == (["sent"], 1)


@pytest.mark.parametrize(
    ("kind", "outcome", "then"),
    [
        ("opaque", Sent(Receipt("r1")), "sent"),
        ("opaque", NotSent("busy"), "planned"),
        ("opaque", Refused("no"), "refused"),
        ("query", Sent(Receipt("r1")), "sent"),
        ("query", Unknown("lost"), "uncertain"),
    ],
)
def test_what_a_worker_hears_late_is_evidence(queue, courier, sender, kind, outcome, then):
    """Others had lost sight of it and left the delivery in doubt; it comes back and knows what came of it."""
    due(queue, kind=kind)
    other = open_courier(queue, sender)

    def held_up(delivery):
        queue.clock.pass_by(LEASE.total_seconds())
        other.recover()
        assert [(it.state, it.due_at) for it in queue.deliveries.list()] == [("uncertain", None)]

    sender.meanwhile, sender.posting = held_up, [outcome]
    courier.deliver_next()

    [delivery] = queue.deliveries.list()
    assert delivery.state == then
    assert then != "uncertain" or delivery.due_at == queue.clock() + QUIET  # it is over now: it can be asked


def test_a_late_no_is_no_proof_against_an_earlier_attempt(queue, courier, sender):
    """A put that was refused at its second attempt stays in doubt, also if the store is told so twice."""
    due(queue, kind="put")
    sender.posting = [Unknown("lost"), Refused("no")]
    courier.deliver_due()
    queue.clock.pass_by(3600)
    settle = queue.deliveries.settle

    def unheard(*args, **options):
        settle(*args, **options)
        raise StoreError("the connection broke")

    with pytest.MonkeyPatch.context() as context:
        context.setattr(queue.deliveries, "settle", unheard)
        with pytest.raises(StoreError):
            courier.deliver_due()
    courier.deliver_due()

    [delivery] = queue.deliveries.list()
    assert (delivery.state, delivery.due_at) == ("uncertain", queue.clock() + QUIET)


def test_no_send_begins_with_a_lease_nearly_over(queue, courier, sender):
    """With less than 40 s left it is put off: it could not be finished in time."""
    due(queue)

    def slow(delivery):
        queue.clock.pass_by(51)
        return ()

    replace(courier, gate=slow).deliver_next()

    assert (states(queue), sender.posted) == (["planned"], [])


@pytest.mark.parametrize("committed", [False, True])
def test_an_outcome_that_could_not_be_recorded_is_recorded_later(queue, courier, sender, committed):
    """If the database fails after the send, the next round knows what came of it: nothing is in doubt."""
    settle = queue.deliveries.settle

    def full(*args, **options):
        if committed:
            settle(*args, **options)
        raise StoreError("the disk is full")

    due(queue)
    with pytest.MonkeyPatch.context() as context:
        context.setattr(queue.deliveries, "settle", full)
        with pytest.raises(StoreError):
            courier.deliver_due()
    courier.deliver_due()

    assert (states(queue), len(sender.posted)) == (["sent"], 1)
