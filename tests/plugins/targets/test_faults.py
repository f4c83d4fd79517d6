"""Every fault at every target that posts over a network: what came of it is known, and nothing is doubled.

The table says what is certain after a fault. From there the delivery's own rules go on, and when the place
works again the post stands there exactly once, or a person is asked.
"""

import inspect
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import get_args

import pytest

pytest.importorskip("mastodon_mock")
pytest.importorskip("mastodon")
pytest.importorskip("atproto")
pytest.importorskip("apprise")

from bot.config import Choice
from bot.posting.delivery import follow
from bot.posting.outcomes import NotSent, Refused, Sent, Unknown
from bot.posting.sender import DEADLINE, VERBS, Sender
from bot.records import Secret
from bot.registry import Registry
from tests.deliveries import NOON, delivery
from tests.plugins.targets import places
from tests.plugins.targets.faults import FAULTS, HOUR
from tests.plugins.targets.places import PLACES, opened, url
from tests.plugins.targets.posts import picture
from tests.plugins.targets.servers import Handler, serving

LONGEST_CALL = 31  # seconds


def no_answer_from(monkeypatch, place):
    with serving(Handler) as unused:
        place.aim(unused.server_port)


def no_name(monkeypatch, place):
    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)


def no_connection(monkeypatch, place):
    def fail(*_):
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", fail)


UNREACHED = {
    "a connection refused": no_answer_from,
    "a name that is not known": no_name,
    "a connection that does not come about": no_connection,
}
CERTAINLY_NOT = {*UNREACHED, "429", "429 that says until when"}
FINAL = {"400", "401", "403", "403 for a duplicate", "404", "422"}
WITHOUT_ITS_BODY = {f"an answer {what}" for what in ("that is garbage", "of other JSON", "of nothing")}
SENT = {  # where the status line alone is the answer
    "webhook": {*WITHOUT_ITS_BODY, "an answer that stalls", "an answer cut short"},
    "notify": WITHOUT_ITS_BODY,
}
ALL = [*UNREACHED, *FAULTS]


def expected(place: str, fault: str) -> type:
    if fault in SENT.get(place, ()):
        return Sent
    if place == "notify":  # apprise tells no reasons
        return Unknown
    if place == "x" and fault == "403 for a duplicate":  # it may be the very post
        return Unknown
    return NotSent if fault in CERTAINLY_NOT else Refused if fault in FINAL else Unknown


@pytest.fixture(scope="module", params=PLACES)
def place(request, tmp_path_factory):
    """A target whose server works, and which has posted already."""
    with opened(
        request.param,
        tmp_path_factory.mktemp(request.param),
        lambda: request.getfixturevalue("mastodon_server"),
    ) as place:
        place.name = request.param
        assert isinstance(ask("post", place, "first"), Sent)
        yield place


def ask(verb, place, text, media=()):
    return VERBS[verb](place.target, of(place, text), media)


def of(place, text):
    return delivery(kind=place.target.kind, account=place.target.account, text=text, key=text)


def meet(fault, place, monkeypatch):
    """Post while there is the fault; afterwards the place works again."""
    with monkeypatch.context() as patch:
        if fault in UNREACHED:
            UNREACHED[fault](patch, place)
        else:
            place.proxy.fault = FAULTS[fault]
            if FAULTS[fault].end == "stall" and expected(place.name, fault) is Unknown:
                place.hurry(0.2, patch)
        try:
            return ask("post", place, fault)
        finally:
            if fault in FAULTS and FAULTS[fault].end == "stall":
                assert place.proxy.stalled.wait(20)  # until then it may not be stored yet
            place.proxy.fault = None
            place.aim(place.proxy.server_port)


@pytest.mark.parametrize("fault", ALL)
def test_what_is_certain_after_a_fault(place, fault, monkeypatch):
    """Certainly not sent, refused, sent or unknown, as the table has it; in the end it stands there once."""
    outcome = meet(fault, place, monkeypatch)

    assert type(outcome) is expected(place.name, fault), outcome
    stored = place.texts().count(fault)
    assert stored == (fault in FAULTS and FAULTS[fault].stored)
    state = follow(of(place, fault), outcome, NOON, lambda: 0.0).state
    assert state == STATES[type(outcome), place.target.kind]
    if state == "uncertain" and place.target.kind in ("key", "query"):
        outcome = ask("find", place, fault)
        assert isinstance(outcome, Sent if stored else NotSent)
    again = state == "planned" or isinstance(outcome, NotSent)
    if again:
        assert isinstance(ask("post", place, fault), Sent)
    assert place.texts().count(fault) == (stored or again)


def certain_of_an_upload(place: str, fault: str) -> type:
    """Nothing was posted, whatever became of the picture."""
    duplicate = place == "x" and fault == "403 for a duplicate"  # it is no post
    return Refused if fault in FINAL and not duplicate else NotSent


@pytest.mark.parametrize("fault", ALL)
def test_an_upload_that_fails_has_posted_nothing(place, fault, monkeypatch):
    """Refused or not sent, never in doubt; when the place works again the post is there once, with it."""
    if not place.uploading:
        pytest.skip("it takes pictures with the post: the table above is theirs too")
    text, media = f"{fault}, uploading", (picture(grey=len(fault)),)
    with monkeypatch.context() as patch:
        if fault in UNREACHED:
            UNREACHED[fault](patch, place)
        else:
            patch.setattr(place.proxy, "posting", place.uploading)
            patch.setattr(place.proxy, "fault", FAULTS[fault])
            patch.setattr(places.of(place.target), "UPLOADS", 1.0)
        outcome = ask("post", place, text, media)
    place.aim(place.proxy.server_port)

    assert type(outcome) is certain_of_an_upload(place.name, fault), outcome
    assert outcome.reason
    assert text not in place.texts()
    assert isinstance(ask("post", place, text, media), Sent)
    assert place.texts().count(text) == 1
    assert place.shown() == [(media[0].content, media[0].alt_text)]


