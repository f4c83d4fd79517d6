"""The webhook target against a server on this machine."""

import base64
import email
import json
import logging

import pytest

from bot import BotError, NotSent, Refused
from bot.errors import ConfigError
from tests.plugins.targets.posts import SOUND, picture, post, target
from tests.plugins.targets.servers import Handler, serving

PATH = "/api/webhooks/1/canary"


class Hook(Handler):
    """Keeps what is posted, and answers what `server.answer` says: status, body, headers."""

    def do_POST(self):
        self.server.requests.append((self.path, self.headers, self.body()))
        status, body, headers = self.server.answer
        self.reply(status, body, **headers)


@pytest.fixture
def server():
    with serving(Hook, requests=[], answer=(204, b"", {})) as server:
        yield server


@pytest.fixture
def aim(server, tmp_path, monkeypatch):
    """Builds a target that posts to the server."""
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.server_port}{PATH}")
    return lambda **options: target("webhook", tmp_path, secret_url={"env": "HOOK"}, **options)


def test_a_post_is_one_object(aim, server):
    """The text and the key, by which a receiver may know a post again; a 2xx is the evidence."""
    receipt = aim().post(post("Grüße 墓"))

    [(path, headers, body)] = server.requests
    assert (path, headers["content-type"]) == (PATH, "application/json")
    assert body == (
        b'{"text": "Gr\\u00fc\\u00dfe \\u5893", "bot": "metal", "key": "k1", '
        b'"created_at": "2026-03-01T12:00:00+00:00"}'
    )
    assert receipt.evidence == "127.0.0.1 answered 204 No Content"


def test_discord_notifies_nobody(aim, server):
    """A message that mentions no one, waited for, so that it comes back with its id."""
    server.answer = 200, {"id": "77", "content": "@everyone"}, {}
    receipt = aim(form="discord").post(post("@everyone"))

    [(path, _, body)] = server.requests
    assert path == f"{PATH}?wait=true"
    assert body == b'{"content": "@everyone", "allowed_mentions": {"parse": []}}'
    assert receipt.remote_id == "77"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", {"id": None}])
def test_discord_without_an_id(aim, server, body):
    """An answer that names no message proves none."""
    server.answer = 200, body, {}

    with pytest.raises(BotError, match="no message with an id"):
        aim(form="discord").post(post())


def test_an_answer_without_end(aim, server):
    """No more than a megabyte of it is read."""
    server.answer = 200, b'{"id": "' + b"7" * 3_000_000 + b'"}', {}

    with pytest.raises(BotError, match="no message with an id"):
        aim(form="discord").post(post())


@pytest.mark.parametrize(
    ("header", "wait"), [({}, 900), ({"retry_after": "1.5"}, 1.5), ({"retry_after": "x"}, 900)]
)
def test_too_many_requests(aim, server, header, wait):
    """A 429 is certainly not sent."""
    server.answer = 429, b"", header

    with pytest.raises(NotSent, match="answered 429 Too Many Requests") as caught:
        aim().post(post())
    assert caught.value.retry_after == wait


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 499])
def test_a_final_no(aim, server, status):
    """A request that the server will not have is refused."""
    server.answer = status, b"", {}

    with pytest.raises(Refused, match=f"answered {status}"):
        aim().post(post())


def test_a_redirect_leads_nowhere(aim, server):
    """It is told and not followed; nobody knows what the server has made of the post."""
    server.answer = 301, b"", {"location": "/elsewhere/canary"}

    with pytest.raises(
        BotError, match="answered 301 Moved Permanently: redirects are not followed"
    ) as caught:
        aim().post(post())
    assert len(server.requests) == 1
    assert "canary" not in str(caught.value)


def test_it_cannot_be_asked(aim):
    """Nobody knows means that a person must look."""
    with pytest.raises(BotError, match="cannot be asked"):
        aim().find(post())


