"""Of several `bot run` on one database one fills and posts; the others wait until it has ended.

Deliveries are safe whoever makes them, and a slot is used once; but two that fill would fill a queue twice.
"""

from collections.abc import Callable

from bot.events import Tell, Waiting
from bot.house import House
from bot.posting.owner import identify, is_dead
from bot.store.leases import Held, Leases

NAME = "bot run"
LEASE, RENEWAL = 90.0, 30.0  # seconds


class Duty:
    """dead: whether a process has surely ended."""

    def __init__(self, house: House, tell: Tell, dead: Callable[[str], bool | None] = is_dead):
        self._leases, self._tell, self._dead = Leases(house.database), tell, dead
        self._uptime, self._owner = house.database.machine.uptime, identify()
        self._renewed: float | None = None  # None while it is another's
        self._other: Held | None = None
        self._seen = 0.0  # when the other's last renewal was seen first

    def look(self) -> None:
        """Renew it when it is time, or try to take it."""
        if self._renewed is not None and self._uptime() - self._renewed < RENEWAL:
            return
        before = self._uptime()
        other = self._leases.take(NAME, self._owner, LEASE, self._is_over)
        if other and (self._other is None or other.owner != self._other.owner):
            self._tell(Waiting(_named(other.owner)))
        if other != self._other:
            self._seen = before
        self._renewed, self._other = None if other else before, other

    def _is_over(self, held: Held) -> bool:
        """Whether another has surely ended, or has not renewed its lease for so long."""
        unseen = held == self._other and self._uptime() - self._seen >= LEASE
        return unseen or self._dead(held.owner) is True

    def mine(self) -> bool:
        """Whether this process fills and posts; one that was stopped past its lease does not."""
        return self._renewed is not None and self._uptime() - self._renewed < LEASE

    def do(self, job: Callable[[], None]) -> None:
        """A turn of a job, if it is for this process."""
        if self.mine():
            job()

    def leave(self) -> None:
        if self._renewed is not None:
            self._leases.give_up(NAME, self._owner)


def _named(owner: str) -> str:
    host, _, pid, *_ = owner.split("/")
    return f"process {pid} on {host.split('-')[0]}"
