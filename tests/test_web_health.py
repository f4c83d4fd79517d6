"""/health and /metrics: what a program that watches is told, and that it is told no more."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from bot.records import Check
from bot.web.address import Address
from bot.web.app import make_app
from bot.web.health import health_router
from tests.pages import HERE, open_doors, open_office, stranger
from tests.queues import NOON, open_queue

SECRET_TEXT = "Crypt of Ash"


@dataclass
class Examined:
    checks: list = field(default_factory=list)
    at: datetime = NOON

    @property
    def ok(self):
        return all(check.ok for check in self.checks)


@pytest.fixture
def queue(tmp_path):
    with open_queue(tmp_path) as queue:
        queue.add(SECRET_TEXT)
        yield queue


@pytest.fixture
def ask(queue, tmp_path):
    """ask(checks, path, here, client) -> the answer to somebody who has not logged in."""

    def ask(checks, path, here=HERE, client="127.0.0.1", address=None):
        router = health_router(lambda: Examined(checks), lambda: "wormhorn_ok 1.0\n")
        doors = open_doors(queue, tmp_path)
        app = make_app(open_office(queue), doors, address or Address(), open_routers=[router])
        return stranger(app, here, client).get(path)

    return ask


GOOD = Check("database", True, "can be read")
BAD = Check("target metal/pad", False, f"refused: {SECRET_TEXT}")


def test_health_is_200_if_all_is_well_and_503_if_not(ask):
    """A watching program need not read the answer."""
    well, ill = ask([GOOD], "/health"), ask([GOOD, BAD], "/health")

    assert (well.status_code, ill.status_code) == (200, 503)
    assert ill.json() == {
        "ok": False,
        "at": NOON.isoformat(),
        "checks": {"database": True, "target metal/pad": False},
    }


def test_one_of_two_checks_of_one_name_that_fails_is_seen(ask):
    """Whichever comes first."""
    for checks in ([BAD, Check(BAD.name, True, "")], [Check(BAD.name, True, ""), BAD]):
        assert ask(checks, "/health").json()["checks"] == {BAD.name: False}


def test_without_a_login_no_text_is_told(ask):
    """Reasons may quote what was generated."""
    assert SECRET_TEXT not in ask([BAD], "/health").text


def test_metrics_are_told_to_this_computer(ask):
    """In the form that Prometheus reads."""
    answer = ask([GOOD], "/metrics")

    assert answer.text == "wormhorn_ok 1.0\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_metrics_are_not_told_to_others(ask):
    """Neither beyond this computer nor through a proxy on it, which asks by the public name."""
    public = Address(host="0.0.0.0", names=["review.example.org"], proxies=["127.0.0.1"])
    here = "https://review.example.org"

    assert ask([GOOD], "/metrics", here, "192.0.2.7", public).status_code == 404
    assert ask([GOOD], "/metrics", here, "127.0.0.1", public).status_code == 404
    assert ask([GOOD], "/health", here, "192.0.2.7", public).status_code == 200
