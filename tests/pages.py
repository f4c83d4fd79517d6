"""The page over a queue for tests: what it is handed, a client that is logged in, a client that is not."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from bot.curation.gate import COPY, SAFETY
from bot.errors import BotError, ConfigError, NotFound
from bot.records import Draft, Judged, Outlet, Suggestion, Verdict
from bot.review.decisions import Desk
from bot.review.outgoing import Outgoing
from bot.review.shortlist import Shortlist
from bot.store.switches import Switches
from bot.web.address import Address
from bot.web.app import make_app
from bot.web.door import Doors
from bot.web.office import Office, Outlook, Preview
from bot.web.passwords import Passwords
from tests.queues import Queue, judged, outlet

HERE = "http://127.0.0.1:8788"
ADDRESS = Address()
FORM = re.compile(r'name="(form|csrf)" value="([^"]+)"')


def gate(bot: str, text: str, draft: int) -> tuple[Verdict, ...]:
    """No mentions; nothing called Copied, unless a person insists."""
    if "@" in text:
        return (Verdict(SAFETY, "reject", "It would notify somebody."),)
    return (Verdict(COPY, "reject", "It repeats a post."),) if text == "Copied" else ()


def outlets(bot: str, text: str) -> tuple[Outlet, ...]:
    if bot == "gone":
        raise ConfigError("config.yaml: there is no bot 'gone' (have metal)")
    return (outlet(text),)


def previews(draft: Draft) -> Sequence[Preview]:
    return [Preview(one, len(one.text), 40) for one in outlets(draft.bot, draft.text)]


def no_schedule(bot: str, days: int) -> Outlook:
    msg = f"config.yaml: bots.{bot} has no schedule: it posts by `bot post {bot}` only"
    raise BotError(msg)


def nothing_kept(sha256: str) -> bytes:
    msg = f"no attachment has the sha256 {sha256}"
    raise NotFound(msg)


class Growing:
    """A model that knows one way to go on."""

    def continuations(self, draft: Draft, prefix: str) -> Sequence[Judged]:
        return [judged(f"{prefix}horn", Verdict("length", "accept"))]

    def suggestions(self, draft: Draft, prefix: str) -> Sequence[Suggestion]:
        return [Suggestion("h", f"{prefix}h", 0.7), Suggestion("", prefix, 0.1)]


def open_office(queue: Queue, **other: Any) -> Office:
    given: dict[str, Any] = {
        "bots": ["metal"],
        "drafts": queue.drafts,
        "clock": queue.clock,
        "deliveries": queue.deliveries,
        "desk": lambda actor: Desk(queue.drafts, gate, outlets, actor),
        "outgoing": lambda actor: Outgoing(queue.deliveries, actor),
        "shortlist": Shortlist(queue.drafts, queue.judgements, lambda bot: None, Random(1)),
        "previews": previews,
        "outlook": no_schedule,
        "standings": list,
        "last_fill": lambda bot: None,
        "earned": queue.judgements.earned,
        "curves": list,
        "media": nothing_kept,
        "health": list,
        "switches": Switches(queue.database),
        "growing": Growing(),
    }
    return Office(**given | other)


def open_doors(queue: Queue, folder: Path) -> Doors:
    return Doors(Passwords(folder / "web.passwords"), queue.clock, "ada", "wormhorn-8788", secure=False)


def open_app(queue: Queue, folder: Path, address: Address = ADDRESS, **other: Any) -> FastAPI:
    return make_app(open_office(queue, **other), open_doors(queue, folder), address)


def stranger(app: FastAPI, here: str = HERE, client: str = "127.0.0.1") -> TestClient:
    """As a browser on the page itself sends what it sends; nobody has logged in."""
    return TestClient(
        app,
        base_url=here,
        follow_redirects=False,
        headers={"sec-fetch-site": "same-origin", "origin": here},
        client=(client, 50000),
    )


def token(page: str) -> str:
    """What a page's form must bring along."""
    found = FORM.search(page)
    assert found, page
    return found[2]


def log_in(app: FastAPI) -> TestClient:
    """Somebody who has used the link."""
    client = stranger(app)
    form = token(client.get("/login?link=x").text)
    answer = client.post("/login", data={"form": form, "link": app.state.doors.link.secret})
    assert answer.status_code == 303
    return client


def poster(client: TestClient) -> Callable[..., Any]:
    """Sends a form with the session's token; `as_json` as the script does."""

    def post(path: str, as_json: bool = False, **form: str) -> Any:
        data = {"csrf": token(client.get("/review").text)} | form
        return client.post(path, data=data, headers={"accept": "application/json"} if as_json else {})

    return post
