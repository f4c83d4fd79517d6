"""Every target that posts over a network, aimed at a server of its kind with a proxy before it."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from bot import Secret
from tests.plugins.targets import bluesky_server, x_server
from tests.plugins.targets.faults import Proxy
from tests.plugins.targets.posts import target
from tests.plugins.targets.servers import Handler, serving


@dataclass
class Place:
    """target: aimed at `proxy` by `aim`. texts: what the server has. seconds: of all calls of one post.

    hurry: let it wait for an answer no longer than this. shown: the pictures of the newest post and their
    descriptions. uploading: the request that brings one; a place without takes them with the post.
    """

    target: Any
    proxy: Any
    aim: Callable[[int], None]
    texts: Callable[[], list[str]]
    seconds: Callable[[], float]
    hurry: Callable[[float, Any], None]
    shown: Callable[[], list[tuple[bytes, str]]] = list
    uploading: str = ""


class Hook(Handler):
    """A webhook that keeps texts and answers with an id."""

    def do_POST(self) -> None:
        given = json.loads(self.body())
        text = given.get("text") or given.get("content") or given.get("message")
        self.server.texts.append(text)
        self.reply(200, {"id": str(len(self.server.texts))})


def of(target: Any) -> Any:
    """The module of a target's plugin."""
    return sys.modules[type(target).__module__]


@contextmanager
def proxied(backend: str, posting: str) -> Iterator[Any]:
    with serving(
        Proxy, backend=backend, posting=posting, fault=None, stalled=Event(), released=Event()
    ) as proxy:
        try:
            yield proxy
        finally:
            proxy.released.set()


@contextmanager
def x(folder: Path, _: Callable[[], str]) -> Iterator[Place]:
    keys = {name: {"env": f"X_{name.upper()}"} for name in x_server.KEYS}
    with environment({f"X_{name.upper()}": value for name, value in x_server.KEYS.items()}):
        made = target("x", folder, dry_run=False, **keys)
    with (
        made.client.session,
        serving(x_server.X, **x_server.state()) as server,
        proxied(url(server.server_port), "POST /2/tweets") as proxy,
    ):
        timeout = made.client.session.request.keywords
        yield Place(
            made,
            proxy,
            lambda port: made.client.session.mount("https://api.twitter.com/", x_server.Detour(port)),
            lambda: [tweet["text"] for tweet in server.tweets],
            lambda: sum(timeout["timeout"]) + of(made).UPLOADS,
            lambda seconds, patch: patch.setitem(timeout, "timeout", (5, seconds)),
            lambda: [
                (server.media[id]["content"], server.media[id]["alt_text"])
                for id in server.requests[-1]["media"]["media_ids"]
            ],
            "POST /2/media/",
        )


@contextmanager
def mastodon(folder: Path, mock: Callable[[], str]) -> Iterator[Place]:
    options = {"account": "testuser@example.social", "access_token": {"env": "TOKEN"}}
    with environment({"TOKEN": "mock_token"}):
        made = target("mastodon", folder, **options)
    with made.client.session, proxied(mock(), "POST /api/v1/statuses") as proxy:

        def texts() -> list[str]:
            statuses = made.client.account_statuses(made._me["id"], limit=40)
            return [status["content"].removeprefix("<p>").removesuffix("</p>") for status in statuses]

        yield Place(
            made,
            proxy,
            lambda port: setattr(made.client, "api_base_url", url(port)),
            texts,
            lambda: 2 * sum(made.client.request_timeout) + of(made).UPLOADS,  # who it is, and the post
            lambda seconds, patch: patch.setattr(made.client, "request_timeout", (5, seconds)),
            lambda: [
                (requests.get(one["url"], timeout=10).content, one["description"])
                for one in made.client.account_statuses(made._me["id"], limit=1)[0]["media_attachments"]
            ],
            "POST /api/v[12]/media",
        )


@contextmanager
def bluesky(folder: Path, _: Callable[[], str]) -> Iterator[Place]:
    with environment({"PASSWORD": bluesky_server.PASSWORD}):
        options = {"handle": bluesky_server.HANDLE, "app_password": {"env": "PASSWORD"}}
        made = target("bluesky", folder, **options)
    with (
        serving(bluesky_server.Bluesky, **bluesky_server.state()) as server,
        proxied(url(server.server_port), "POST /xrpc/com.atproto.repo.putRecord") as proxy,
    ):
        import httpx

        made.server = url(proxy.server_port)
        http = made.client.request._client
        yield Place(
            made,
            proxy,
            lambda port: made.client.update_base_url(url(port)),
            lambda: [record["text"] for record in server.records.values()],
            # a login or its renewal, and the post
            lambda: 2 * sum(http.timeout.as_dict().values()) + of(made).UPLOADS,
            lambda seconds, patch: patch.setattr(http, "timeout", httpx.Timeout(5, read=seconds)),
            lambda: [
                (server.blobs[image["image"]["ref"]["$link"]][1], image["alt"])
                for image in list(server.records.values())[-1]["embed"]["images"]
            ],
            "POST /xrpc/com.atproto.repo.uploadBlob",
        )
        made.client.request.close()


@contextmanager
def webhook(folder: Path, _: Callable[[], str], form: str = "json") -> Iterator[Place]:
    with environment({"HOOK": "http://127.0.0.1/hook"}):
        made = target("webhook", folder, secret_url={"env": "HOOK"}, form=form)
    with serving(Hook, texts=[]) as server, proxied(url(server.server_port), "POST /hook") as proxy:
        yield Place(
            made,
            proxy,
            lambda port: setattr(made, "_url", Secret(f"{url(port)}/hook")),
            lambda: server.texts,
            lambda: sum(of(made).TIMEOUT),
            lambda seconds, patch: patch.setattr(of(made), "TIMEOUT", (5, seconds)),
        )


@contextmanager
def discord(folder: Path, mock: Callable[[], str]) -> Iterator[Place]:
    with webhook(folder, mock, "discord") as place:
        yield place


@contextmanager
def notify(folder: Path, _: Callable[[], str]) -> Iterator[Place]:
    with environment({"SERVICE": "json://127.0.0.1/hook"}):
        made = target("notify", folder, secret_url={"env": "SERVICE"})
    with serving(Hook, texts=[]) as server, proxied(url(server.server_port), "POST /hook") as proxy:
        yield Place(
            made,
            proxy,
            lambda port: setattr(made.service, "port", port),
            lambda: server.texts,
            lambda: sum(made.service.request_timeout),
            lambda seconds, patch: patch.setattr(made.service, "socket_read_timeout", seconds),
        )


PLACES = {place.__name__: place for place in (x, mastodon, bluesky, webhook, discord, notify)}


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@contextmanager
def opened(name: str, folder: Path, mock: Callable[[], str]) -> Iterator[Place]:
    """A place whose target is aimed at its proxy."""
    with PLACES[name](folder, mock) as place:
        place.aim(place.proxy.server_port)
        yield place
