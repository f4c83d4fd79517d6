"""The x target against a stand-in for X on this machine that checks every signature."""

import logging
import sys
import time
from datetime import timedelta
from threading import Event

import pytest
import requests

from bot import BotError, NotSent, Refused
from bot.errors import ConfigError
from tests.plugins.targets import x_server
from tests.plugins.targets.posts import NOON, picture, post, target
from tests.plugins.targets.servers import Handler, serving
from tests.plugins.targets.x_server import KEYS, Detour

DUPLICATE = {"status": 403, "detail": "You are not allowed to create a Tweet with duplicate content."}


@pytest.fixture
def server():
    with serving(x_server.X, **x_server.state()) as server:
        yield server


@pytest.fixture
def x(server, tmp_path, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    x = target("x", tmp_path, dry_run=False, **{name: {"env": name.upper()} for name in KEYS})
    x.client.session.mount("https://api.twitter.com/", Detour(server.server_port))
    yield x
    x.client.session.close()


def test_a_post_is_signed_and_labelled(x, server):
    """The text goes out as it is, labelled as made by a machine, and comes back with its address."""
    receipt = x.post(post("Crypt of Ash"))

    assert server.requests == [{"text": "Crypt of Ash", "made_with_ai": True}]
    assert (receipt.remote_id, receipt.url) == ("1000", "https://x.com/i/status/1000")
    assert x.account == "x 42"


def test_dry_run_is_what_it_does_unasked(tmp_path):
    """Without being told otherwise it posts nothing, needs no key and says so."""
    x = target("x", tmp_path)

    assert x.post(post()).evidence == "dry run: nothing was posted, which would have cost about 0.015 USD"
    assert x.account == "x (dry run)"


def test_an_address_is_dear(x, server, tmp_path, caplog):
    """X charges many times as much for a post with an address: that is said before it is sent."""
    x.post(post("Crypt of Ash"))
    assert not caplog.records
    x.post(post("see https://example.org"))
    assert caplog.messages == ["x 42: about 0.2 USD, for it has an address, instead of 0.015"]

    cheap = target("x", tmp_path, price=0.01, price_with_address=0.1)
    assert "about 0.1 USD, for it has an address, instead of 0.01" in cheap.post(post("http://a.b")).evidence


def test_what_a_post_costs_is_known_beforehand(x, tmp_path):
    """In USD; a dry run costs nothing."""
    assert [x.cost("Crypt of Ash"), x.cost("see https://example.org")] == [0.015, 0.2]
    assert target("x", tmp_path).cost("Crypt of Ash") == 0


def test_it_asks_for_the_label(tmp_path):
    """Posts that are not labelled as made by AI are something to mend."""
    assert target("x", tmp_path).advice() == ""
    assert "not labelled" in target("x", tmp_path, made_with_ai=False).advice()


def test_posting_needs_all_keys(tmp_path, monkeypatch):
    """A missing key is told when the target is built, not at the first post."""
    monkeypatch.setenv("CONSUMER_KEY", "ck")
    with pytest.raises(ConfigError, match="needs consumer_key"):
        target("x", tmp_path, dry_run=False, consumer_key={"env": "CONSUMER_KEY"})


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
def test_a_final_no(x, server, status):
    """A request that X will not have is refused, in X's own words."""
    server.mode = status, {"status": status, "detail": "It may not be"}, {}

    with pytest.raises(Refused, match=f"^{status} .*It may not be"):
        x.post(post())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 900),
        ({"x_rate_limit_reset": "{60}"}, 60),
        ({"x_rate_limit_remaining": 0, "x_rate_limit_reset": "{60}"}, 60),
        (
            {
                "x_rate_limit_remaining": 5,
                "x_rate_limit_reset": "{60}",
                "x_user_limit_24hour_remaining": 0,
                "x_user_limit_24hour_reset": "{7200}",
            },
            7200,
        ),
    ],
)
def test_too_many_requests(x, server, headers, wait, monkeypatch):
    """A 429 is certainly not sent; when to come back is what the limit that is used up says."""
    now = int(time.time())
    monkeypatch.setattr(time, "time", lambda: now)
    at = {name: now + int(value[1:-1]) if str(value)[0] == "{" else value for name, value in headers.items()}
    server.mode = 429, {"detail": "Too Many Requests"}, at

    with pytest.raises(NotSent) as caught:
        x.post(post())
    assert caught.value.retry_after == wait
    assert len(server.requests) == 1  # it does not wait and try by itself


@pytest.mark.parametrize(
    "mode",
    ["drop before", "drop after", "no id", "redirect", (503, {}, {}), (408, {}, {}), (403, DUPLICATE, {})],
)
def test_nobody_knows(x, server, mode):
    """A lost answer, a server's failure and a duplicate are neither refused nor not sent."""
    server.mode = mode

    with pytest.raises(Exception) as caught:  # noqa: PT011
        x.post(post())
    assert not isinstance(caught.value, Refused | NotSent)
    assert len(server.requests) == 1


def test_a_server_that_says_nothing(x, server, monkeypatch):
    """After the time-out nobody knows whether it was posted."""
    server.mode, server.released = "slow", Event()
    x.client.session.request.keywords["timeout"] = (1, 0.05)
    with pytest.raises(requests.ReadTimeout):
        x.post(post())
    server.released.set()


