"""The flow on one page: train, sample, fill, review, post, run. Read this first.

    train    corpus -> ids -> a trained model -> checkpoints/
    fill     checkpoints/ -> samples -> filters and the gate -> drafts in the queue
    review   drafts -> decisions, by a person or a named policy; an approval plans the deliveries
    post     approved drafts -> targets, each once
    run      keeps the queues filled and posts what is due, for years

Names from config.yaml become objects in `house`; every other room is handed what it needs.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bot import __version__
from bot.brakes import Brakes
from bot.config import Config
from bot.curation.chain import funnel
from bot.curation.forced import forced
from bot.curation.variety import ruts, variety
from bot.duty import Duty
from bot.errors import BotError, ChildError, Unavailable
from bot.events import Approved, Delivered, Failed, Filled, SlotTaken, Tell
from bot.host import Answer, Host, Order, in_band, in_groups, informed, make_order, open_host
from bot.house import House
from bot.interfaces import Target
from bot.model import checkpoint
from bot.posting.calendar import LATE, Schedule, due_slot, free_from, quiet_until, slots_after
from bot.posting.courier import Courier
from bot.posting.outcomes import Outcome
from bot.posting.owner import identify
from bot.posting.schedule import Wakeup
from bot.posting.sender import Sender
from bot.posting.strikes import ENOUGH, Strikes
from bot.posting.turns import Turns
from bot.posting.watchdog import Watchdog
from bot.pulse import PulseFile, tell_all
from bot.records import Candidate, Delivery, Draft, Pace, Progress, Sampling, Secret
from bot.review.policies import ACTOR, FOR_PEOPLE, RECYCLE, look_up, recycle, run_policy
from bot.systemd import notify

if TYPE_CHECKING:
    from bot.trainer import Trained

log = logging.getLogger(__name__)

UNDER_WAY = ("planned", "claimed", "sending")
REST = timedelta(minutes=5)  # after a turn that failed or brought nothing
LOOK = 1.0  # seconds between two looks at the jobs
LIMITS = {
    "fill": 1800.0,
    "post": 120.0,
    "duty": 60.0,
}  # seconds that a turn may show no sign of life; a call takes 30 at most
QUARANTINE = 12  # times REST, for a bot whose filter fails
DOUBLINGS = 6  # of REST, for a bot that breaks the host again and again: to some five hours

Made = TypeVar("Made")


def train(house: House, model: str, progress: Callable[[Progress], None], fresh: bool = False) -> "Trained":
    """Train a model of the configuration, or go on with its run unless `fresh`."""
    from bot.trainer import opened

    with opened(house, model) as trainer:
        return trainer.run(progress, fresh)


def sample(
    house: House, model: str, sampling: Sampling, seed: int, count: int, which: str = "best"
) -> list[Candidate]:
    """Sample a checkpoint of a model, in a band if `sampling` names one; nothing is curated or queued."""
    banded = in_band(sampling, sampling.band, house.checkpoint(model, which))
    return house.sampler(model, which).sample(banded, seed, range(count))


def calibrate(
    house: House, model: str, which: str, samples: int, told: Callable[[float, float], None]
) -> Path | None:
    """Measure anew which temperature surprises how much, store it with the checkpoint; its folder.

    told: each temperature and its surprise. None, and nothing is stored, where the checkpoint came with the
    program. Raises CheckpointError where it cannot be written.
    """
    from bot.model.sampling import calibrate as sweep

    folder = house.checkpoint(model, which)
    calibration = sweep(house.sampler(model, which), samples, told)
    if not house.owns(folder):
        return None
    checkpoint.amend(folder, calibration=calibration)
    return folder


def fill(house: House, host: Host, bot: str, count: int | None = None, seed: int | None = None) -> Filled:
    """Sample, curate, queue. count: the bot's batch size if None. seed: a new one if None."""
    [(order, answer)] = host.ask_all([informed(house, make_order(house, bot, count, seed))])
    return enqueue(house, order, answer)


