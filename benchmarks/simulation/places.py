"""Places to post at, one of each kind, and the network before them. It knows no courier and no store.

A request that was sent arrives within ARRIVES seconds or never, and a post can be found VISIBLE seconds after
it arrived: together they stay below the quiet time, which is what the promise rests on.
"""

from dataclasses import dataclass, field

from benchmarks.simulation.world import Process, World
from bot.errors import BotError, NotSent, Refused
from bot.records import Kind, Post, Receipt

DEADLINE = 30.0  # of a call: its process is killed at it
ARRIVES, VISIBLE = 25.0, 25.0
MEMORY = 3600.0  # how long a place of the kind `key` knows a key
FAULTS = (  # what becomes of a request; those behind the bar may have posted
    *("unreachable", "busy", "rejected", "|"),
    *("lost", "cut", "error before", "error after", "reset after", "time-out", "slow", "garbled"),
)
UNSURE = FAULTS[FAULTS.index("|") + 1 :]
MODES = tuple(mode for mode in FAULTS if mode != "|")
UNSTORED = ("lost", "cut", "error before")


@dataclass(slots=True)
class Stored:
    """A post as its readers see it."""

    key: str
    remote_id: str
    at: float  # when it arrived
    sender: str


@dataclass
class Place:
    """Where posts end up."""

    world: World
    kind: Kind
    refuses_copies: bool = False
    posts: list[Stored] = field(default_factory=list)
    rejected: set[str] = field(default_factory=set)

    def receive(self, post: Post, sender: str) -> str:
        """A request arrives: the id of its post, "" if it is refused as a copy."""
        if (known := self._known(post.key)) is not None:
            return known.remote_id
        if self.refuses_copies and any(it.key == post.key for it in self.posts):
            return ""
        stored = Stored(post.key, f"{self.kind}-{len(self.posts)}", self.world.now, sender)
        self.posts.append(stored)
        self.world.note(self.kind, f"HAS {post.key} now")
        return stored.remote_id

    def _known(self, key: str) -> Stored | None:
        """The post that the same key stands for: for ever, for a while, not at all."""
        memory = {"put": float("inf"), "key": MEMORY}.get(self.kind, -1.0)
        of_key = (it for it in self.posts if it.key == key and self.world.now - it.at <= memory)
        return next(of_key, None)

    def visible(self, key: str) -> Stored | None:
        seen = (it for it in self.posts if it.key == key and self.world.now - it.at >= VISIBLE)
        return next(seen, None)

    def times(self, key: str) -> int:
        return sum(it.key == key for it in self.posts)


class Client:
    """A target plugin for a place, in the sender's child of a process."""

    max_length = None

    def __init__(self, place: Place, process: Process, account: str):
        self._place, self._process = place, process
        self.kind, self.account = place.kind, account

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        call = _Call(self._process)
        mode = self._mode()
        call.seam(f"posts {post.key} ({mode})")
        self._refuse(mode, post)
        if mode in UNSTORED:
            call.fail(mode)
        return self._answer(post, mode, call)

    def find(self, post: Post) -> Receipt | None:
        if self.kind == "opaque":
            raise BotError("an opaque target was asked")
        call = _Call(self._process)
        call.seam(f"asks for {post.key}")
        if self._process.world.chance(self._process.world.weather.fault):
            call.fail("does not answer")
        found = self._place.visible(post.key)
        call.seam("hears that it is there" if found else "hears that it is not there")
        return found and Receipt(found.remote_id, evidence="found")

    def _mode(self) -> str:
        world = self._process.world
        return world.random.choice(MODES) if world.chance(world.weather.fault) else ""

    def _refuse(self, mode: str, post: Post) -> None:
        """The answers that say surely that nothing was posted."""
        if mode == "unreachable":
            raise NotSent("nobody is there")
        if mode == "busy":
            raise NotSent("busy", self._process.world.random.choice((None, 1.0, 900.0)))
        if mode == "rejected":
            self._place.rejected.add(post.key)
            raise Refused("not here")

    def _answer(self, post: Post, mode: str, call: "_Call") -> Receipt:
        """The request goes out, arrives whatever becomes of its sender, and perhaps an answer comes back."""
        draw, answer = self._process.world.random.random, []
        arrives = draw() * (ARRIVES if mode in ("slow", "time-out") else 0.5)
        sender = self._process.name
        self._process.world.later(arrives, lambda: answer.append(self._place.receive(post, sender)))
        call.wait(DEADLINE if mode == "time-out" else arrives + draw() * (10 if mode == "slow" else 0.5))
        if mode in UNSURE and mode != "slow":
            call.fail(mode)
        if not answer or not answer[0]:
            call.fail("a copy is refused" if answer else "no answer")
        call.seam(f"hears that {post.key} is {answer[0]}")
        return Receipt(answer[0])


class _Call:
    """A call of the sender's child: past its deadline the kernel kills it, before it does anything more."""

    def __init__(self, process: Process):
        self._process, self._began = process, process.host.steady()

    def seam(self, what: str) -> None:
        self._process.seam(what)
        self._check()

    def wait(self, seconds: float) -> None:
        self._process.wait(seconds)
        self._check()

    def fail(self, how: str) -> None:
        self.seam(how)
        raise RuntimeError(how)

    def _check(self) -> None:
        if self._process.host.steady() - self._began >= DEADLINE:
            self._process.world.note(self._process.name, "its call is over its deadline")
            raise TimeoutError("killed at its deadline")
