"""What the pulse of `bot run` tells: whether it lives, how its jobs stand, which bots it cannot fill."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from bot.posting.owner import is_dead
from bot.posting.turns import Seen
from bot.pulse import CLOCK, Pulse, Server
from bot.records import Check

STALE = timedelta(seconds=30)  # a pulse beats every five
AGAIN = "start `bot run` again"


def process(
    pulse: Pulse | None, now: datetime, dead: Callable[[str], bool | None] = is_dead
) -> Iterator[Check]:
    """The process, then its jobs; of a process that does not live nothing else is known."""
    if pulse is None:
        yield Check("run", True, "not running: nothing is filled and no slot is served until `bot run` is")
    elif dead(pulse.owner):
        text = f"process {pulse.pid} ended without being stopped: {AGAIN}; `bot postmortem` gathers why"
        yield Check("run", False, text, pulse.at)
    elif now - pulse.at > STALE:
        text = f"process {pulse.pid} gives no sign of life, it is stopped or hangs: continue it (kill -CONT) "
        yield Check("run", False, f"{text}or {AGAIN}", pulse.at)
    else:
        yield Check(
            "run", True, f"process {pulse.pid}, version {pulse.version}, since {_day(pulse.started_at)}"
        )
        yield from _jobs(pulse)
        yield from map(_server, pulse.servers, pulse.servers.values())


def lives(pulse: Pulse | None, now: datetime) -> bool:
    return pulse is not None and next(process(pulse, now)).ok


def _jobs(pulse: Pulse) -> Iterator[Check]:
    for name, job in pulse.jobs.items():
        yield _job(f"run: {name}", job, pulse.at)
    broken = [(bot, trouble) for bot, trouble in pulse.troubles.items() if trouble.host]
    text = f"it died or hung: {broken[0][1].reason}" if broken else "it answers, or was not needed"
    since = min((trouble.since for _, trouble in broken), default=None)
    yield Check("run: model host", not broken, text, since)
    clock = pulse.troubles.get(CLOCK)
    yield Check(
        "clock", clock is None, clock.reason if clock else "it is believed", clock.since if clock else None
    )
    for bot, trouble in pulse.troubles.items():
        if bot == CLOCK:
            continue
        yield Check(f"fill {bot}", False, f"{trouble.reason} (tried again by itself)", trouble.since)


def _job(name: str, job: Seen, at: datetime) -> Check:
    if job.silent:
        what = "its turn hangs" if job.running else "it is not woken any more"
        text = f"{what}; where that does not end by itself, {AGAIN}"
        return Check(name, False, text, at - timedelta(seconds=job.quiet))
    if job.failure:
        text = f"{job.failure} (tried again every second)"
        return Check(name, False, text, at - timedelta(seconds=job.failing))
    return Check(name, True, f"{job.turns} turns, the last one took {job.lasted:.1f} s")


def _server(name: str, server: Server) -> Check:
    who = ", ".join(server.targets)
    if not server.reason:
        return Check(f"server {name}", True, f"it answers, for {who}")
    return Check(
        f"server {name}", False, f"{server.reason}; until it does, no post reaches {who}", server.since
    )


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
