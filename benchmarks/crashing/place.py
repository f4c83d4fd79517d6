"""A place to post at, over a socket on this machine, and the target that posts there.

It is one of the four kinds by what it makes of a key; it serves in threads of the process that judges, which
nobody kills. It knows no courier and no store.
"""

import json
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.crashing.dying import die
from bot import BotError, NotSent, Post, Receipt, Refused
from bot.records import Kind

UNSTORED = ("lost", "error before")
UNSURE = (*UNSTORED, "error after", "reset after", "no answer", "slow")
SURE = ("busy", "closed")


@dataclass(frozen=True)
class Stored:
    """A post as its readers see it."""

    kind: str
    key: str
    text: str
    id: str


@dataclass
class Place:
    """fault: what becomes of a request for a text, "" if nothing. patience: seconds of "slow"."""

    fault: Callable[[str], str] = lambda text: ""
    knows_key: Callable[[str], bool] = lambda text: True  # of the kind `key`: it may have forgotten it
    patience: float = 0.3
    posts: list[Stored] = field(default_factory=list)
    port: int = 0
    _busy: int = 0
    _change: threading.Condition = field(default_factory=threading.Condition)

    def times(self) -> Counter[tuple[str, str]]:
        """How often each text stands at each kind of place."""
        return Counter((post.kind, post.text) for post in self.posts)

    def settle(self) -> None:
        """Wait until every request that was sent has been dealt with, also of senders that are dead."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b'{"verb": "settle"}\n')
            connection.recv(1)

    def connected(self, by: int) -> None:
        with self._change:
            self._busy += by
            self._change.notify_all()

    def answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """What is answered; None: the connection is reset."""
        match asked["verb"]:
            case "settle":
                with self._change:
                    self._change.wait_for(lambda: self._busy == 1)
                return {}
            case "find":
                return self._find(asked)
            case _:
                return self._post(asked)

    def _find(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if self.fault("") in UNSURE:
            return None
        found = (it for it in self.posts if (it.kind, it.key) == (asked["kind"], asked["key"]))
        return {"id": getattr(next(found, None), "id", "")}

    def _post(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        mode = self.fault(asked["text"])
        if mode in SURE:
            return {"no": mode}
        if mode in ("slow", "no answer"):
            time.sleep(self.patience)
        if mode not in UNSTORED:
            stored = self._store(asked)
        if mode in ("error before", "error after"):
            return {"error": 500}
        return None if mode in ("lost", "reset after", "no answer") else {"id": stored.id}

    def _store(self, asked: dict[str, Any]) -> Stored:
        with self._change:
            kind, key = asked["kind"], asked["key"]
            known = (it for it in self.posts if (it.kind, it.key) == (kind, key))
            same = kind == "put" or (kind == "key" and self.knows_key(asked["text"]))
            if same and (post := next(known, None)) is not None:
                return post
            self.posts.append(Stored(kind, key, asked["text"], f"{kind}-{len(self.posts)}"))
            return self.posts[-1]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads, request_queue_size, allow_reuse_address = True, 64, True
    place: Place

    def process_request(self, request: Any, client_address: Any) -> None:
        self.place.connected(+1)  # in the order of arrival, before any thread runs
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.place.connected(-1)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed hears nothing."""


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline()
        if line.endswith(b"\n"):  # half a request is none
            answer = self.server.place.answer(json.loads(line))
            if answer is not None:
                self.wfile.write(json.dumps(answer).encode() + b"\n")


@contextmanager
def serve(place: Place) -> Iterator[Place]:
    """The place, open for as long as the block."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.place, place.port = place, server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield place
        server.shutdown()


@dataclass(frozen=True)
class Client:
    """A target for a place: between its bytes it may die. patience: seconds without an answer, None: all."""

    kind: Kind
    account: str
    port: int
    patience: float | None = None
    max_length = None

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        asked = {"verb": "post", "kind": self.kind, "key": post.key, "text": post.text}
        answer = self._ask(asked, "request", post.text)
        if reason := answer.get("no"):
            raise Refused(reason) if reason == "closed" else NotSent(reason, 5.0)
        return Receipt(answer["id"])

    def find(self, post: Post) -> Receipt | None:
        if self.kind == "opaque":
            raise BotError("an opaque target was asked")
        answer = self._ask({"verb": "find", "kind": self.kind, "key": post.key}, "question", post.text)
        return Receipt(answer["id"], evidence="found") if answer["id"] else None

    def _ask(self, asked: dict[str, Any], name: str, text: str) -> dict[str, Any]:
        line = json.dumps(asked).encode() + b"\n"
        die(f"before the {name}", text)
        with (
            socket.create_connection(("127.0.0.1", self.port), self.patience) as connection,
            connection.makefile("rb") as file,
        ):
            connection.sendall(line[:20])
            die(f"half of the {name}", text)
            connection.sendall(line[20:])
            die(f"{name} sent", text)
            first = file.read(3)
            die(f"half of the answer to the {name}", text)
            answer: dict[str, Any] = json.loads(first + file.readline())
        die(f"answer to the {name} read", text)
        return answer
