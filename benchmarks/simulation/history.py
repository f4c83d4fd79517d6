"""One history: a few posts, processes that deliver them and die on the way, and what is true in the end.

It asks the code that is simulated for nothing but what it does: what was promised is judged by what the
places have, what the tables hold and what each process got to hear.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Protocol, get_args

from benchmarks.simulation.memory import MemoryStore, RuleBroken, Tables
from benchmarks.simulation.places import Client, Place, Stored
from benchmarks.simulation.world import START, Host, Process, Weather, World
from bot.errors import StoreError
from bot.posting.courier import Courier
from bot.posting.delivery import MAX_AGE
from bot.posting.outcomes import NotSent, Outcome, Refused, Unknown
from bot.posting.sender import VERBS
from bot.records import Delivery, DeliveryState, Kind, Limits, Pace, Receipt
from bot.store.deliveries import AT_ONCE
from bot.uptime import Machine

KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_EVENTS = 50_000  # a history of ten deliveries has some thousand
IDLE, NOTHING_LEFT = 30.0, 3600.0  # seconds between turns
STORMY = Weather()
NOTHING = Receipt()
HOUR, HELD = 3600.0, 300.0  # seconds; the latter between turns while a limit holds what is due
PRICE: dict[Kind, float] = {"query": 0.2, "key": 0.1}  # USD a post


@dataclass(frozen=True)
class Found:
    """What was wrong with a history, and what it was like."""

    seed: int
    wrong: Sequence[str]
    ends: Counter[tuple[Kind, DeliveryState]]
    twice: Counter[Kind]  # deliveries that were posted more than once
    seconds: float  # of the world's time

    @property
    def deliveries(self) -> int:
        return sum(self.ends.values())


@dataclass
class Heard:
    """What is known of the newest attempt of a delivery."""

    owner: str = ""
    surely: bool = False  # its process has heard what came of it, and said so to the store
    out_of_sight: frozenset[str] = frozenset()  # given up by those that could not know whether they had ended


class Store(MemoryStore):
    """The store as one process has it: it may die before and after each commit, and the database may fail."""

    def __init__(self, history: "History", process: Process):
        super().__init__(history.tables, history.world.wall, self.machine_of(process), history.limits)
        self._history, self._process = history, process
        self.outcomes: dict[tuple[int, int], Outcome] = {}  # by delivery and fence

    def machine_of(self, process: Process) -> Machine:
        """Its uptime goes on while it is asleep."""
        return Machine(process.host.name, "boot", lambda: process.world.now)

    def claim(
        self, owner: str, lease_seconds: float, draft: int | None = None, pace: Pace = AT_ONCE
    ) -> Delivery | None:
        self._process.seam("looks for what is due")
        claimed = super().claim(owner, lease_seconds, draft, pace)
        if claimed:
            self._process.seam(f"has claimed {claimed.key}, fence {claimed.fence}")
        return claimed

    def begin_sending(self, delivery: Delivery) -> Delivery:
        begin = super().begin_sending

        def change() -> Delivery:
            sending = begin(delivery)
            self._history.begin(self._process, sending)
            return sending

        return self._commit(f"begins to send {delivery.key}", change)

    def settle(
        self,
        delivery: Delivery,
        state: DeliveryState,
        reason: str,
        receipt: Receipt | None = None,
        due_at: Any = None,
        actor: str = "",
        awaits: str | None = None,
    ) -> Delivery:
        settle = super().settle

        def change() -> Delivery:
            settled = settle(delivery, state, reason, receipt, due_at, actor, awaits)
            self._history.hear(self, self._process, delivery, settled)
            return settled

        return self._commit(f"settles {delivery.key} as {state}" + f": {reason}" * bool(reason), change)

    def mark(self, delivery: Delivery, state: DeliveryState, receipt: Receipt = NOTHING) -> None:
        """Write down what became of a delivery, as the naive way does: without claim and fence."""

        def change() -> Delivery:
            done = replace(delivery, state=state, remote_id=receipt.remote_id or None)
            self.tables.deliveries[delivery.id] = done
            return done

        self._commit(f"marks {delivery.key} as {state}", change)

    def _commit(self, what: str, change: Callable[[], Delivery]) -> Delivery:
        self._process.seam(what)
        weather, world = self._process.world.weather, self._process.world
        if world.chance(weather.store):
            raise StoreError("the database does not answer")
        changed = change()
        if world.chance(weather.store):
            raise StoreError("the database does not say that it has committed")
        self._process.seam("has done so")
        return changed


class Sender:
    """bot.posting.sender without its child: the same answers, from clients of simulated places."""

    def __init__(self, history: "History", process: Process, store: Store):
        self._history, self._process, self._store = history, process, store

    def check(self, delivery: Delivery) -> Refused | NotSent | None:
        answer = VERBS["check"](self._client(delivery), delivery)
        assert answer is None or isinstance(answer, Refused | NotSent)
        return answer

    def post(self, delivery: Delivery) -> Outcome:
        if (delivery.id, delivery.fence) not in self._history.attempts():
            self._history.wrong.append(f"{delivery.key} was posted without an attempt on record")
        outcome = self.post_at_once(delivery)
        self._store.outcomes[delivery.id, delivery.fence] = outcome
        return outcome

    def post_at_once(self, delivery: Delivery) -> Outcome:
        self._process.seam(f"asks its sender to post {delivery.key}")
        self._history.begun.append((delivery.key, self._process.name, self._history.world.now))
        return self._ask("post", delivery)

    def find(self, delivery: Delivery) -> Outcome:
        return self._ask("find", delivery)

    def _ask(self, verb: str, delivery: Delivery) -> Outcome:
        outcome = VERBS[verb](self._client(delivery), delivery)
        assert outcome is not None
        return outcome

    def _client(self, delivery: Delivery) -> Client:
        return Client(self._history.places[delivery.kind], self._process, delivery.account)


class Worker(Protocol):
    """What a process is at: turn by turn, and once more before it ends as it was asked to."""

    def deliver_due(self) -> None: ...

    def leave(self) -> None: ...


Deliver = Callable[["History", Process, Store, Sender], Worker]


def by_courier(
    history: "History", process: Process, store: Store, sender: Sender, courier: type[Courier] = Courier
) -> Worker:
    """What production runs."""
    return courier(
        store=store,
        sender=sender,
        gate=lambda delivery: (),
        owner=process.name,
        clock=history.world.wall,
        draw=history.world.random.random,
        told=lambda delivery: None,
        dead=partial(history.dead, process),
        steady=process.host.steady,
    )


class History:
    """deliver: makes what a process does again and again. store: the store each process has."""

    def __init__(
        self,
        seed: int,
        deliver: Deliver = by_courier,
        store: type[Store] = Store,
        weather: Weather = STORMY,
        trace: list[str] | None = None,
    ):
        self.world = World(seed, weather, trace)
        self.tables, self.limits = Tables(), _limits(seed)
        self.begun: list[tuple[str, str, float]] = []  # attempts: key, process, true time
        self.places = {
            kind: Place(self.world, kind, kind == "query" and self._draw(2) == 0) for kind in KINDS
        }
        self.wrong: list[str] = []
        self.heard: dict[int, Heard] = {}
        self._deliver, self._store = deliver, store
        self._busy: set[str] = set()
        self._living: dict[str, Process] = {}
        self._started = 0
        self._lost: set[str] = set()  # hosts
        self._seen_dead: set[tuple[str, str | None]] = set()  # by whom, who
        self._plan()

    def run(self) -> Found:
        hosts = [Host(self.world, name) for name in ("this", "that")[: 1 + (self._draw(3) == 0)]]
        for number in range(1 + self._draw(3)):
            self._start(hosts[number % len(hosts)])
        if hosts[1:] and self._draw(3) == 0 and self.world.weather.until:
            self.world.later(self._draw(3600), partial(self._lose, hosts[1]))
        if not self.world.run(MOST_EVENTS):
            self.wrong.append("it does not come to an end")
        ends = Counter((row.kind, row.state) for row in self.tables.deliveries.values())
        twice = Counter(row.kind for row in self.tables.deliveries.values() if self._times(row) > 1)
        self._judge()
        return Found(self.world.seed, tuple(self.wrong), ends, twice, self.world.now)

    def _draw(self, below: int) -> int:
        return int(self.world.random.random() * below)

    def _plan(self) -> None:
        shared = self._draw(3) == 0  # one account for all
        for draft in range(1, 2 + self._draw(2)):
            due_at = START + timedelta(seconds=self._draw(600))
            for kind in self.world.random.sample(KINDS, 1 + self._draw(3)):
                self._add(draft, kind, "all" if shared else kind, due_at)

    def _add(self, draft: int, kind: Kind, account: str, due_at: Any) -> None:
        id = len(self.tables.deliveries) + 1
        delivery = Delivery(
            id=id,
            draft=draft,
            bot="metal",
            revision_sha256=f"{draft}",
            target=kind,
            account=account,
            kind=kind,
            text=f"text {draft}",
            state="planned",
            key=f"{kind}{draft}",
            fence=0,
            attempts=0,
            approved_at=START,
            due_at=due_at,
            cost=PRICE.get(kind, 0.0),
        )
        self.tables.add(delivery, "a person")
        self.heard[id] = Heard()

    # processes

    def _lose(self, host: Host) -> None:
        """A machine that breaks: nothing runs there any more, and nobody can say so."""
        self.world.note(host.name, "IS LOST")
        self._lost.add(host.name)
        for process in [it for it in self._living.values() if it.host is host]:
            process.alive = False
            self._forget(process)

    def _start(self, host: Host) -> None:
        if host.name in self._lost:
            return
        self._started += 1
        process = Process(host, self._started, self._main, self._ended)
        self._living[process.name] = process

    def _ended(self, process: Process) -> None:
        """Whatever ended is started again, unless there is nothing left to do."""
        self._forget(process)
        if self._open():
            self.world.later(1.0 + self._draw(60), partial(self._start, process.host))

    def _forget(self, process: Process) -> None:
        self._living.pop(process.name, None)
        self._busy.discard(process.name)

    def _main(self, process: Process) -> None:
        """A daemon's turns, as the wake-up makes them."""
        store = self._store(self, process)
        worker = self._deliver(self, process, store, Sender(self, process, store))
        leaving = False
        while self._open() and not leaving:
            self._busy.add(process.name)
            leaving = self.world.chance(self.world.weather.leave)
            try:
                worker.leave() if leaving else worker.deliver_due()
            except StoreError as error:
                self.world.note(process.name, f"fails: {error}")
            except RuleBroken as error:
                self.wrong.append(f"a rule of the tables was broken: {error}")
            self._busy.discard(process.name)
            process.wait(self._idle())

    def _open(self) -> bool:
        """Whether anybody is at work, or time will bring anything on."""
        rows = self.tables.deliveries.values()
        return bool(self._busy) or any(
            (row.state in ("planned", "claimed", "sending") and not self._is_held(row))
            or (row.state == "uncertain" and (row.due_at or self._may_end(row.awaits)))
            for row in rows
        )

    def _may_end(self, owners: str | None) -> bool:
        """Whether there will be somebody who can say that these owners have ended."""
        return owners is not None and not self._is_lost(owners)

    def _is_lost(self, owners: str) -> bool:
        """Whether one of them is."""
        return any(owner.split("/")[0] in self._lost for owner in owners.split())

    def _idle(self) -> float:
        """Seconds to the next turn that finds something to do; the turns before it are left out."""
        rows, wall = self.tables.deliveries.values(), self.world.wall()
        times = [it.lease_until or it.due_at for it in rows if it.state not in ("sent", "refused")]
        waits = [(time - wall).total_seconds() for time in times if time]
        if self.limits.per_hour and all(wait < 0 for wait in waits):
            return self.world.random.random() * HELD
        return max(min(waits, default=NOTHING_LEFT), 0.0) + self.world.random.random() * IDLE

    def dead(self, asking: Process, owner: str) -> bool | None:
        """As bot.posting.owner.is_dead: of processes on other hosts nothing can be known."""
        if owner.split("/")[0] != asking.host.name:
            return None
        if owner in self._living:
            return False
        self._seen_dead.add((asking.name, owner))
        return True

    # what is true

    def attempts(self) -> set[tuple[int, int]]:
        return {(it.delivery, it.fence) for it in self.tables.attempts}

    def begin(self, process: Process, delivery: Delivery) -> None:
        """Another attempt; of a put those before may still be under way."""
        before = self.heard[delivery.id].out_of_sight if delivery.kind == "put" else frozenset[str]()
        self.heard[delivery.id] = Heard(process.name, out_of_sight=before)

    def hear(self, store: Store, process: Process, before: Delivery, after: Delivery) -> None:
        """Take note of who said what: a process of its own attempt, or another that has given it up."""
        heard = self.heard[after.id]
        knows = heard.owner == process.name or (process.name, heard.owner) in self._seen_dead
        if before.state == "sending" and before.owner != process.name:
            heard.surely = False
            heard.out_of_sight |= frozenset() if knows else {heard.owner}
            return
        if knows:
            heard.out_of_sight -= {heard.owner}
        if outcome := store.outcomes.get((after.id, after.fence)):
            heard.surely = not isinstance(outcome, Unknown)

    def _times(self, row: Delivery) -> int:
        return self.places[row.kind].times(row.key)

    def _is_held(self, row: Delivery) -> bool:
        """Whether a limit holds it until a person says what became of others."""
        return row.state == "planned" and (self._too_dear(row) or self._is_beside_the_lost(row))

    def _is_beside_the_lost(self, row: Delivery) -> bool:
        """Whether posts that a lost machine may still make take up a whole hour's limit."""
        others = (it for it in self.tables.deliveries.values() if it.account == row.account and it is not row)
        lost = [it for it in others if it.awaits and self._is_lost(it.awaits)]
        return self.limits.per_hour is not None and len(lost) >= self.limits.per_hour

    def _too_dear(self, row: Delivery) -> bool:
        """Whether what is left of the budget does not pay for it, by what was spent and may have been."""
        budget = self.limits.usd_per_month
        if budget is None or not row.cost:
            return False
        mine = (it for it in self.tables.deliveries.values() if it.account == row.account)
        paid = sum(it.cost for it in mine if it.state in ("sent", "uncertain", "sending") or self._times(it))
        return paid + row.cost > budget + 1e-9

    def _judge_limits(self) -> None:
        """What the places have of an account, by the true time at which it was begun, exceeds no limit."""
        accounts: dict[str, list[tuple[float, float]]] = {}
        for row in self.tables.deliveries.values():
            for post in self.places[row.kind].posts:
                if post.key == row.key:
                    accounts.setdefault(row.account, []).append((self._begun(post), row.cost))
        for account, posts in accounts.items():
            times = sorted(at for at, _ in posts)
            most = self.limits.per_hour or len(times)
            if any(late - early < HOUR for early, late in zip(times, times[most:], strict=False)):
                self.wrong.append(f"{account} had over {most} posts within an hour")
            spent, budget = sum(cost for _, cost in posts), self.limits.usd_per_month
            if budget is not None and spent > budget + 1e-9:
                self.wrong.append(f"{account} has cost {spent:g} of {budget:g} USD")

    def _begun(self, post: Stored) -> float:
        return max(
            at for key, who, at in self.begun if (key, who) == (post.key, post.sender) if at <= post.at
        )

    def _judge(self) -> None:
        self._judge_limits()
        for row in self.tables.deliveries.values():
            if fault := self._fault_of(row):
                self.wrong.append(f"{row.key} is {row.state} ({row.reason}): {fault}")
            if (times := self._times(row)) > 1:
                self.wrong.append(f"{row.key} was posted {times} times")
            self._judge_events(row)

    def _fault_of(self, row: Delivery) -> str:
        """What is wrong with how a delivery has ended, "" if nothing."""
        times = self._times(row)
        match row.state:
            case "sent":
                posts = [post.remote_id for post in self.places[row.kind].posts if post.key == row.key]
                right = row.remote_id in posts if row.remote_id else posts
                return "" if right else "its post is not there"
            case "refused":
                if times:
                    return "its post is there"
                rejected = row.key in self.places[row.kind].rejected
                return "" if rejected or "given up" in row.reason else "nobody has refused it"
            case "uncertain":
                return self._knowable(row)
            case "planned" if self._is_held(row):
                return ""
            case _:
                return "it is lost"

    def _knowable(self, row: Delivery) -> str:
        """Why a delivery need not have been left to a person, "" if it had to be."""
        heard = self.heard[row.id]
        if not row.reason:
            return "without a reason"
        lost = any(map(self._is_lost, heard.out_of_sight))
        if heard.surely and not (row.kind == "put" and lost):  # of a put an attempt before may still come
            return "its process knew what came of it"
        old = self.world.wall() - (row.first_tried_at or START) > MAX_AGE
        if row.kind == "opaque" or lost or old:
            return ""
        return "its place could have been asked"

    def _judge_events(self, row: Delivery) -> None:
        """The events are one chain from nothing to the state, and fences never fall."""
        state, fence = None, 0
        for event in self.tables.events:
            if event.delivery == row.id:
                if event.old != state or event.fence < fence:
                    self.wrong.append(f"{row.key}: its events are no chain at {event}")
                state, fence = event.new, event.fence
        if state != row.state:
            self.wrong.append(f"{row.key} is {row.state}, and its events end in {state}")


def _limits(seed: int) -> Limits:
    """A third of the histories has limits; drawn apart, so that the others are as they would be without."""
    random = Random(f"limits {seed}")
    if random.random() * 3 > 1:
        return Limits()
    return Limits(per_hour=random.choice((1, 2, None)), usd_per_month=random.choice((0.3, 0.5, None)))
