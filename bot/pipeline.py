"""The flow on one page: train, sample, fill, review, post, run. Read this first.

    train    corpus -> ids -> a trained model -> checkpoints/
    fill     checkpoints/ -> samples -> filters and the gate -> drafts in the queue
    review   drafts -> decisions, by a person or a named policy; an approval plans the deliveries
    post     approved drafts -> targets, each once
    run      keeps the queues filled and posts what is due, for years

Names from config.yaml become objects in `house`; every other room is handed what it needs.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot import __version__
from bot.delivering import Posting, make_sure, open_courier, open_sender
from bot.duty import Duty
from bot.events import Failed, Filled, Tell
from bot.filling import Filling, enqueue
from bot.host import Host, in_band, informed, make_order, open_host
from bot.house import House
from bot.model import checkpoint
from bot.posting.schedule import Wakeup
from bot.posting.turns import Turns
from bot.posting.watchdog import Watchdog
from bot.pulse import PulseFile, tell_all
from bot.reaching import Reaching
from bot.records import Candidate, Draft, Progress, Sampling
from bot.review.policies import look_up
from bot.systemd import notify

if TYPE_CHECKING:
    from bot.trainer import Trained


LOOK = 1.0  # seconds between two looks at the jobs
LIMITS = {
    "fill": 1800.0,
    "post": 120.0,
    "duty": 60.0,
    "reach": 60.0,
}  # seconds that a turn may show no sign of life; a call takes 30 at most


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
    reach = Turns("reach", lambda: duty.do(reaching), LIMITS["reach"], failures=failures)
    with pulse, open_host(house.config) as host, closing(open_sender(house)) as sender:
        told = tell_all(lambda event: post.alive(), pulse.told, tell)
        courier = open_courier(house, sender, told)
        posting = Posting(house, courier, told, stop)
        filling = Filling(house, host, tell_all(lambda event: fill.alive(), pulse.told, tell), stop)
        reaching = Reaching(house.servers, tell_all(pulse.told, tell), stop)
        jobs = [keep, fill, post, reach]
        with Wakeup(jobs) as wakeup:
            watch(stop, Watchdog(jobs, wakeup), pulse)
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
