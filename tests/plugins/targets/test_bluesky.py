"""The bluesky target against a stand-in for its server on this machine that keeps to the lexicon."""

import logging
from datetime import timedelta

import pytest

pytest.importorskip("atproto")

from atproto.exceptions import BadRequestError, RequestException

from bot import NotSent, Refused, Secret
from bot.errors import ConfigError
from tests.plugins.targets import bluesky_server
from tests.plugins.targets.bluesky_server import DID, HANDLE, PASSWORD
from tests.plugins.targets.posts import NOON, picture, post, target
from tests.plugins.targets.servers import Handler, serving

POSTS = "app.bsky.feed.post"


@pytest.fixture
def server():
    with serving(bluesky_server.Bluesky, **bluesky_server.state()) as server:
        yield server


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Builds a target as the configuration gives it."""
    monkeypatch.setenv("PASSWORD", PASSWORD)
    built = []

    def build(**options):
        options = {"handle": HANDLE, "app_password": {"env": "PASSWORD"}} | options
        built.append(target("bluesky", tmp_path, **options))
        return built[-1]

    yield build
    for bluesky in built:
        if "client" in vars(bluesky):
            bluesky.client.request.close()


@pytest.fixture
def aim(build, server):
    """Builds a target that posts to the stand-in."""

    def aim(**options):
        bluesky = build(**options)
        bluesky.server = f"http://127.0.0.1:{server.server_port}"
        return bluesky

    return aim


def test_a_post_is_a_record(aim, server):
    """Text, time, languages and labels stand in it as configured, and nothing is made a link."""
    bluesky = aim(languages=["en", "de"], labels=["graphic-media"])
    receipt = bluesky.post(post("Crypt of Ash #grave @ada.example.org"))

    [((collection, rkey), record)] = server.records.items()
    assert collection == POSTS
    assert record == {
        "$type": POSTS,
        "text": "Crypt of Ash #grave @ada.example.org",
        "createdAt": "2026-03-01T12:00:00.000Z",
        "langs": ["en", "de"],
        "labels": {
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{"$type": "com.atproto.label.defs#selfLabel", "val": "graphic-media"}],
        },
    }
    assert receipt.remote_id == f"at://{DID}/{POSTS}/{rkey}"
    assert receipt.url == f"https://bsky.app/profile/{HANDLE}/post/{rkey}"
    assert bluesky.account == f"bluesky {HANDLE}"


def test_the_same_post_again_changes_nothing(aim, server):
    """The same key is the same record, also for another object; another key is another."""
    first = aim().post(post())

    assert aim().post(post()) == first
    assert server.commits == 1
    aim().post(post(key="k2"))
    assert server.commits == len(server.records) == 2


def test_records_are_named_in_the_order_of_their_times(aim, server):
    """A record's name is a TID, which sorts by time; the stand-in takes no other."""
    bluesky = aim()
    for minute in range(5):
        bluesky.post(post(f"at {minute}", key=f"k{minute}", minutes=minute))

    assert [record["text"] for _, record in sorted(server.records.items())] == [f"at {n}" for n in range(5)]


def test_a_records_name_is_its_time(aim, server):
    """Read back as the specification has it, a TID gives the second of the post."""
    aim().post(post())

    [(_, rkey)] = server.records
    letters = "234567abcdefghijklmnopqrstuvwxyz"
    number = sum(letters.index(letter) << 5 * place for place, letter in enumerate(reversed(rkey)))
    assert (
        timedelta()
        <= timedelta(microseconds=number >> 10) - timedelta(seconds=NOON.timestamp())
        < timedelta(seconds=1)
    )


def test_the_stand_in_keeps_to_what_is_documented(aim, server):
    """createRecord on a name that is taken answers 500; what the lexicon forbids, 400; no token, 401."""
    bluesky = aim()
    bluesky.post(post())
    repo = bluesky.client.com.atproto.repo
    [(_, rkey)] = server.records
    record = {"repo": HANDLE, "collection": POSTS, "rkey": rkey, "record": bluesky._record(post())}

    with pytest.raises(RequestException, match="500 InternalServerError"):
        repo.create_record(record)
    with pytest.raises(BadRequestError, match="400 InvalidRequest"):
        repo.put_record(record | {"rkey": "self"})
    with pytest.raises(BadRequestError, match="400 InvalidRequest"):
        repo.put_record(record | {"record": {"$type": POSTS, "text": "no time"}})
    listed = repo.list_records({"repo": HANDLE, "collection": POSTS}).records
    assert [item.value.text for item in listed] == ["Crypt of Ash"]


def test_it_logs_in_once(aim, server):
    """At the first post, not before."""
    bluesky = aim()
    assert server.logins == 0
    bluesky.post(post())
    bluesky.post(post(key="k2"))
    assert server.logins == 1


def test_a_session_that_is_over(aim, server):
    """Certainly not sent, and the next attempt logs in again."""
    bluesky = aim()
    bluesky.post(post())
    server.tokens = ("", "")

    with pytest.raises(NotSent, match="the session is over: 400 ExpiredToken"):
        bluesky.post(post(key="k2"))
    assert bluesky.post(post(key="k2")).remote_id


def test_a_sessions_tokens_are_secrets(aim, server):
    """As long as they are good, and one session longer; they do not pile up."""
    server.life, bluesky, tokens = 60, aim(), []
    for number in range(3):
        bluesky.post(post(key=f"k{number}"))
        tokens.append(server.tokens)

    assert len({*tokens}) == 3
    assert [Secret.redact(" ".join(pair)) == "*** ***" for pair in tokens] == [False, True, True]


