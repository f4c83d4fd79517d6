"""The store under any order of decisions, claims, crashes and late answers: its promises always hold."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from bot.errors import Conflict
from bot.records import Delivery, Draft, Receipt
from bot.store.tables import attempts, deliveries, events, revisions
from tests.queues import open_queue, outlet, slot

IN_FLIGHT = {"claimed", "sending"}
OUTLETS = {"console": "console", "x": "@metal", "feed": "feed", "mirror": "@metal"}  # target -> account
picks = st.integers(0, 50)


class Store(RuleBasedStateMachine):
    """People and workers at random. Workers keep what they once held, so many come too late."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.queue = self.stack.enter_context(
            open_queue(Path(self.stack.enter_context(TemporaryDirectory())))
        )
        self.held: list[Delivery] = []  # as each worker last saw it
        self.slots: set[int] = set()
        self.approved: set[tuple[int, str]] = set()  # draft, revision
        self.posts = 0

    def teardown(self) -> None:
        self.stack.close()

    def pick(self, number: int) -> Draft:
        drafts = self.queue.drafts.list()
        return drafts[number % len(drafts)]

    # people

    @rule(text=st.sampled_from(["Ash", "Bone", "Crypt", "Dirge"]))
    def add(self, text: str) -> None:
        before = self.queue.drafts.seen("metal")
        assert bool(self.queue.add(text)) == (len(self.queue.drafts.seen("metal")) > len(before))

    @precondition(lambda self: self.queue.drafts.list())
    @rule(number=picks, where=st.sets(st.sampled_from(sorted(OUTLETS)), min_size=1))
    def approve(self, number: int, where: set[str]) -> None:
        draft = self.pick(number)
        outlets = [outlet(draft.text, target, OUTLETS[target]) for target in sorted(where)]
        try:
            approved = self.queue.approve(draft, *outlets)
        except Conflict:
            taken = {it.target for it in self.queue.deliveries.list(draft=draft.id) if it.state == "sent"}
            assert draft.status not in ("pending", "rejected", "refused") or where <= taken
        else:
            assert approved.status == "approved"
            self.approved.add((draft.id, draft.sha256))

    @precondition(lambda self: self.queue.drafts.list())
    @rule(number=picks)
    def reject(self, number: int) -> None:
        draft = self.pick(number)
        try:
            self.queue.drafts.decide(draft.id, draft.sha256, "reject", "ada")
        except Conflict:
            assert draft.status not in ("pending", "approved", "scheduled")
        else:
            assert not self.living(draft)

    @precondition(lambda self: self.queue.drafts.list())
    @rule(number=picks, text=st.sampled_from(["Worm", "Horn"]))
    def edit(self, number: int, text: str) -> None:
        draft = self.pick(number)
        try:
            edited = self.queue.drafts.edit(draft.id, text, "ada", ())
        except Conflict:
            assert draft.status in ("posting", "posted", "uncertain")
        else:
            assert edited == draft or (edited.text, edited.status) == (text, "pending")

    @precondition(lambda self: self.queue.drafts.list())
    @rule(number=picks)
    def undo(self, number: int) -> None:
        """Refused once anything of the approval was claimed; what it cancels nobody has ever claimed."""
        draft, before = self.pick(number), self.living(self.pick(number))
        try:
            self.queue.drafts.undo(draft.id, "ada")
        except Conflict:
            return
        gone = {it.id for it in before} - {it.id for it in self.living(draft)}
        assert all(it.fence == 0 for it in before if it.id in gone)
        assert not any(it.state in IN_FLIGHT | {"uncertain"} for it in before)

    # time and workers

    @rule(hour=st.integers(0, 23))
    def take_slot(self, hour: int) -> None:
        draft = self.queue.deliveries.take_slot(slot(hour))
        assert draft is None or hour not in self.slots
        assert draft is None or draft.status == "scheduled"
        self.slots.add(hour)

    @rule()
    def post_now(self) -> None:
        self.queue.deliveries.schedule_now("metal")

    @rule(seconds=st.sampled_from([30, 3600]))
    def pass_by(self, seconds: int) -> None:
        self.queue.clock.pass_by(seconds)

    @rule(worker=st.sampled_from(["one", "two"]))
    def claim(self, worker: str) -> None:
        if claimed := self.queue.deliveries.claim(worker, 90):
            assert claimed.due_at <= self.queue.clock()
            self.held.append(claimed)

    @precondition(lambda self: self.held)
    @rule(number=picks)
    def begin_sending(self, number: int) -> None:
        held = self.held[number % len(self.held)]
        try:
            self.held.append(self.queue.deliveries.begin_sending(held))
        except Conflict:
            assert held.state != "claimed" or self.has_moved_on(held)

    @precondition(lambda self: self.held)
    @rule(
        number=picks, state=st.sampled_from(["sent", "sent", "planned", "refused", "uncertain", "cancelled"])
    )
    def settle(self, number: int, state: str) -> None:
        held = self.held[number % len(self.held)]
        stale = self.has_moved_on(held)
        self.posts += 1
        try:
            settled = self.queue.deliveries.settle(held, state, "", Receipt(f"post-{self.posts}"))
        except Conflict:
            return
        assert not stale
        self.held.append(settled)

    @precondition(lambda self: self.queue.deliveries.unfinished())
    @rule()
    def crash(self) -> None:
        """A worker dies; another process clears up what it left, and the dead one's answers come late."""
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
        """And one alive at most for each target."""
        for draft in self.queue.drafts.list():
            targets = Counter(it.target for it in self.living(draft))
            assert all(count == 1 for count in targets.values())
            if draft.status in ("approved", "scheduled", "posting", "uncertain", "posted"):
                assert targets

    @invariant()
    def only_approved_bytes_are_on_their_way(self) -> None:
        for delivery in self.queue.deliveries.list():
            assert (delivery.draft, delivery.revision_sha256) in self.approved

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

    @invariant()
    def revisions_are_kept(self) -> None:
        with self.queue.database.read() as connection:
            rows = connection.execute(select(revisions.c.draft, revisions.c.number)).all()
        assert all((row.draft, number) in rows for row in rows for number in range(1, row.number + 1))


TestStore = Store.TestCase
TestStore.settings = settings(
    max_examples=12,
    stateful_step_count=35,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
