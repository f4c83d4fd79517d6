"""Who is logged in: sessions, the link that opens the first one, and how often somebody may try.

All of it is gone when the process ends; only hashes of what lets somebody in are kept, also in memory.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address, ip_network
from threading import Lock

IDLE = timedelta(days=7)
LONGEST = timedelta(days=30)
MOST = 200  # sessions; the one not used for longest makes room
LINK_HOLDS = timedelta(days=1)
TRIES = 5  # a minute, of one address
TRIES_IN_ALL = 20
MINUTE = timedelta(minutes=1)

Clock = Callable[[], datetime]


@dataclass
class Session:
    """csrf: what every form of it must bring along. notice: what is said on the next page."""

    name: str
    csrf: str
    since: datetime
    seen: datetime
    notice: str = ""


class Sessions:
    """By the secret that the browser's cookie holds."""

    def __init__(self, clock: Clock):
        self._clock, self._lock = clock, Lock()
        self._open: dict[str, Session] = {}

    def open(self, name: str) -> tuple[str, Session]:
        """A new one and its secret."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        session = Session(name, secrets.token_urlsafe(32), now, now)
        with self._lock:
            self._make_room()
            self._open[_hash(secret)] = session
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session, which is used thereby; None if there is none or it is over."""
        now = self._clock()
        with self._lock:
            session = self._open.get(_hash(secret))
            if session is None or now - session.seen > IDLE or now - session.since > LONGEST:
                self._open.pop(_hash(secret), None)
                return None
            session.seen = now
        return session

    def close(self, secret: str) -> None:
        with self._lock:
            self._open.pop(_hash(secret), None)

    def _make_room(self) -> None:
        while len(self._open) >= MOST:
            del self._open[min(self._open, key=lambda key: self._open[key].seen)]


class Link:
    """A secret that lets somebody in once, as it is printed where the program runs."""

    def __init__(self, clock: Clock):
        self._clock, self._lock = clock, Lock()
        self.secret = secrets.token_urlsafe(24)
        self._hash, self._until = _hash(self.secret), clock() + LINK_HOLDS

    def use(self, secret: str) -> bool:
        """Whether it was the one, and not used before."""
        with self._lock:
            fits = secrets.compare_digest(_hash(secret), self._hash) and self._clock() < self._until
            if fits:
                self._hash = ""
        return fits


class Tries:
    """How often somebody may try to log in: by address, and in all, for each try takes work to check."""

    def __init__(self, clock: Clock):
        self._clock, self._lock = clock, Lock()
        self._made: list[tuple[datetime, str]] = []

    def may_try(self, address: str) -> bool:
        """Counts the try too."""
        now, who = self._clock(), _neighbourhood(address)
        with self._lock:
            self._made = [(at, other) for at, other in self._made if now - at < MINUTE]
            mine = sum(other == who for _, other in self._made)
            if mine >= TRIES or len(self._made) >= TRIES_IN_ALL:
                return False
            self._made.append((now, who))
        return True


def _neighbourhood(address: str) -> str:
    """Of an IPv6 address the part that one subscriber cannot change at will."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