def enqueue(house: House, order: Order, answer: Answer) -> Filled:
    """Queue what an order brought, in one transaction. Raises what it failed of."""
    if isinstance(answer, Exception):
        raise answer
    for name in order.checkpoints:
        house.checkpoint(order.model, name)  # if a training has removed it, no draft can be replayed
    judged = house.fitting(order.bot, answer)
    drafts = house.drafts.add(order.bot, judged)
    if house.bot(order.bot).renderers:
        house.media.prune()
    texts = [draft.text for draft in drafts]
    asked = cache(house.asked)
    sampled = [(draft.candidate.raw_text, asked(draft.candidate.sampling)) for draft in drafts]
    stuck = ruts(texts, house.usual(order.model, order.checkpoints), lambda kind: forced(kind, sampled))
    filters = [choice.name for choice in house.bot(order.bot).filters]
    return Filled(
        order.bot, funnel(judged, filters), drafts, waiting(house, order.bot), variety(texts), stuck
    )


def waiting(house: House, bot: str) -> int:
    """The drafts in the bot's queue that may still be posted."""
    return house.drafts.count("pending", bot) + house.drafts.count("approved", bot)


def stock(house: House, bot: str) -> int:
    """The drafts that posts will come from; what a policy leaves to a person may never be one of them."""
    for_people = house.bot(bot).review in FOR_PEOPLE
    return waiting(house, bot) if for_people else house.drafts.count("approved", bot)


@dataclass(frozen=True)
class Replayed:
    """A draft's raw text sampled again, where it was sampled now, and whether it had to be the same."""

    draft: Draft
    text: str
    build: str
    device: str

    @property
    def identical(self) -> bool:
        return self.text == self.draft.candidate.raw_text

    @property
    def promised(self) -> bool:
        then = self.draft.candidate
        return (self.build, self.device) == (then.build, then.device)


def replay(house: House, draft_id: int) -> Replayed:
    """Sample a draft again from its provenance: checkpoint, sampling, seed and index."""
    draft = house.drafts.get(draft_id)
    then = draft.candidate
    model, _, name = then.checkpoint.partition("/")
    [now] = house.sampler(model, name).sample(then.sampling, then.seed, [then.index])
    return Replayed(draft, now.raw_text, now.build, now.device)


def post_now(house: House, bot: str, tell: Tell) -> Draft | None:
    """Post the bot's oldest approved draft, without a slot, and nothing else; None if none is approved."""
    make_sure(house)
    draft = house.deliveries.schedule_now(bot)
    if draft is not None:
        with closing(open_sender(house)) as sender:
            open_courier(house, sender, tell).deliver_draft(draft.id)
        draft = house.drafts.get(draft.id)
    return draft


def held_back(house: House, bot: str) -> str:
    """Why what the bot has due is not posted now, "" if nothing keeps it back."""
    return "; ".join(hold.reason for hold in house.deliveries.holds(bot))


def run(house: House, tell: Tell, stop: threading.Event) -> None:
    """Keep the queues filled and post what is due, until `stop` is set; a post in flight is finished.

    While another process does so on the same database, it waits for that one's end. Raises Stalled where it
    can go on only in a new process.
    """
    for bot, setting in house.config.bots.items():
        look_up(setting.review, bot)  # what is misspelt shall not come out at the first fill
        if not setting.targets:
            tell(Failed(bot, "it has no target: nothing can be approved or posted"))
    pulse = PulseFile(house.config.run_folder, __version__, house.clock)
    failures: dict[str, str] = {}
    duty = Duty(house, tell)
    keep = Turns("duty", duty.look, LIMITS["duty"], failures=failures)
    fill = Turns("fill", lambda: duty.do(filling), LIMITS["fill"], failures=failures)
    post = Turns("post", lambda: duty.do(posting), LIMITS["post"], failures=failures)
    with pulse, open_host(house.config) as host, closing(open_sender(house)) as sender:
        told = tell_all(lambda event: post.alive(), pulse.told, tell)
        courier = open_courier(house, sender, told)
        posting = Posting(house, courier, told, stop)
        filling = Filling(house, host, tell_all(lambda event: fill.alive(), pulse.told, tell), stop)
        with Wakeup([keep, fill, post]) as wakeup:
            watch(stop, Watchdog([keep, fill, post], wakeup), pulse)
            host.kill()  # the batch in hand is not queued yet, and nobody waits for it any more
        courier.leave()
        duty.leave()


def watch(
    stop: threading.Event,
    watchdog: Watchdog,
    pulse: PulseFile,
    steady: Callable[[], float] = time.monotonic,
) -> None:
    """See to the jobs and show the pulse, until `stop` is set."""
    before = steady()
    notify("READY=1")
    while not stop.wait(LOOK):
        passed, before = steady() - before, steady()
        seconds = min(passed, 2 * LOOK)  # more: this process was stopped itself, and has missed nothing
        pulse.beat(watchdog.look(seconds), passed)
        notify("WATCHDOG=1")
    notify("STOPPING=1")