@pytest.mark.parametrize(("form", "text", "length"), [("json", "ab", 2), ("discord", "a🤘", 3)])
def test_length(aim, form, text, length):
    """Discord takes 2000, any other webhook what it will."""
    hook = aim(form=form)

    assert hook.measure(text) == length
    assert hook.max_length == {"json": None, "discord": 2000}[form]


@pytest.mark.parametrize("url", ["example.org/canary", "ftp://example.org/canary", "https:///canary"])
def test_an_address_that_is_none(aim, monkeypatch, url):
    """It is told without being quoted."""
    monkeypatch.setenv("HOOK", url)

    with pytest.raises(ConfigError, match="must begin with https://") as caught:
        aim()
    assert "canary" not in str(caught.value)


def test_two_addresses_are_two_accounts(aim, monkeypatch):
    """They post side by side, and what was approved for one does not go to the other."""
    first = aim().account
    monkeypatch.setenv("HOOK", "http://127.0.0.1/other")

    assert aim().account != first
    assert first.startswith("webhook 127.0.0.1 ")


def test_the_address_is_not_written_down(aim, server, caplog, monkeypatch):
    """With everything logged, and in every error, it does not appear."""
    caplog.set_level(logging.DEBUG)
    hook = aim()
    hook.post(post())
    shown = [repr(vars(hook)), hook.account]
    for answer in [(404, b"", {}), (500, b"", {}), (200, b"", {"content_length": 7})]:
        server.answer = answer
        with pytest.raises(Exception) as caught:  # noqa: PT011
            aim(form="discord").post(post())
        shown.append(f"{caught.value!r}")
    with serving(Hook) as unused:
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{unused.server_port}{PATH}")
    with pytest.raises(NotSent, match="cannot be reached") as unreached:
        aim().post(post())

    assert "canary" not in caplog.text + "".join(shown) + repr(unreached.value)


# ---- attachments ----------------------------------------------------------------------------------


def test_attachments_go_in_the_object(aim, server):
    """In base64, with their types, names and words."""
    aim().post(post(media=(picture(), SOUND)))

    [(_, _, body)] = server.requests
    one, other = json.loads(body)["media"]
    assert base64.b64decode(one.pop("base64")) == picture().content
    assert one == {"name": "plate.png", "media_type": "image/png", "alt_text": picture().alt_text}
    assert base64.b64decode(other["base64"]) == SOUND.content


def test_discord_gets_files_with_descriptions(aim, server):
    """In one request with the message, so that a lost answer leaves no picture without its text."""
    server.answer = 200, {"id": "77"}, {}
    receipt = aim(form="discord").post(post("墓", media=(picture(), SOUND)))

    [(path, headers, body)] = server.requests
    head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
    parts = {part.get_param("name", header="content-disposition"): part for part in parsed(head + body)}
    message = json.loads(parts["payload_json"].get_payload(decode=True))
    assert path == f"{PATH}?wait=true"
    assert (message["content"], message["allowed_mentions"]) == ("墓", {"parse": []})
    assert message["attachments"] == [
        {"id": 0, "filename": "plate.png", "description": picture().alt_text},
        {"id": 1, "filename": "gong.mp3", "description": "a gong"},
    ]
    assert parts["files[0]"].get_payload(decode=True) == picture().content
    assert parts["files[1]"].get_filename() == "gong.mp3"
    assert receipt.remote_id == "77"


def parsed(message):
    """The parts of a multipart body."""
    return email.message_from_bytes(message).get_payload()


def test_it_says_what_it_takes(aim):
    """Discord takes ten files of ten million bytes together, an endpoint eight of eight."""
    [files], [any_of_them] = aim(form="discord").takes, aim().takes

    assert (files.most, files.in_all, files.longest_alt_text) == (10, 10_000_000, 1024)
    assert (any_of_them.media_types, any_of_them.in_all) == (("*/*",), 8_000_000)
