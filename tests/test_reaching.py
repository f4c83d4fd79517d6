"""Servers that targets speak to are asked whether they answer, before anything is due."""

import socket
import threading

import pytest

from bot.config import load
from bot.events import Reach
from bot.house import House
from bot.reaching import AGAIN, PERIOD, TIMEOUT, Reaching, ask
from tests.folders import write_folder
from tests.healths import failing, opened, run_pulse
from tests.plugins.targets.servers import Handler, serving

SERVER = "https://example.org"


class Hook(Handler):
    """Answers with the status of its server."""

    def do_HEAD(self):
        self.reply(self.server.status, Location="http://127.0.0.1:9/elsewhere")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return unused.getsockname()[1]


@pytest.mark.parametrize("status", [200, 302, 401, 404, 405, 501])
def test_any_answer_will_do(status):
    """Who redirects is there, and is not followed."""
    with serving(Hook, status=status) as server:
        assert ask(f"http://127.0.0.1:{server.server_port}") == ""


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_whose_server_is_away_is_no_answer(status):
    with serving(Hook, status=status) as server:
        assert ask(f"http://127.0.0.1:{server.server_port}").startswith(f"it answers {status} ")


def test_a_server_that_is_gone_gives_no_answer():
    assert "refused" in ask(f"http://127.0.0.1:{free_port()}")


class Watch:
    """Reaching with a clock, and answers, of the test's own."""

    def __init__(self, servers=None, **options):
        self.events, self.asked, self.now, self.reason = [], [], 0.0, ""
        self.reaching = Reaching(
            lambda: servers or {SERVER: ["night/hook"]},
            self.events.append,
            threading.Event(),
            self.answer,
            lambda: self.now,
            **options,
        )

    def answer(self, server):
        self.asked.append(server)
        return self.reason

    def turn(self, seconds=0.0):
        self.now += seconds
        self.reaching()


def test_a_server_is_asked_every_half_minute():
    watch = Watch()
    watch.turn()
    watch.turn(PERIOD - 1)
    assert len(watch.asked) == 1
    watch.turn(1)
    assert len(watch.asked) == 2
    assert watch.events == [Reach(SERVER, ("night/hook",))]


def test_the_second_question_without_an_answer_is_told_within_a_minute():
    """One lost answer is no outage; that the server answers again is told too."""
    watch = Watch()
    watch.turn()
    watch.reason = "gone"
    watch.turn(PERIOD)
    assert len(watch.events) == 1
    watch.turn(AGAIN)
    assert watch.events[1:] == [Reach(SERVER, ("night/hook",), "gone")]
    assert PERIOD + TIMEOUT + AGAIN + TIMEOUT < 60
    watch.turn(PERIOD)
    watch.reason = ""
    watch.turn(PERIOD)
    assert watch.events[2:] == [Reach(SERVER, ("night/hook",))]


def test_a_server_that_hangs_keeps_no_other_from_being_heard():
    """And leaves the turn when the patience is over, or when all is to end."""
    held = threading.Event()
    watch = Watch({"https://hangs.example": ["a/x"], SERVER: ["b/x"]}, patience=0.05)
    watch.reaching._ask = lambda server: "" if server == SERVER else str(held.wait())
    watch.turn()
    watch.turn(AGAIN)
    held.set()
    assert watch.events == [
        Reach(SERVER, ("b/x",)),
        Reach("https://hangs.example", ("a/x",), "it gives no answer within 0.05 s"),
    ]


def test_what_has_not_answered_when_all_ends_is_no_outage():
    watch = Watch()
    watch.reason = "gone"
    watch.reaching._stop.set()
    watch.turn()
    watch.turn(AGAIN)
    assert watch.events == []


def test_a_webhook_names_its_server_and_not_its_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("MOON_HOOK", "https://ada:pass@hooks.example:8443/secret-path")
    config = write_folder(tmp_path / "bot")
    hook = "{webhook: {secret_url: {env: MOON_HOOK}}}"
    config.write_text(config.read_text().replace("{feed: {path: feed.xml}}", hook))
    house = House(load(config))
    assert house.servers() == {"https://hooks.example:8443": ["night/webhook"]}


def test_a_server_that_does_not_answer_is_red_until_it_does(tmp_path):
    """For every other process, by the pulse."""
    house = opened(write_folder(tmp_path / "bot"))
    pulse = run_pulse(house, post=1)
    for reason in ("", "it gives no answer", ""):
        pulse.told(Reach(SERVER, ("night/hook",), reason))
        pulse.beat({}, 5)
        found = failing(house)
        assert found.keys() == ({f"server {SERVER}"} if reason else set())
        assert not reason or "no post reaches night/hook" in found[f"server {SERVER}"]