class Filling:
    """One turn: bots whose stock runs low get more, by their review policies and then from their models.

    All that need more ask together: the host samples for those of one model in one decode.
    """

    def __init__(self, house: House, host: Host, tell: Tell, stop: threading.Event):
        self._house, self._host, self._tell, self._stop = house, host, tell, stop
        self._resting: dict[str, datetime] = {}  # bot -> until when
        self._broken: Counter[str] = Counter()  # bot -> how often in a row its order broke the host
        self._before: dict[str, int] = {}  # bot -> its stock when its turn began
        self._outage: Unavailable | None = None

    def __call__(self) -> None:
        """Raises Unavailable where the database fails: that is no bot's fault, and all have to wait."""
        self._outage = None
        self._turn()
        if self._outage:
            raise self._outage

    def _turn(self) -> None:
        orders = [order for bot in self._awake() if (order := self._guarded(bot, self._wish, bot))]
        for group in in_groups(orders):
            if self._stop.is_set():
                return
            for order, answer in self._host.ask_all([informed(self._house, order) for order in group]):
                self._guarded(order.bot, self._take, order, answer)
                if self._stop.is_set():
                    return  # what is in hand is broken off, as it shall be

    def _awake(self) -> list[str]:
        return [bot for bot in self._house.config.bots if not self._is_resting(bot)]

    def _is_resting(self, bot: str) -> bool:
        """A rest that is longer than any was begun by a wrong clock."""
        now = self._house.clock()
        return now < self._resting.get(bot, now) <= now + REST * (1 << DOUBLINGS)

    def _wish(self, bot: str) -> Order | None:
        """What a bot still needs when its policy has approved what it wants; None if nothing."""
        enough = self._house.bot(bot).queue_size
        self._before[bot] = stock(self._house, bot)
        if self._before[bot] >= enough or (self._approve(bot) and stock(self._house, bot) >= enough):
            return None
        return make_order(self._house, bot)

    def _take(self, order: Order, answer: Answer) -> None:
        bot, filled = order.bot, enqueue(self._house, order, answer)
        self._tell(filled)
        self._approve(bot)
        del self._broken[bot]
        if failing := failing_filter(filled):
            self._tell(Failed(bot, failing))
            self._rest(bot, QUARANTINE)
        elif stock(self._house, bot) <= self._before[bot]:
            self._rest(bot)

    def _guarded(self, bot: str, act: Callable[..., Made], *given: Any) -> Made | None:
        """A bot's turn, or a part of it, that harms no other."""
        if self._stop.is_set() or self._outage:
            return None
        try:
            return act(*given)
        except Unavailable as error:
            self._outage = error
        except Exception as error:  # also what a plugin raised in the host
            if not self._stop.is_set():
                self._fail(bot, error)
        return None

    def _fail(self, bot: str, error: Exception) -> None:
        """One that broke the host rests twice as long every time: all others had to wait for it."""
        if not isinstance(error, BotError):
            log.error("bot %s was not filled", bot, exc_info=error)
        reason = Secret.redact(str(error)) or type(error).__name__
        self._tell(Failed(bot, reason, isinstance(error, ChildError)))
        self._rest(bot, times=2 ** min(self._broken[bot], DOUBLINGS))
        self._broken[bot] += isinstance(error, ChildError)

    def _rest(self, bot: str, times: int = 1) -> None:
        self._resting[bot] = self._house.clock() + REST * times

    def _approve(self, bot: str) -> bool:
        """Whether its policy has approved any."""
        policy = self._house.bot(bot).review
        if approved := run_policy(policy, bot, self._house.drafts, self._house.desk, self._house.liking):
            self._tell(Approved(bot, policy, approved))
        return bool(approved)


def failing_filter(filled: Filled) -> str:
    """Which filter fails instead of judging, "" if none does: where nothing is left after three failures."""
    failed = [drop for drop in filled.funnel.drops if drop.failed]
    if filled.drafts or sum(drop.failed for drop in failed) < ENOUGH:
        return ""
    worst = max(failed, key=lambda drop: drop.failed)
    reason = worst.examples[0][1]
    return f"the filter {worst.filter} fails, which counts as a veto, and is asked again in an hour: {reason}"


