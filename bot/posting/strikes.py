"""When an account must rest: denied three times in a row, or its target failed three times in ten minutes.

Pure: it is told what came of each call, and says what follows. A target fails that raises, hangs, ends its
process or answers what proves nothing; one that says NotSent or Refused does its work.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from bot.posting.outcomes import NotSent, Outcome, Refused, Sent, Unknown
from bot.records import Delivery

ENOUGH = 3
WITHIN = 600.0  # seconds
REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rest:
    """Why an account rests, and for how long; None: until a person has mended what is wrong."""

    account: str
    reason: str
    duration: timedelta | None


@dataclass
class Strikes:
    """What was heard of each account. steady: seconds by a clock that nobody sets."""

    steady: Callable[[], float]
    _denied: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _failed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, delivery: Delivery, outcome: Outcome) -> Rest | None:
        """What follows from an outcome; None if nothing does. Of a claimed delivery it is the check's."""
        account = delivery.account
        match outcome:
            case Sent():
                self._denied.pop(account, None)
            case Refused(reason, denied=True):
                self._denied[account] += 1
                if self._denied[account] >= ENOUGH:
                    del self._denied[account]
                    return Rest(account, f"denied {ENOUGH} times, the last: {reason}", None)
            case Unknown(reason):
                return self._fail(account, reason)
            case NotSent(reason) if delivery.state == "claimed":
                return self._fail(account, reason)
        return None

    def _fail(self, account: str, reason: str) -> Rest | None:
        now = self.steady()
        lately = [at for at in self._failed[account] if now - at < WITHIN]
        self._failed[account] = [*lately, now]
        if len(self._failed[account]) < ENOUGH:
            return None
        del self._failed[account]
        return Rest(account, f"its target failed {ENOUGH} times in ten minutes, the last: {reason}", REST)