def test_no_way_to_it(x):
    """If no connection comes about, nothing was sent."""
    with serving(Handler) as unused:
        pass
    x.client.session.mount("https://api.twitter.com/", Detour(unused.server_port))

    with pytest.raises(NotSent, match="cannot be reached"):
        x.post(post())


def test_a_post_whose_answer_was_lost_is_found(x, server):
    """Its text among the account's posts since the first attempt is evidence; X's escapes do not hide it."""
    text = "Rot & <Roll> &amp; Mo\u0308rk"
    assert x.find(post(text)) is None
    server.mode = "drop after"
    with pytest.raises(requests.ConnectionError):
        x.post(post(text))

    assert x.find(post(text)).remote_id == "1000"
    assert x.find(post("Rot")) is None
    assert server.queries[0]["start_time"] == [f"{NOON - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"]


def test_too_much_to_look_through(x, server):
    """Where the post may stand on a further page, absence is not claimed."""
    server.tweets = [{"id": str(n), "text": f"t{n}", "at": 0} for n in range(101)]

    assert x.find(post("t99")).remote_id == "99"
    with pytest.raises(BotError, match="over 100 posts"):
        x.find(post("t100"))


def test_no_key_is_written_down(x, server, caplog, tmp_path):
    """With everything logged, and in every error, no key and no signature appears."""
    caplog.set_level(logging.DEBUG)
    x.post(post())
    shown = [repr({name: value for name, value in vars(x).items() if name != "client"})]
    for mode in [(401, {"detail": "no"}, {}), "drop before", (500, {}, {})]:
        server.mode = mode
        with pytest.raises(Exception) as caught:  # noqa: PT011
            x.post(post())
        shown.append(str(caught.value))

    assert "canary" not in caplog.text + "".join(shown)
    assert "oauth_signature" not in caplog.text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Crypt of Ash", 12),
        ("Mörk", 4),
        ("Mo\u0308rk", 4),  # composed first
        ("墓場", 4),
        ("Жизнь", 5),
        ("🤘", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇩🇪", 2),
        ("1\ufe0f\u20e3", 2),
        ("©", 1),
        ("—", 1),
        ("see https://example.org/a/very/long/path?with=a&query=too#and so on", 3 + 1 + 23 + 6),
    ],
)
def test_length_as_x_counts_it(tmp_path, text, length):
    """Weighted length: twitter-text's rules, version 3."""
    assert target("x", tmp_path).measure(text) == length


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("buy $ABC", "$ABC would become a link to a share's price"),
        ("$brk.b!", "$brk.b would become a link to a share's price"),
        *((text, "") for text in ("Ke$ha", "A$AP", "$5", "$", "$metalhead", "US$ABC", "$$$")),
    ],
)
def test_cashtags_are_objected_to(text, objection, tmp_path):
    """Other places do nothing with them, so the gate lets them pass."""
    assert target("x", tmp_path).objection(text) == objection


# ---- attachments ----------------------------------------------------------------------------------


def test_pictures_are_uploaded_with_their_words_and_then_posted(x, server):
    """Each by itself, described before the post names it; the label stays."""
    x.post(post("Crypt of Ash", media=(picture(1), picture(2))))

    [body] = server.requests
    assert body == {"text": "Crypt of Ash", "made_with_ai": True, "media": {"media_ids": ["7000", "7001"]}}
    assert [one["content"] for one in server.media.values()] == [picture(1).content, picture(2).content]
    assert {one["alt_text"] for one in server.media.values()} == {picture().alt_text}
    assert server.media["7000"]["media_type"] == "image/png"


def test_a_picture_without_its_words_is_not_posted(x, server, monkeypatch):
    """Where the description fails nothing was posted, although the picture is at X."""
    monkeypatch.setattr(x_server.X, "media", no_words(x_server.X.media))

    with pytest.raises(NotSent, match="no upload"):
        x.post(post(media=(picture(),)))
    assert server.media
    assert server.tweets == []


def no_words(media):
    def answer(handler, route, body):
        if route == "metadata":
            handler.reply(503, {"title": "Service Unavailable"})
        else:
            media(handler, route, body)

    return answer


def test_uploads_that_take_too_long_leave_the_post_its_time(x, server, monkeypatch):
    """They have a time of their own, after which nothing is posted; a post's own time-outs are as before."""
    monkeypatch.setattr(sys.modules[type(x).__module__], "UPLOADS", 0.0)
    with pytest.raises(NotSent, match="took too long"):
        x.post(post(media=(picture(),)))
    assert x.client.session.request.keywords["timeout"] == (4, 14)
    assert server.media == {}


def test_a_dry_run_uploads_nothing(tmp_path):
    """It would cost the same."""
    assert "nothing was posted" in target("x", tmp_path).post(post(media=(picture(),))).evidence


def test_the_label_is_shown_before_an_approval(tmp_path):
    """Without it the approval is of another post."""
    assert target("x", tmp_path).manner == "labelled as made with AI"
    assert target("x", tmp_path, made_with_ai=False).manner == ""


def test_a_post_with_a_picture_is_found_by_its_text(x, server):
    """X appends the picture's address to it."""
    x.post(post("Crypt of Ash", media=(picture(),)))
    server.tweets[0]["text"] += " https://t.co/abc"

    assert x.find(post("Crypt of Ash", media=(picture(),))).remote_id == "1000"
