"""The store under any order of decisions, claims, crashes and late answers: its promises always hold."""

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from bot.errors import Conflict
from bot.records import Delivery, Draft, Receipt, Status
from bot.store.tables import attempts, deliveries, events
from tests.queues import open_queue, outlet, slot

OUTLETS = {"console": "console", "x": "@metal", "feed": "feed", "mirror": "@metal"}  # target -> account
TEXTS = ("Ash", "Bone", "Crypt")
OUTCOMES = st.sampled_from(["sent", "planned", "refused", "uncertain", "cancelled"])
LATENESS = st.sampled_from([1, 1, 1, 2, 3, 5])  # 1: the newest that anybody holds
picks = st.integers(0, len(TEXTS) - 1)


class Store(RuleBasedStateMachine):
    """People and workers at random. Workers keep what they once held, so many come too late."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(TemporaryDirectory())
        self.queue = self.stack.enter_context(open_queue(Path(folder)))
        self.ids = [draft.id for draft in self.queue.add(*TEXTS)]
        self.held: list[Delivery] = []  # as each worker once saw it, the newest last
        self.slots: set[int] = set()
        self.approved: set[tuple[int, str]] = set()  # draft, revision
        self.posts = 0
        self.approve(0, set(OUTLETS))
        self.approve(1, {"x"})

    def teardown(self) -> None:
        self.stack.close()

    # people

    @rule(pick=picks, where=st.sets(st.sampled_from(sorted(OUTLETS)), min_size=1))
    def approve(self, pick: int, where: set[str]) -> None:
        draft = self.queue.drafts.get(self.ids[pick])
        outlets = [outlet(draft.text, target, OUTLETS[target]) for target in sorted(where)]
        try:
            approved = self.queue.approve(draft, *outlets)
        except Conflict:
            taken = {it.target for it in self.living(draft)}
            assert draft.status not in ("pending", "snoozed", "rejected", "refused") or where <= taken
        else:
            assert approved.status == "approved"
            self.approved.add((draft.id, draft.sha256))

    @rule(pick=picks)
    def reject(self, pick: int) -> None:
        draft = self.queue.drafts.get(self.ids[pick])
        try:
            self.queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")
        except Conflict:
            assert draft.status not in ("pending", "snoozed", "approved", "scheduled")
        else:
            assert all(it.state == "sent" for it in self.living(draft))

    @rule(pick=picks, text=st.sampled_from(["Worm", "Horn"]))
    def edit(self, pick: int, text: str) -> None:
        draft = self.queue.drafts.get(self.ids[pick])
        try:
            edited = self.queue.drafts.edit(draft.id, text, "ada", ())
        except Conflict:
            assert draft.status in ("posting", "posted", "uncertain")
        else:
            assert edited == draft or (edited.text, edited.status) == (text, "pending")

    @rule(pick=picks, hours=st.integers(1, 30))
    def snooze(self, pick: int, hours: int) -> None:
        draft = self.queue.drafts.get(self.ids[pick])
        until = self.queue.clock() + timedelta(hours=hours)
        try:
            snoozed = self.queue.drafts.snooze(draft.id, until, "ada")
        except Conflict:
            assert draft.status not in ("pending", "snoozed")
        else:
            assert (snoozed.status, snoozed.snoozed_until) == ("snoozed", until)

    @rule(pick=picks)
    def wait(self, pick: int) -> None:
        """What was put off comes back when its time has come, and not before."""
        before = self.queue.drafts.get(self.ids[pick])
        self.queue.clock.pass_by(3600)
        now = self.queue.drafts.get(before.id)
        if before.status == "snoozed":
            assert now.status == ("snoozed" if before.snoozed_until > self.queue.clock() else "pending")

    @rule(pick=picks)
    def undo(self, pick: int) -> None:
        """It takes back an approval of which nobody has claimed a delivery, and all of it."""
        draft = self.queue.drafts.get(self.ids[pick])
        before = self.queue.deliveries.list(draft=draft.id)
        try:
            self.queue.drafts.undo(draft.id, "ada")
        except Conflict:
            return
        now = self.queue.deliveries.list(draft=draft.id)
        undone = {new.approved_at for old, new in zip(before, now, strict=True) if old.state != new.state}
        assert all(it.fence == 0 for it in now if it.approved_at in undone)
        assert not any(it.state in ("planned", "claimed", "sending", "uncertain") for it in now)

    # time and workers

    @rule(hour=st.integers(8, 11))
    def take_slot(self, hour: int) -> None:
        draft = self.queue.deliveries.take_slot(slot(hour))
        assert draft is None or hour not in self.slots
        assert draft is None or draft.status == "scheduled"
        self.slots.add(hour)

    @rule(worker=st.sampled_from(["one", "two"]))
    def claim(self, worker: str) -> None:
        self.queue.clock.pass_by(60)
        self.queue.deliveries.schedule_now("metal")
        if claimed := self.queue.deliveries.claim(worker, 90):
            assert claimed.due_at <= self.queue.clock()
            self.held.append(claimed)

    @precondition(lambda self: self.held)
    @rule(back=LATENESS)
    def begin_sending(self, back: int) -> None:
        held = self.held[-back:][0]
        stale = self.has_moved_on(held)
        try:
            self.held.append(self.queue.deliveries.begin_sending(held))
        except Conflict:
            assert stale or held.state != "claimed"
        else:
            assert not stale

    @precondition(lambda self: self.held)
    @rule(back=LATENESS, state=OUTCOMES)
    def settle(self, back: int, state: str) -> None:
        held = self.held[-back:][0]
        stale = self.has_moved_on(held)
        self.posts += 1
        try:
            settled = self.queue.deliveries.settle(held, state, "", Receipt(f"post-{self.posts}"))
        except Conflict:
            return
        assert not stale
        self.held.append(settled)

    @precondition(lambda self: self.held)
    @rule()
    def crash(self) -> None:
        """A worker dies; another clears up what it left, and the dead one's answers come late."""
        for left in self.queue.deliveries.unfinished():
            state = "planned" if left.state == "claimed" else "uncertain"
            self.queue.deliveries.settle(left, state, "its process ended", actor="two")

    def living(self, draft: Draft) -> list[Delivery]:
        every = self.queue.deliveries.list(draft=draft.id)
        return [it for it in every if it.state not in ("refused", "cancelled")]

    def has_moved_on(self, held: Delivery) -> bool:
        now = self.queue.deliveries.get(held.id)
        return (now.state, now.fence) != (held.state, held.fence)

    # promises

    @invariant()
    def an_account_has_one_delivery_in_flight(self) -> None:
        flying = Counter(it.account for it in self.queue.deliveries.unfinished())
        assert all(count == 1 for count in flying.values())

    @invariant()
    def an_approval_has_deliveries(self) -> None:
        """And one alive at most for each target; only bytes that were approved are on their way."""
        alive = Counter()
        for it in self.queue.deliveries.list():
            assert (it.draft, it.revision_sha256) in self.approved
            alive[it.draft, it.target] += it.state not in ("refused", "cancelled")
        assert all(count <= 1 for count in alive.values())
        for draft in self.queue.drafts.list():
            if draft.status in ("approved", "scheduled", "posting", "uncertain", "posted"):
                assert any(alive[draft.id, target] for target in OUTLETS)

    @invariant()
    def every_status_finds_its_drafts(self) -> None:
        """Also those that are looked for by what their deliveries are."""
        every = self.queue.drafts.list()
        counts = self.queue.drafts.counts()
        for status in get_args(Status):
            assert counts[status] == len(self.queue.drafts.list(status))
            assert self.queue.drafts.list(status) == [draft for draft in every if draft.status == status]

    @invariant()
    def nothing_is_sent_without_proof_and_an_attempt(self) -> None:
        with self.queue.database.read() as connection:
            tried = set(connection.scalars(select(attempts.c.delivery)))
            rows = connection.execute(select(deliveries).where(deliveries.c.state == "sent")).all()
        assert all((row.remote_id or row.evidence) and row.id in tried for row in rows)

    @invariant()
    def every_change_has_its_event(self) -> None:
        """The events of a delivery are one chain that ends in its state, and fences never fall."""
        with self.queue.database.read() as connection:
            history = connection.execute(select(events).order_by(events.c.id)).all()
            states = dict(connection.execute(select(deliveries.c.id, deliveries.c.state)).all())
        last: dict[int, tuple[str | None, int]] = dict.fromkeys(states, (None, 0))
        for event in history:
            old, fence = last[event.delivery]
            assert event.old == old
            assert event.fence >= fence
            last[event.delivery] = event.new, event.fence
        assert {id: state for id, (state, _) in last.items()} == states


TestStore = Store.TestCase
TestStore.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
