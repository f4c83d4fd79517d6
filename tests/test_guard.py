"""Who may ask the page at all: no other name, no other origin, nothing in the clear beyond this computer."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.web.address import Address, check
from bot.web.guard import LONGEST_BODY
from tests.pages import ADDRESS, HERE, log_in, open_app, stranger
from tests.queues import Queue, open_queue

NAMED = Address(names=["review.example.org"], proxies=["127.0.0.1"])
OUTSIDE = "https://review.example.org"

GOOD_HOSTS = ["127.0.0.1:8788", "localhost:8788", "LOCALHOST:8788", "[::1]:8788"]
BAD_HOSTS = [
    *("evil.example", "evil.example:8788", "127.0.0.1", "localhost", "127.0.0.1:80", "127.0.0.1:8789"),
    *("127.0.0.1:8788.evil.example", "evil.example#127.0.0.1:8788", "127.0.0.1:8788@evil.example"),
    *("user@127.0.0.1:8788", "127.0.0.1:8788/", "127.0.0.1:", "127.0.0.1:8788:8788", "127.0.0.1:+8788"),
    *(
        "localhost.:8788",
        "localhost.evil.example:8788",
        "127.0.0.1.nip.io:8788",
        "127.1:8788",
        "2130706433:8788",
    ),
    *("0x7f.0.0.1:8788", "0.0.0.0:8788", "[::]:8788", "::1:8788", "[::1]", "[::ffff:127.0.0.1]:8788"),
    *("", " ", "127.0.0.1 :8788", "127.0.0.1:8788, evil.example", "review.example.org:8788", "*", "null"),
    *("LOCALHOST.EVIL.EXAMPLE:8788", "xn--lcalhost-54a:8788", "localhost:08788x", "localhost:99999"),
]
BAD_SOURCES = [
    {},
    {"origin": "null"},
    {"origin": "http://evil.example"},
    {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
    {"origin": "https://127.0.0.1:8788"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "http://localhost:8788"},
    {"origin": "http://127.0.0.1:8788.evil.example"},
    {"origin": "http://127.0.0.1:8788/"},
    {"origin": "http://127.0.0.1:8788 http://evil.example"},
    {"origin": ""},
    {"origin": "file://"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "same-origin, cross-site"},
    {"origin": HERE, "sec-fetch-site": "cross-site"},
    {"origin": HERE, "sec-fetch-site": "same-site"},
    {"origin": HERE, "sec-fetch-site": "none"},
    {"referer": HERE},
]
TAKEN_IN = [("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe"), ("cors", "empty"), ("", "")]


@pytest.fixture
def queue(tmp_path: Path):
    with open_queue(tmp_path) as queue:
        queue.add("Wormhorn")
        yield queue


@pytest.fixture
def app(queue: Queue, tmp_path: Path):
    return open_app(queue, tmp_path)


def test_there_are_enough_cases():
    assert len(BAD_HOSTS) + len(BAD_SOURCES) + len(TAKEN_IN) + len(GOOD_HOSTS) >= 40


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_this_computers_own_names_are_answered(app, host):
    assert stranger(app).get("/login", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_no_other_name_is_answered(app, host):
    """A page that was led here under its own name (DNS rebinding) learns nothing, logged in or not."""
    answer = log_in(app).get("/review", headers={"host": host})

    assert answer.status_code == 421
    assert "Wormhorn" not in answer.text


def test_two_names_are_none(app):
    two = [("host", "127.0.0.1:8788"), ("host", "evil.example")]
    request = stranger(app).build_request("GET", "/login")
    request.headers = type(request.headers)(two)

    assert stranger(app).send(request).status_code == 421


@pytest.mark.parametrize("source", BAD_SOURCES, ids=str)
def test_nothing_is_changed_from_another_page(app, queue, source):
    """With the owner's cookie and even the right token."""
    client = log_in(app)
    session = app.state.doors.sessions.find(client.cookies["wormhorn-8788"])
    draft = queue.drafts.get(1)
    for name in ("origin", "sec-fetch-site"):
        del client.headers[name]
    answer = client.post(
        "/drafts/1/approve", data={"csrf": session.csrf, "sha256": draft.sha256}, headers=source
    )

    assert answer.status_code == 403
    assert queue.drafts.get(1).status == "pending"


@pytest.mark.parametrize(("mode", "kind"), TAKEN_IN)
def test_nothing_is_taken_into_another_page(app, mode, kind):
    """Not as picture, script, frame or data; a link may lead here."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": kind}

    assert log_in(app).get("/review", headers=headers).status_code == 403
    led = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert stranger(app).get("/login", headers=led).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/review", "/static/page.css", "/nowhere", "/drafts/99"])
def test_every_answer_carries_the_headers(app, path):
    answer = log_in(app).get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == (
        "no-store" if "static" not in path else answer.headers["cache-control"]
    )


def test_a_refusal_carries_them_too(app):
    answer = stranger(app).get("/login", headers={"host": "evil.example"})

    assert answer.headers["x-frame-options"] == "DENY"


def test_a_name_is_answered_by_tls_only(queue, tmp_path):
    app = open_app(queue, tmp_path, NAMED)

    assert stranger(app, OUTSIDE).get("/login").status_code == 200
    assert stranger(app, "http://review.example.org:8788").get("/login").status_code == 421
    assert stranger(app, HERE).get("/login").status_code == 200
    assert "strict-transport-security" in stranger(app, OUTSIDE).get("/login").headers


def test_another_computer_is_answered_by_tls_only(queue, tmp_path):
    """Also if it claims to ask for this one."""
    app = open_app(queue, tmp_path, NAMED)

    assert stranger(app, HERE, client="192.0.2.7").get("/login").status_code == 403
    assert stranger(app, OUTSIDE, client="192.0.2.7").get("/login").status_code == 200


def test_a_request_has_an_end(app):
    client = log_in(app)

    assert client.post("/login", content=b"a" * (LONGEST_BODY + 1)).status_code == 413
    assert client.post("/login", content=iter([b"a"])).status_code == 411


PUBLIC = [
    (Address(host="0.0.0.0"), "web.host: other computers reach 0.0.0.0"),
    (Address(host="::"), "web.host"),
    (Address(host="192.168.1.5"), "web.host"),
    (Address(host="review.example.org", names=["review.example.org"]), "web.host"),
    (Address(host="0.0.0.0", proxies=["10.0.0.2"]), "web.names"),
    (Address(host="0.0.0.0", proxies=["nginx"], names=["a.example"]), "web.proxy: 'nginx' is no IP address"),
    (Address(host="0.0.0.0", certificate=Path(__file__)), "certificate and key belong together"),
    (Address(certificate=Path("no.pem"), key=Path(__file__)), "no.pem: there is no such file"),
    (Address(names=["https://a.example"]), "web.names: 'https://a.example'"),
]


@pytest.mark.parametrize(("address", "line"), PUBLIC)
def test_what_would_be_unsafe_is_refused_in_one_line(address, line):
    with pytest.raises(BotError, match=r"\A[^\n]+\Z") as refused:
        check(address)
    assert line in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        Address(host="localhost"),
        Address(host="::1"),
        Address(host="127.8.8.8"),
        replace(NAMED, host="0.0.0.0"),
        Address(host="0.0.0.0", certificate=Path(__file__), key=Path(__file__)),
    ],
)
def test_what_is_safe_is_served(address):
    check(address)