def test_a_session_is_renewed(aim, server):
    """One that is about to end is renewed before the post, without the password."""
    server.life = 60
    bluesky = aim()
    bluesky.post(post())
    bluesky.post(post(key="k2"))

    assert server.logins == 3  # a login, and a renewal before each post
    assert server.commits == 2


def test_a_wrong_password(aim, server, monkeypatch):
    """Refused in the server's words, and nothing is there."""
    monkeypatch.setenv("PASSWORD", "wrong")

    with pytest.raises(Refused, match="401 AuthenticationRequired: Invalid identifier or password"):
        aim().post(post())
    assert server.commits == 0


def test_before_the_post_everything_is_certain(aim, server, monkeypatch):
    """If already the login fails, nothing was sent."""

    def fail(self, given):
        raise bluesky_server.Nope(503, "ServiceUnavailable", "Come back later")

    monkeypatch.setattr(bluesky_server.Bluesky, "server_createSession", fail)
    with pytest.raises(NotSent, match="no login: 503 ServiceUnavailable: Come back later"):
        aim().post(post())
    assert server.commits == 0


def test_too_long_for_the_server(aim):
    """What measures more than 300 is what the server refuses, by graphemes and by bytes."""
    bluesky, family = aim(), "👨‍👩‍👧‍👦"
    for text in ("x" * 300, "墓" * 300, family * 120):
        assert bluesky.measure(text) <= 300
        bluesky.post(post(text, key=text[:1]))
    for text, limit in (("x" * 301, "300 graphemes"), (family * 121, "3000 bytes")):
        assert bluesky.measure(text) > 300
        with pytest.raises(Refused, match=f"400 InvalidRequest: .*{limit}"):
            bluesky.post(post(text))


def test_a_post_whose_answer_was_lost_is_found(aim):
    """By its record's name; what is not there is not found."""
    bluesky = aim()
    assert bluesky.find(post()) is None
    receipt = bluesky.post(post())

    found = bluesky.find(post())
    assert (found.remote_id, found.url) == (receipt.remote_id, receipt.url)
    assert found.evidence


def test_it_asks_for_the_mark_of_a_bot(aim, server):
    """A profile without the label `bot` is something to mend, and so is none."""
    bluesky, place = aim(), ("app.bsky.actor.profile", "self")
    assert "marked as automated" in bluesky.advice()
    server.records[place] = {"$type": place[0], "displayName": "Metal"}
    assert "marked as automated" in bluesky.advice()

    labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "bot"}]}
    server.records[place] = server.records[place] | {"labels": labels}
    assert bluesky.advice() == ""


@pytest.mark.parametrize(
    "options",
    [{"handle": "me"}, {"handle": "a b.c"}, {"server": "https://bsky.social"}, {"languages": [*"abcd"]}],
)
def test_what_is_wrong_is_said_at_once(build, options):
    """When the configuration is read, not at the first post."""
    with pytest.raises(ConfigError):
        build(**options)


def test_no_way_to_it(build):
    """If no connection comes about, nothing was sent."""
    bluesky = build()
    with serving(Handler) as unused:
        bluesky.server = f"http://127.0.0.1:{unused.server_port}"
    with pytest.raises(NotSent, match="cannot be reached"):
        bluesky.post(post())


def test_no_secret_is_written_down(aim, server, caplog):
    """With everything logged, and in every error, neither the password nor a token appears."""
    caplog.set_level(logging.DEBUG)
    bluesky = aim()
    bluesky.post(post())
    tokens = server.tokens
    server.tokens = ("", "")
    with pytest.raises(NotSent) as caught:
        bluesky.post(post(key="k2"))

    shown = caplog.text + str(caught.value) + repr(bluesky) + repr(vars(bluesky))
    assert not [secret for secret in (PASSWORD, *tokens) if secret in shown]


def test_a_login_that_cannot_be_read_shows_nothing(aim, server, monkeypatch):
    """Half a session is no session, and its tokens stay out of the error."""
    half = bluesky_server.Bluesky.session
    monkeypatch.setattr(bluesky_server.Bluesky, "session", lambda self: half(self) | {"did": 7})

    with pytest.raises(NotSent, match=r"^no login: \w+$") as caught:
        aim().post(post())
    assert server.tokens[0][:20] not in str(caught.value)


# ---- attachments ----------------------------------------------------------------------------------


def test_pictures_stand_in_the_record(aim, server):
    """With their words and their shape; the server has their bytes."""
    aim().post(post(media=(picture(1), picture(2))))

    [record] = server.records.values()
    assert record["embed"]["$type"] == "app.bsky.embed.images"
    one, other = record["embed"]["images"]
    assert one["alt"] == picture().alt_text
    assert (one["aspectRatio"]["width"], one["aspectRatio"]["height"]) == (4, 3)
    assert server.blobs[one["image"]["ref"]["$link"]] == ("image/png", picture(1).content)
    assert server.blobs[other["image"]["ref"]["$link"]] == ("image/png", picture(2).content)


def test_the_same_post_with_a_picture_again_changes_nothing(aim, server):
    """A picture is named by its bytes, so the record is the same."""
    first = aim().post(post(media=(picture(),)))

    assert aim().post(post(media=(picture(),))) == first
    assert server.commits == 1


def test_a_session_that_ends_before_the_upload(aim, server):
    """Nothing was posted; the next attempt logs in again."""
    bluesky = aim()
    bluesky.post(post(key="k0"))
    server.tokens = ("other", "other")

    with pytest.raises(NotSent, match="the session is over"):
        bluesky.post(post(media=(picture(),)))
    bluesky.post(post(media=(picture(),)))
    assert len(server.records) == 2


def test_labels_are_shown_before_an_approval(build):
    """People see them before the text."""
    assert build(labels=["graphic-media"]).manner == "behind the label graphic-media"
    assert build().manner == ""
