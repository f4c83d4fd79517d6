"""What keeps posts back at this moment, told when it begins: a clock that was set, stops, rests, limits."""

from collections.abc import Mapping
from datetime import timedelta

from bot.events import ClockSet, Halted, Held, Tell
from bot.house import House
from bot.posting.clock import ClockWatch
from bot.records import Halt, Hold
from bot.store.elapsed import last_reading

OFTEN = 10.0  # seconds between two looks at what limits hold back


class Brakes:
    """To be looked at before every turn."""

    def __init__(self, house: House, tell: Tell):
        self._house, self._tell = house, tell
        self._uptime = house.database.machine.uptime
        self._looked: float | None = None
        self._clock = ClockWatch(house.clock, self._uptime, last_reading(house.database))
        self._step = timedelta()
        self._halts: Mapping[tuple[str, str], Halt] = {}
        self._holds: set[tuple[str, str, str]] = set()

    def look(self) -> bool:
        """Whether anything may be posted at all."""
        if self._is_doubtful():
            return False
        self._look_at_halts()
        self._look_at_limits()
        return True

    def _is_doubtful(self) -> bool:
        before, self._step = self._step, self._clock.read()
        if bool(before) != bool(self._step):
            self._tell(ClockSet(before or self._step, believed=not self._step))
        return bool(self._step)

    def _look_at_halts(self) -> None:
        halts: dict[tuple[str, str], Halt] = {
            (halt.scope, halt.name): halt for halt in self._house.switches.in_force()
        }
        for key, halt in halts.items():
            if key not in self._halts:
                self._tell(Halted(halt))
        for key, halt in self._halts.items():
            if key not in halts:
                self._tell(Halted(halt, over=True))
        self._halts = halts

    def stops(self, bot: str) -> bool:
        """Whether nothing of the bot is posted, so that its slots pass as missed ones do."""
        return ("all", "") in self._halts or ("bot", bot) in self._halts

    def _look_at_limits(self) -> None:
        """Now and then: it asks for every account that has anything due."""
        if self._looked is not None and self._uptime() - self._looked < OFTEN:
            return
        self._looked = self._uptime()
        holds = [hold for hold in self._house.deliveries.holds() if not self._is_halted(hold)]
        for hold in holds:
            if _key(hold) not in self._holds:
                self._tell(Held(hold))
        self._holds = {_key(hold) for hold in holds}

    def _is_halted(self, hold: Hold) -> bool:
        return self.stops(hold.bot) or ("account", hold.account) in self._halts


def _key(hold: Hold) -> tuple[str, str, str]:
    return hold.bot, hold.account, hold.reason