class Posting:
    """One turn: slots that have come are given a draft each, and what is due is delivered."""

    def __init__(self, house: House, courier: Courier, tell: Tell, stop: threading.Event):
        self._house, self._courier, self._tell, self._stop = house, courier, tell, stop
        self._brakes = Brakes(house, tell)
        self._sure = False  # that the database is sound, and the one that was left here
        self._since = house.clock()  # a bot that never had a slot has missed none before this
        self._looked = self._since
        self._next: dict[str, datetime] = {}  # bot -> when it has a slot again: until then nobody is asked

    def __call__(self) -> None:
        if not self._sure:
            make_sure(self._house)
            self._sure = True
        if not self._brakes.look():
            return
        for bot, setting in self._house.config.bots.items():
            if setting.schedule is None or self._stop.is_set() or self._brakes.stops(bot):
                continue
            if self._may_have_come(bot):
                self._take_slot(bot, setting.schedule)
        self._courier.deliver_due(self._stop.is_set)

    def _may_have_come(self, bot: str) -> bool:
        now, before = self._house.clock(), self._looked
        self._looked = now
        if now < before:  # what was foreseen by a clock that was wrong does not count
            self._next.clear()
        return self._next.get(bot, now) <= now

    def _take_slot(self, bot: str, schedule: Schedule) -> None:
        now, deliveries = self._house.clock(), self._house.deliveries
        self._since = min(self._since, now)  # the clock was wrong then
        slot = due_slot(bot, schedule, deliveries.last_slot(bot) or self._since, now)
        if slot is None:
            following = next(slots_after(bot, schedule, now), None)
            self._next[bot] = following.at if following else datetime.max.replace(tzinfo=UTC)
            return
        if free_from(schedule, deliveries.last_post(bot), now) > now:
            return
        self._recycle(bot, schedule, now)
        draft = deliveries.take_slot(slot, slot.at if now - slot.at < LATE else now)
        held = 0 if draft else self._house.drafts.count("approved", bot)
        self._tell(SlotTaken(slot, draft, held))

    def _recycle(self, bot: str, schedule: Schedule, now: datetime) -> None:
        if schedule.recycle is None or self._house.drafts.count("approved", bot):
            return
        desk = self._house.desk(ACTOR)
        if again := recycle(bot, now - schedule.recycle, self._house.drafts, desk):
            self._tell(Approved(bot, RECYCLE, [again]))


def open_sender(house: House) -> Sender:
    return Sender(Targets(house.config), fetch=house.media.attachments)


def make_sure(house: House) -> None:
    """What comes before any posting: the database is sound, and what an older copy has forgotten is known.

    Raises StoreError.
    """
    house.database.check()
    if told := house.lineage.examine():
        log.warning("%s", told)


@dataclass
class Targets:
    """A bot's target by label. Called in the sender's child, whose one house loads each plugin once."""

    config: Config

    def __call__(self, bot: str, label: str) -> Target:
        targets = self._house.targets(bot)
        if label not in targets:
            have = ", ".join(targets) or "none"
            msg = f"{self.config.file}: bots.{bot}.targets: there is no {label!r} any more (have {have})"
            raise BotError(msg)
        return targets[label]

    @cached_property
    def _house(self) -> House:
        return House(self.config)


def open_courier(house: House, sender: Sender, tell: Tell) -> Courier:
    def told(delivery: Delivery) -> None:
        others = house.deliveries.list(draft=delivery.draft)
        tell(Delivered(delivery, sum(other.state in UNDER_WAY for other in others)))

    return Courier(
        store=house.deliveries,
        sender=sender,
        gate=house.check_delivery,
        owner=identify(),
        clock=house.clock,
        told=told,
        pace=partial(pace, house),
        heard=partial(rest, house, Strikes(house.database.machine.uptime)),
    )


def rest(house: House, strikes: Strikes, delivery: Delivery, outcome: Outcome) -> None:
    """Let an account rest where what came of a call calls for it."""
    if found := strikes.hear(delivery, outcome):
        until = None if found.duration is None else house.clock() + found.duration
        house.switches.rest(found.account, "the program", found.reason, until)


def pace(house: House) -> Pace:
    """What the bots' schedules hold back at this moment."""
    now = house.clock()
    schedules = {bot: setting.schedule for bot, setting in house.config.bots.items() if setting.schedule}
    return Pace(
        resting=frozenset(bot for bot, schedule in schedules.items() if quiet_until(schedule, now)),
        distances={bot: schedule.distance for bot, schedule in schedules.items() if schedule.distance},
    )
