"""Logging in: by a link that works once, or by a password; nothing leaves and nothing changes without."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from bot.errors import BotError
from bot.web.passwords import Passwords
from bot.web.sessions import IDLE, LINK_HOLDS, LONGEST, TRIES
from tests.pages import log_in, open_app, stranger, token
from tests.queues import open_queue

OPEN = {("GET", "/login"), ("POST", "/login")}  # what is before the door
PASSWORD = "correct horse battery staple"


@pytest.fixture
def queue(tmp_path: Path):
    with open_queue(tmp_path) as queue:
        queue.add("Wormhorn", "Ash")
        yield queue


@pytest.fixture
def app(queue, tmp_path):
    return open_app(queue, tmp_path)


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path, with numbers where ids stand."""
    return [(method, route.path) for route in within(app.routes) for method in sorted(route.methods)]


def within(found: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Those of included routers too."""
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif router := getattr(route, "original_router", None):
            yield from within(router.routes)
        else:
            assert getattr(route, "path", "") == "/static", f"what is {route}?"


def filled(path: str) -> str:
    return path.replace("{id}", "1")


def by_link(app, secret=None):
    client = stranger(app)
    form = token(client.get("/login?link=x").text)
    return client, client.post("/login", data={"form": form, "link": secret or app.state.doors.link.secret})


def by_password(client, name="ada", password=PASSWORD):
    form = token(client.get("/login").text)
    return client.post("/login", data={"form": form, "name": name, "password": password})


def test_only_the_door_is_open(app):
    """Of every route there is; what is new is behind the door unless this test is changed."""
    for method, path in routes(app):
        if (method, path) in OPEN:
            continue
        answer = stranger(app).request(method, filled(path), data={} if method == "POST" else None)
        assert answer.status_code in (303, 401), f"{method} {path}"
        assert answer.headers.get("location", "/login") == "/login"
        assert "Wormhorn" not in answer.text


def test_no_schema_is_handed_out(app):
    client = log_in(app)
    for path in ("/openapi.json", "/docs", "/redoc"):
        assert client.get(path).status_code == 404


def test_every_change_asks_for_the_sessions_token(app, queue):
    """None, a wrong one, another session's: on every route that is no GET."""
    client, other = log_in(app), app.state.doors.sessions.open("bob")[1]
    changing = [
        (method, path) for method, path in routes(app) if method != "GET" and (method, path) not in OPEN
    ]
    assert len(changing) >= 4
    for method, path in changing:
        for csrf in ("", "x", other.csrf, "\u2603"):
            answer = client.request(method, filled(path), data={"csrf": csrf})
            assert answer.status_code == 403, f"{method} {path} {csrf!r}"
    assert {draft.status for draft in queue.drafts.list()} == {"pending"}


def test_nothing_changes_by_a_get(app, queue):
    """Paths that change something answer a GET with 405, and no page that can be read changes a draft."""
    client = log_in(app)
    for method, path in routes(app):
        answer = client.get(filled(path))
        if method != "GET":
            assert answer.status_code == 405 or ("GET", path) in routes(app)
    assert {draft.status for draft in queue.drafts.list()} == {"pending"}
    assert not any(queue.drafts.decisions(draft.id) for draft in queue.drafts.list())


def test_the_link_works_once(app):
    _, first = by_link(app)
    _, second = by_link(app)

    assert (first.status_code, second.status_code) == (303, 403)
    assert "used already" in second.text


def test_to_look_at_the_link_does_not_use_it(app):
    """A program that follows links to show what is behind them sends no form."""
    stranger(app).get(f"/login?link={app.state.doors.link.secret}")
    _, answer = by_link(app)

    assert answer.status_code == 303


def test_the_link_grows_old(app, queue):
    queue.clock.pass_by(LINK_HOLDS.total_seconds())
    _, answer = by_link(app)

    assert answer.status_code == 403


def test_five_tries_a_minute(app, queue):
    """The sixth waits, even with the right link; after a minute it may try again."""
    for _ in range(TRIES):
        assert by_link(app, "wrong")[1].status_code == 403
    assert by_link(app)[1].status_code == 429
    queue.clock.pass_by(61)
    assert by_link(app)[1].status_code == 303


def test_tries_from_elsewhere_are_counted_apart_and_in_all(app):
    tries = app.state.doors.tries
    assert [tries.may_try("2001:db8::1") for _ in range(6)] == [True] * 5 + [False]
    assert not tries.may_try("2001:db8::2")  # the same subscriber
    assert all(tries.may_try(f"192.0.2.{n}") for n in range(15))
    assert not tries.may_try("198.51.100.1")


def test_a_password_lets_in_under_its_name(app, queue):
    app.state.doors.passwords.set("ada", PASSWORD)
    client = stranger(app)

    assert by_password(client).status_code == 303
    assert "ada" in client.get("/review").text


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("bob", PASSWORD), ("", ""), ("ada", "")])
def test_no_other_password_does(app, name, password):
    app.state.doors.passwords.set("ada", PASSWORD)
    client = stranger(app)

    assert by_password(client, name, password).status_code == 403
    assert client.get("/review").headers["location"] == "/login"