def test_what_is_certain_of_a_post_is_so_of_one_with_a_picture(place, monkeypatch):
    """The request that posts is the only one whose lost answer leaves a doubt."""
    if not place.uploading:
        pytest.skip("it takes pictures with the post: the table above is theirs too")
    for number, (fault, certain) in enumerate([("reset after it is stored", Unknown), ("429", NotSent)]):
        monkeypatch.setattr(place.proxy, "fault", FAULTS[fault])
        assert type(ask("post", place, f"{fault}, seen", (picture(grey=number),))) is certain
        monkeypatch.setattr(place.proxy, "fault", None)


KINDS = "put", "key", "query", "opaque"
STATES = {
    **{(Sent, kind): "sent" for kind in KINDS},
    **{(Refused, kind): "refused" for kind in KINDS},
    **{(NotSent, kind): "planned" for kind in KINDS},
    (Unknown, "put"): "planned",
    **{(Unknown, kind): "uncertain" for kind in ("key", "query", "opaque")},
}


def test_it_comes_back_when_it_was_told_to(place, monkeypatch):
    """A 429 with a time is waited for, one without for a quarter of an hour."""
    if place.name == "notify":
        pytest.skip("apprise tells no reasons")

    assert meet("429 that says until when", place, monkeypatch).retry_after == pytest.approx(HOUR, rel=0.5)
    assert meet("429", place, monkeypatch).retry_after == 900


@pytest.mark.parametrize(("fault", "denied"), [("400", False), ("401", True), ("403", True), ("422", False)])
def test_what_is_denied_to_the_account_is_told_apart(place, fault, denied, monkeypatch):
    """401 and 403 speak of who asks, the others of what is asked."""
    if place.name == "notify":
        pytest.skip("apprise tells no reasons")

    assert meet(fault, place, monkeypatch).denied == denied


def test_a_text_too_long_is_refused_before_any_call(place, monkeypatch):
    """With its length and the limit for a reason; without a network it is the same."""
    if place.target.max_length is None:
        pytest.skip("it takes any length")
    no_connection(monkeypatch, place)
    text = "x" * (place.target.max_length + 1)

    outcome = ask("check", place, text)
    assert outcome == Refused(f"its length is {len(text)}, and pad takes {len(text) - 1}")
    assert ask("check", place, text[:-1]) is None


def test_no_call_waits_for_longer_than_its_deadline(place):
    """All time-outs of a post together, and the deadline of the process it runs in."""
    assert place.seconds() <= LONGEST_CALL
    assert DEADLINE + 1 <= LONGEST_CALL  # the kernel's own timer is a second behind


def test_no_reason_holds_a_secret(place, monkeypatch):
    """Whatever went wrong, what is stored of it names no password, token or address."""
    secrets = {"ck-canary", "cs-canary", "ts-canary", "mock_token", "app-password-canary", "/hook"}

    for fault in ("a connection refused", "reset before it is stored", "401", "500", "a redirect"):
        reason = meet(fault, place, monkeypatch).reason
        assert reason
        assert not [secret for secret in secrets if secret in reason], reason


def test_every_target_with_secrets_is_in_the_table():
    """A new target that posts over a network comes here with a server of its kind."""
    registry = Registry(None, Path())

    def has_secrets(name):
        parameters = inspect.signature(registry.look_up("targets", name), eval_str=True).parameters
        return any(Secret in (p.annotation, *get_args(p.annotation)) for p in parameters.values())

    assert {name for name in registry.names("targets") if has_secrets(name)} == PLACES.keys() - {"discord"}


# ---- a slow drip, which no time-out of a library ends ---------------------------------------------


class Drip(Handler):
    """Sends a byte of its answer now and then, for as long as anybody listens."""

    def do_POST(self):
        self.send_response(200)
        self.send_header("content-length", "100000")
        self.end_headers()
        while not self.server.released.wait(0.02):
            self.wfile.write(b" ")


def build(folder: Path, bot: str, label: str):
    """Called in the sender's process."""
    import requests  # noqa: F401  # the deadline shall fall into the answer, not into this

    options = {"secret_url": {"env": "DRIP"}, "form": "discord"}
    return Registry(None, folder).build("targets", Choice("webhook", options))


@pytest.fixture
def drip() -> Iterator[str]:
    with serving(Drip, released=Event()) as server:
        yield url(server.server_port)
        server.released.set()


def test_a_slow_drip_ends_at_the_deadline(drip, monkeypatch, tmp_path):
    """Each byte comes in time and the answer never ends: the sender's own deadline does."""
    monkeypatch.setenv("DRIP", drip)
    sender = Sender(partial(build, tmp_path))
    account = build(tmp_path, "metal", "webhook").account
    asked = delivery(account=account)
    assert sender.check(asked) is None  # its process is up
    sender._deadline = 0.5

    assert sender.post(asked) == Unknown("the sender gave no answer within 0.5 s and was killed")
    sender.close()
