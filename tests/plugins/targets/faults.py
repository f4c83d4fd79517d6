"""What can go wrong on the way to a place and back: a proxy before its server, with one fault at a time."""

import re
import socket
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.plugins.targets.servers import Handler

NOPE = b'{"error": "Nope", "message": "It may not be", "detail": "It may not be"}'
HOUR = 3600  # seconds
HOP = {"connection", "content-length", "transfer-encoding"}  # headers that are the proxy's own


@dataclass(frozen=True)
class Fault:
    """stored: whether the place has the post. status: 0 for its own answer. end: how the answer ends."""

    stored: bool = False
    status: int = 0
    body: bytes = NOPE
    headers: dict[str, str] = field(default_factory=dict)
    end: Literal["", "reset", "half", "stall"] = ""


def limits() -> dict[str, str]:
    """In an hour, in the headers of every place."""
    then = datetime.now(UTC) + timedelta(seconds=HOUR)
    return {
        "X-RateLimit-Reset": then.isoformat(),
        "x-rate-limit-reset": str(int(then.timestamp())),
        "ratelimit-reset": str(int(then.timestamp())),
        "Retry-After": str(HOUR),
    }


FAULTS = {
    "reset before it is stored": Fault(end="reset"),
    "reset after it is stored": Fault(stored=True, end="reset"),
    "an answer that stalls": Fault(stored=True, end="stall"),
    "an answer cut short": Fault(stored=True, end="half"),
    "an answer that is garbage": Fault(stored=True, status=200, body=b"\x00\xff<html>"),
    "an answer of other JSON": Fault(stored=True, status=200, body=b'{"unexpected": []}'),
    "an answer of nothing": Fault(stored=True, status=200, body=b""),
    "429 that says until when": Fault(status=429, headers=limits()),
    "429": Fault(status=429),
    "400": Fault(status=400),
    "401": Fault(status=401),
    "403": Fault(status=403),
    "403 for a duplicate": Fault(status=403, body=b'{"detail": "duplicate content", "error": "duplicate"}'),
    "404": Fault(status=404),
    "408": Fault(status=408),
    "422": Fault(status=422),
    "500": Fault(status=500),
    "503 after it is stored": Fault(stored=True, status=503),
    "a redirect": Fault(status=302, headers={"Location": "/elsewhere"}),
}


class Proxy(Handler):
    """Hands everything on to `server.backend`, but has `server.fault` where a request is `server.posting`."""

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        body, fault = self.body(), self.server.fault
        if fault is None or not re.match(self.server.posting, f"{self.command} {self.path}"):
            self.answer(*self.ask(body))
            return
        answer = self.ask(body) if fault.stored else (0, {}, b"")
        if fault.status:
            answer = fault.status, {"content-type": "application/json"} | fault.headers, fault.body
        self.answer(*answer, end=fault.end)

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        backend = HTTPConnection(urlsplit(self.server.backend).netloc, timeout=20)
        backend.request(self.command, self.path, body, headers | {"Connection": "close"})
        answer = backend.getresponse()
        content = answer.read()
        backend.close()
        return answer.status, {n: v for n, v in answer.getheaders() if n.lower() not in HOP}, content

    def answer(self, status: int, headers: dict[str, Any], content: bytes, end: str = "") -> None:
        self.close_connection = True
        if end == "reset":
            self.reset()
            return
        self.send_response(status)
        for name, value in (headers | {"Content-Length": len(content), "Connection": "close"}).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if end else content)
        if end == "stall":
            self.server.stalled.set()
            self.server.released.wait(20)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
