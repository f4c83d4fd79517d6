"""The mastodon target against mastodon-mock, a Mastodon stand-in in a process of its own."""

import logging
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests

from bot import BotError, NotSent, Refused
from bot.errors import ConfigError
from tests.plugins.targets.posts import SOUND, picture, post, target
from tests.plugins.targets.servers import Handler, reset, serving

CANARY = "token-canary"


@pytest.fixture
def server(mastodon_server):
    reset(mastodon_server)
    return mastodon_server


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Builds a target as the configuration gives it."""
    monkeypatch.setenv("TOKEN", "mock_token")
    built = []

    def build(**options):
        options = {"account": "testuser@example.social", "access_token": {"env": "TOKEN"}} | options
        built.append(target("mastodon", tmp_path, **options))
        return built[-1]

    yield build
    for mastodon in built:
        mastodon.client.session.close()


@pytest.fixture
def aim(build, server):
    """Builds a target that posts to the stand-in."""

    def aim(**options):
        mastodon = build(**options)
        mastodon.client.api_base_url = server
        return mastodon

    return aim


def fault(server, **rule):
    """Have the stand-in fail at the next post."""
    match = {"methods": ["POST"], "path": "/api/v1/statuses"}
    body = {"match": match, "effect": {"type": "status"} | rule, "count": 1}
    requests.post(f"{server}/api/v1/_mock/faults", json=body, timeout=10).raise_for_status()


def sent(mastodon):
    return [status["content"] for status in mastodon.client.account_statuses(mastodon._me["id"])]


def test_a_post_arrives(aim):
    """Text, visibility, warning and language stand there as configured; its address comes back."""
    mastodon = aim(visibility="unlisted", content_warning="Gore", language="de")
    receipt = mastodon.post(post("Gräber & <Söhne>"))

    status = mastodon.client.status(receipt.remote_id)
    assert status["content"] == "<p>Gräber &amp; &lt;Söhne&gt;</p>"
    assert (status["visibility"], status["spoiler_text"], status["language"]) == ("unlisted", "Gore", "de")
    assert receipt.url == status["url"]
    assert mastodon.account == "mastodon testuser@example.social"


def test_the_same_key_is_the_same_post(aim):
    """A repeated post is the one that stands there already, also by another object."""
    first = aim().post(post())

    assert aim().post(post()) == first
    assert aim().post(post(key="k2")) != first
    assert len(sent(aim())) == 2


def test_what_is_asked_of_the_server(build, monkeypatch):
    """The key goes with each post, nobody may be mentioned, and no redirect is followed."""
    mastodon, asked = build(), []
    monkeypatch.setattr(requests.Session, "send", lambda *given, **options: asked.append((given, options)))

    with pytest.raises(Exception):  # noqa: B017, PT011
        mastodon.client.status_post("x", idempotency_key="k1")
    ((_, request), options) = asked[0]
    assert request.headers["Idempotency-Key"] == "k1"
    assert "allowed_mentions%5B%5D=" in request.body.split("&")
    assert not options["allow_redirects"]
    assert options["timeout"] == (3, 7)


def test_the_token_of_another_account_posts_nothing(aim):
    """What was approved for one account goes to no other."""
    mastodon = aim(account="somebody@example.social")

    with pytest.raises(NotSent, match="not somebody's, but testuser's"):
        mastodon.post(post())
    assert sent(mastodon) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_final_no(aim, server, status):
    """A request that the server will not have is refused, in its own words."""
    fault(server, status=status, body={"error": "It may not be"})
    mastodon = aim()

    with pytest.raises(Refused, match=rf"returned error {status} .*It may not be"):
        mastodon.post(post())
    assert sent(mastodon) == []


def test_too_long_for_the_server(aim):
    """The stand-in's own limit is the one that is measured."""
    mastodon = aim(max_length=600)

    assert mastodon.max_length == 600
    with pytest.raises(Refused, match="too long"):
        mastodon.post(post("x" * 501))
    mastodon.post(post("x" * 500))