def test_a_password_is_kept_as_its_hash_for_its_owner_alone(tmp_path):
    passwords = Passwords(tmp_path / "file")
    passwords.set("ada", PASSWORD)
    passwords.set("bob", "another long one")

    assert passwords.fit("ada", PASSWORD)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    stored = (tmp_path / "file").read_text()
    assert stored.count("$argon2id$") == 2
    assert PASSWORD not in stored


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "short"), ("a b", PASSWORD), ("", PASSWORD), ("a\n", PASSWORD)]
)
def test_what_is_no_password_is_refused(tmp_path, name, password):
    with pytest.raises(BotError):
        Passwords(tmp_path / "file").set(name, password)


def test_a_login_begins_a_new_session(app):
    """What somebody may have planted in the browser before is worth nothing after."""
    client = stranger(app)
    planted, _ = app.state.doors.sessions.open("mallory")
    client.cookies.set("wormhorn-8788", planted)
    form = token(client.get("/login?link=x").text)
    answer = client.post("/login", data={"form": form, "link": app.state.doors.link.secret})

    assert planted not in answer.headers["set-cookie"]
    assert app.state.doors.sessions.find(planted) is None


def test_the_cookie_stays_with_the_browser_and_the_page(app):
    cookie = by_link(app)[1].headers["set-cookie"].lower()

    for part in ("httponly", "samesite=strict", "path=/"):
        assert part in cookie
    assert "domain" not in cookie


def test_beyond_this_computer_the_cookie_is_secure(queue, tmp_path):
    app = open_app(queue, tmp_path)
    app.state.doors.cookie, app.state.doors.secure = "__Host-wormhorn", True

    assert "secure" in by_link(app)[1].headers["set-cookie"].lower()


def test_a_session_ends(app, queue):
    """When its owner says so, when it is not used for a week, and after a month in any case."""
    client = log_in(app)
    page = client.get("/review")
    assert client.post("/logout", data={"csrf": token(page.text)}).status_code == 303
    client.cookies.set("wormhorn-8788", "x")
    assert client.get("/review").status_code == 303

    secret, _ = app.state.doors.sessions.open("ada")
    queue.clock.pass_by(IDLE.total_seconds() + 1)
    assert app.state.doors.sessions.find(secret) is None
    secret, _ = app.state.doors.sessions.open("ada")
    for _ in range(5):
        queue.clock.pass_by(LONGEST.total_seconds() / 5 + 1)
        found = app.state.doors.sessions.find(secret)
    assert found is None


def test_a_login_form_of_elsewhere_or_of_yesterday_is_refused(app):
    answer = stranger(app).post("/login", data={"form": "x", "link": app.state.doors.link.secret})

    assert answer.status_code == 403
    assert by_link(app)[1].status_code == 303


def test_sessions_stay_few(app):
    sessions = app.state.doors.sessions
    first, _ = sessions.open("ada")
    for _ in range(200):
        sessions.open("ada")

    assert sessions.find(first) is None
