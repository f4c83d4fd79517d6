"""The pulse of `bot run`: a small file that tells every other process how its jobs stand.

A file and not a table: it must tell the truth when the database is gone. It is written every few seconds; an
old one, or one whose process has ended, is the sign of a death. A process that ends in peace takes it away.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.errors import BotError
from bot.events import ClockSet, Event, Failed, Filled, Reach, Tell
from bot.posting.owner import identify
from bot.posting.turns import Seen
from bot.records import Secret

log = logging.getLogger(__name__)

PERIOD = 5.0  # seconds between two writings
NAME = "pulse.json"
CLOCK = "*clock"  # no bot is called so


@dataclass(frozen=True)
class Trouble:
    """Why a bot's last filling failed; host: whether the model host died or hung over it.

    Under the name CLOCK, why no clock is believed.
    """

    reason: str
    since: datetime
    host: bool


@dataclass(frozen=True)
class Server:
    """How a server answers. reason: why it does not, since when; "" if it does."""

    targets: Sequence[str]
    reason: str
    since: datetime


@dataclass(frozen=True)
class Pulse:
    """How a `bot run` stood at a moment."""

    owner: str  # as posting.owner names a process
    pid: int
    version: str
    started_at: datetime
    at: datetime
    jobs: Mapping[str, Seen] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)  # by bot
    servers: Mapping[str, Server] = field(default_factory=dict)  # that targets speak to


class PulseFile:
    """Writes the pulse of this process to a folder; `with` it, the file goes when a run ends in peace."""

    def __init__(self, folder: Path, version: str, clock: Callable[[], datetime]):
        self.path, self._clock, self._version = folder / NAME, clock, version
        self._owner, self._started_at = identify(), clock()
        self._troubles: dict[str, Trouble] = {}
        self._servers: dict[str, Server] = {}
        self._waited = PERIOD
        self._failure = ""

    def told(self, event: Event) -> None:
        """Note which bots cannot be filled and which servers do not answer, and which can and do again."""
        match event:
            case Failed(bot, reason, host):
                since = self._troubles[bot].since if bot in self._troubles else self._clock()
                self._troubles[bot] = Trouble(Secret.redact(reason), since, host)
            case ClockSet(step, believed) if not believed:
                reason = f"the clock was set by {step}: nothing is posted until it is believed or set back"
                self._troubles[CLOCK] = Trouble(reason, self._clock(), host=False)
            case ClockSet():
                self._troubles.pop(CLOCK, None)
            case Reach(server, targets, reason):
                self._servers[server] = Server(targets, Secret.redact(reason), self._clock())
            case Filled():
                self._troubles.pop(event.bot, None)

    def beat(self, jobs: Mapping[str, Seen], seconds: float) -> None:
        """Write it if it is time, `seconds` after the last call. A disk that is full is told once."""
        self._waited += seconds
        if self._waited < PERIOD:
            return
        self._waited = 0.0
        try:
            self._write(jobs)
            self._failure = ""
        except OSError as error:
            if str(error) != self._failure:
                log.error("the pulse cannot be written: %s", error)
            self._failure = str(error)

    def _write(self, jobs: Mapping[str, Seen]) -> None:
        pulse = Pulse(
            self._owner,
            os.getpid(),
            self._version,
            self._started_at,
            self._clock(),
            {name: _redacted(seen) for name, seen in jobs.items()},
            dict(self._troubles),
            dict(self._servers),
        )
        self.path.parent.mkdir(exist_ok=True)
        beside = self.path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(asdict(pulse), default=datetime.isoformat), "utf-8")
        beside.replace(self.path)

    def __enter__(self) -> Self:
        self.beat({}, PERIOD)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.path.unlink(missing_ok=True)


def tell_all(*listeners: Tell) -> Tell:
    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def read_pulse(folder: Path) -> Pulse | None:
    """The newest pulse; None where nothing runs. Raises BotError where the file cannot be read."""
    path = folder / NAME
    try:
        return _pulse(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        msg = f"{path}: no pulse of this version can be read from it ({type(error).__name__}): "
        msg += "start `bot run` again, or remove it"
        raise BotError(msg) from error


def _pulse(found: dict[str, Any]) -> Pulse:
    times = {name: datetime.fromisoformat(found[name]) for name in ("started_at", "at")}
    jobs = {name: Seen(**seen) for name, seen in found["jobs"].items()}
    troubles = {
        bot: Trouble(**trouble | {"since": datetime.fromisoformat(trouble["since"])})
        for bot, trouble in found["troubles"].items()
    }
    servers = {
        name: Server(**server | {"since": datetime.fromisoformat(server["since"])})
        for name, server in found["servers"].items()
    }
    return Pulse(**found | times | {"jobs": jobs, "troubles": troubles, "servers": servers})


def _redacted(seen: Seen) -> Seen:
    return Seen(**asdict(seen) | {"failure": Secret.redact(seen.failure)})
