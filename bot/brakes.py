"""What keeps posts back at this moment: stops, rests and limits, told when they begin and when stops end."""

from collections.abc import Mapping

from bot.events import Halted, Held, Tell
from bot.house import House
from bot.records import Halt, Hold


class Brakes:
    def __init__(self, house: House, tell: Tell):
        self._house, self._tell = house, tell
        self._halts: Mapping[tuple[str, str], Halt] = {}
        self._holds: set[tuple[str, str, str]] = set()

    def look(self) -> None:
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
        self._look_at_limits()

    def stops(self, bot: str) -> bool:
        """Whether nothing of the bot is posted, so that its slots pass as missed ones do."""
        return ("all", "") in self._halts or ("bot", bot) in self._halts

    def _look_at_limits(self) -> None:
        holds = [hold for hold in self._house.deliveries.holds() if not self._is_halted(hold)]
        for hold in holds:
            if _key(hold) not in self._holds:
                self._tell(Held(hold))
        self._holds = {_key(hold) for hold in holds}

    def _is_halted(self, hold: Hold) -> bool:
        return self.stops(hold.bot) or ("account", hold.account) in self._halts


def _key(hold: Hold) -> tuple[str, str, str]:
    return hold.bot, hold.account, hold.reason