@pytest.mark.parametrize(("value", "wait"), [("{60}", 60), ("tomorrow", 900), (None, 900)])
def test_too_many_requests(aim, server, value, wait):
    """A 429 is certainly not sent, and it is not waited for inside the call."""
    soon = datetime.now(UTC) + timedelta(seconds=60)
    headers = {} if value is None else {"X-RateLimit-Reset": value.replace("{60}", soon.isoformat())}
    fault(server, status=429, headers=headers)

    with pytest.raises(NotSent) as caught:
        aim().post(post())
    assert caught.value.retry_after == pytest.approx(wait, abs=30)


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_nobody_knows(aim, server, status):
    """A server's failure is neither refused nor not sent."""
    fault(server, status=status)

    with pytest.raises(Exception, match=str(status)) as caught:
        aim().post(post())
    assert not isinstance(caught.value, Refused | NotSent)


def test_before_the_post_everything_is_certain(aim, server):
    """If already the question who we are fails, nothing was sent."""
    rule = {"match": {"path": "*verify_credentials"}, "effect": {"type": "status", "status": 503}, "count": 1}
    requests.post(f"{server}/api/v1/_mock/faults", json=rule, timeout=10).raise_for_status()

    with pytest.raises(NotSent, match="503"):
        aim().post(post())


def test_no_way_to_it(build):
    """If no connection comes about, nothing was sent."""
    mastodon = build()
    with serving(Handler) as unused:
        mastodon.client.api_base_url = f"http://127.0.0.1:{unused.server_port}"
    with pytest.raises(NotSent, match=r"example\.social cannot be reached"):
        mastodon.post(post())


def test_a_post_whose_answer_was_lost_is_found(aim):
    """Its text among the account's newest posts is evidence, however the server has wrapped it."""
    mastodon = aim()
    text = "Rot & <Roll> &amp; Mo\u0308rk\nsee https://example.org/a?b=c\n\nend"
    assert mastodon.find(post(text)) is None
    receipt = mastodon.post(post(text))
    mastodon.post(post("another", key="k2"))

    assert mastodon.find(post(text)).remote_id == receipt.remote_id
    assert mastodon.find(post("Rot")) is None


def test_an_older_post_of_the_same_text_is_none(aim):
    """Only what was posted since the first attempt counts."""
    mastodon = aim()
    mastodon.post(post())
    later = SimpleNamespace(text=post().text, created_at=datetime.now(UTC) + timedelta(minutes=6))

    assert mastodon.find(later) is None


def test_too_much_to_look_through(aim, monkeypatch):
    """Where the post may stand on a further page, absence is not claimed."""
    mastodon = aim()
    monkeypatch.setattr(sys.modules[type(mastodon).__module__], "PAGE", 3)
    for number in range(4):
        mastodon.post(post(f"t{number}", key=f"k{number}"))

    assert mastodon.find(post("t1")) is not None
    with pytest.raises(BotError, match="over 3 posts"):
        mastodon.find(post("t0"))


def test_it_asks_for_the_mark_of_a_bot(aim):
    """An account that is not marked as automated is something to mend."""
    mastodon = aim()
    assert "marked as automated" in mastodon.advice()

    mastodon.client.account_update_credentials(bot=True)
    assert aim().advice() == ""


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Crypt of Ash", 12),
        ("Mo\u0308rk 墓場", 7),
        ("👨‍👩‍👧‍👦🇩🇪", 2),
        ("see https://example.org/a/very/long/path?with=a&query=too#and so on", 3 + 1 + 23 + 6),
        ("hi @ada@example.org!", len("hi @ada!")),
    ],
)
def test_length_as_mastodon_counts_it(build, text, length):
    """Graphemes; an address is 23, whatever its length, and a mention is its name alone."""
    assert build().measure(text) == length


def test_a_warning_counts_too(build):
    """What the warning takes is not left for the text."""
    assert build(content_warning="Gore").max_length == 496


@pytest.mark.parametrize(
    "account", ["", "testuser", "@example.social", "me@https://example.social", "me@a b"]
)
def test_an_account_has_a_server(build, account):
    """Another form is told when the configuration is read."""
    with pytest.raises(ConfigError, match="write user@server"):
        build(account=account)


def test_a_server_elsewhere(build):
    """Some accounts' server has another address than what stands in their name."""
    mastodon = build(account="@me@example.social", instance="social.example.org")

    assert (mastodon.host, mastodon.account) == ("social.example.org", "mastodon me@example.social")


