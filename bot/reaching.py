"""Whether the servers that targets speak to answer at all, asked now and then, before anything is due.

Nobody logs in and nothing is posted: any answer will do but that of a proxy whose server is away. It does not
know what a target posts there.
"""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from bot.events import Reach, Tell

PERIOD = 30.0  # seconds between two questions to a server
AGAIN = 5.0  # after the first that was not answered: one lost answer is no outage
TIMEOUT = 10.0
AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
LOOK = 0.05  # between two looks whether all have answered
OUTAGE = 2  # questions in a row without an answer

Ask = Callable[[str], str]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Whoever redirects is there."""


def ask(server: str) -> str:
    """Why a server does not answer, "" if it does. server: http:// or https://, with its name and port."""
    request = urllib.request.Request(server, method="HEAD", headers={"User-Agent": "wormhorn"})
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT):
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answers {error.code} {error.reason}" if error.code in AWAY else ""
    except Exception as error:  # also what a broken answer makes of the library
        reason = getattr(error, "reason", error)
        return f"it gives no answer: {reason or type(error).__name__}"


class Reaching:
    """One turn asks the servers whose time has come, all at once, and tells what has changed.

    servers: the labels of the targets that speak to each, asked for once. stop: once set, nothing is waited
    for. steady: seconds by a clock that nobody sets. patience: seconds that a turn waits for all answers.
    """

    def __init__(
        self,
        servers: Callable[[], Mapping[str, Sequence[str]]],
        tell: Tell,
        stop: threading.Event,
        ask: Ask = ask,
        steady: Callable[[], float] = time.monotonic,
        patience: float = TIMEOUT + 1,
    ):
        self._find, self._tell, self._stop, self._ask = servers, tell, stop, ask
        self._steady, self._patience = steady, patience
        self._servers: Mapping[str, Sequence[str]] | None = None
        self._next: dict[str, float] = {}
        self._silent: dict[str, int] = {}  # server -> questions in a row without an answer

    def __call__(self) -> None:
        if self._servers is None:
            self._servers = self._find()
        now = self._steady()
        asked = [server for server in self._servers if self._next.get(server, now) <= now]
        answers = self._answers(asked)
        for server, reason in () if self._stop.is_set() else answers.items():
            self._heard(server, reason, self._servers[server])

    def _answers(self, servers: Sequence[str]) -> dict[str, str]:
        """Each in a thread of its own, since to look up a name may hang beyond every time-out."""
        found = dict.fromkeys(servers, f"it gives no answer within {self._patience:g} s")
        threads = [
            threading.Thread(target=partial(self._put, found, server), daemon=True) for server in servers
        ]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + self._patience
        while any(map(threading.Thread.is_alive, threads)) and time.monotonic() < ends:
            if self._stop.wait(LOOK):
                break
        return dict(found)

    def _put(self, found: dict[str, str], server: str) -> None:
        found[server] = self._ask(server)

    def _heard(self, server: str, reason: str, targets: Sequence[str]) -> None:
        before = self._silent.get(server)
        self._silent[server] = (before or 0) + 1 if reason else 0
        self._next[server] = self._steady() + (AGAIN if self._silent[server] == 1 else PERIOD)
        if reason and self._silent[server] == OUTAGE:
            self._tell(Reach(server, tuple(targets), reason))
        elif not reason and (before is None or before >= OUTAGE):
            self._tell(Reach(server, tuple(targets)))
