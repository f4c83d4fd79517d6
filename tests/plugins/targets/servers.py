"""Servers on this machine for the tests of targets: one in a thread, and mastodon-mock in a process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests


class Handler(BaseHTTPRequestHandler):
    """Keeps no connection open and writes nothing to the terminal."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def reply(self, status: int, body: Any = b"", **headers: object) -> None:
        """Answer with bytes, or with anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        given = {"content-type": "application/json", "content-length": len(content), "connection": "close"}
        for name, value in (given | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(handler: type[Handler], **state: Any) -> Iterator[Any]:
    """A server in a thread; `state` becomes its attributes."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    vars(server).update(state)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def mastodon_mock() -> Iterator[str]:
    """The package mastodon-mock in a process of its own: the account testuser, whose token is mock_token."""
    command = [sys.executable, "-c", MASTODON]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


MASTODON = """
import sys
from mastodon_mock.config import SeedAccount, SeedConfig
from mastodon_mock.testing.server import MockServer

account = SeedAccount(username="testuser", access_token="mock_token")
with MockServer(seed=SeedConfig(accounts=[account]), startup_timeout=60) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


def reset(mastodon: str) -> None:
    requests.post(f"{mastodon}/api/v1/_mock/reset", timeout=10).raise_for_status()