def test_no_token_is_written_down(aim, server, caplog, monkeypatch):
    """With everything logged, and in every error, no token appears."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TOKEN", CANARY)
    mastodon = aim()
    shown = [repr({name: value for name, value in vars(mastodon).items() if name != "client"})]
    for place in (server, "http://127.0.0.1:1"):
        mastodon.client.api_base_url = place
        with pytest.raises((Refused, NotSent)) as caught:  # the stand-in does not know this token
            mastodon.post(post())
        shown.append(str(caught.value))

    assert "canary" not in caplog.text + "".join(shown)


# ---- attachments ----------------------------------------------------------------------------------


def shown(mastodon, receipt):
    media = mastodon.client.status(receipt.remote_id)["media_attachments"]
    return [(one["type"], requests.get(one["url"], timeout=10).content, one["description"]) for one in media]


def test_pictures_stand_in_the_post_with_their_descriptions(aim):
    """As bytes, in their order."""
    mastodon = aim()
    one, other = picture(1), picture(2, "another")

    receipt = mastodon.post(post(media=(one, other)))

    assert shown(mastodon, receipt) == [
        ("image", one.content, one.alt_text),
        ("image", other.content, "another"),
    ]


def test_a_sound_can_be_played(aim):
    """One, for pictures and sounds do not mix there."""
    mastodon = aim()

    assert shown(mastodon, mastodon.post(post(media=(SOUND,)))) == [("audio", SOUND.content, "a gong")]
    images, audio = mastodon.takes
    assert (images.most, audio.most) == (4, 1)


def test_the_same_key_with_a_picture_is_the_same_post(aim):
    """Whatever was uploaded for it the second time."""
    first = aim().post(post(media=(picture(),)))

    assert aim().post(post(media=(picture(),))) == first
    assert len(sent(aim())) == 1


class Slow(Handler):
    """A server that is ready with an upload after so many looks."""

    def do_GET(self):
        if "verify_credentials" in self.path:
            self.reply(200, {"id": "1", "username": "testuser", "bot": True})
        elif "instance" in self.path:
            self.reply(200, {"version": "4.2.0"})
        else:
            self.server.looks += 1
            url = "https://example.org/1.mp3" if self.server.looks >= self.server.needs else None
            self.reply(200 if url else 206, {"id": "9", "type": "audio", "url": url})

    def do_POST(self):
        body = self.body()
        if "media" in self.path:
            self.server.uploads += 1
            self.reply(202, {"id": "9", "type": "audio", "url": None})
        else:
            self.server.posts.append(body.decode())
            self.reply(200, {"id": "77", "url": "https://example.org/77"})


@pytest.fixture
def slow(build, monkeypatch):
    """A target that posts to it."""
    with serving(Slow, looks=0, needs=3, uploads=0, posts=[]) as server:
        mastodon = build()
        mastodon.client.api_base_url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(sys.modules[type(mastodon).__module__], "PAUSE", 0.0)
        yield mastodon, server


def test_a_sound_is_posted_when_the_server_is_ready_with_it(slow):
    """Sooner it would be refused."""
    mastodon, server = slow

    assert mastodon.post(post(media=(SOUND,))).remote_id == "77"
    assert (server.uploads, server.looks) == (1, 3)
    assert "media_ids%5B%5D=9" in server.posts[0]


def test_an_upload_that_takes_long_is_not_made_again(slow, monkeypatch):
    """The next attempt finds it ready; until then nothing was posted."""
    mastodon, server = slow
    mastodon._check_account()
    server.needs = 1_000_000
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[type(mastodon).__module__], "UPLOADS", 0.5)
        with pytest.raises(NotSent):
            mastodon.post(post(media=(SOUND,)))
    assert (server.uploads, server.posts) == (1, [])

    server.needs = 0
    mastodon.post(post(media=(SOUND,)))
    assert (server.uploads, len(server.posts)) == (1, 1)


def test_what_people_see_beside_the_text_is_shown_before_an_approval(build):
    """Who may see it, and what it hides behind."""
    assert build().manner == ""
    assert (
        build(visibility="unlisted", content_warning="Gore").manner == "unlisted, behind the warning “Gore”"
    )
