"""The notify target: mail through a real SMTP server on this machine."""

import email
import logging
from email import policy

import pytest

pytest.importorskip("apprise")
pytest.importorskip("aiosmtpd")

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from bot import BotError
from bot.errors import ConfigError
from tests.plugins.targets.posts import SOUND, picture, post, target

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
PASSWORD = "password-canary"


class Mailbox:
    """Keeps each message; `answer` is what it says to one."""

    def __init__(self):
        self.messages, self.answer = [], "250 taken"

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return self.answer


class Smtp(Controller):
    """On a port that the system gives it."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def authenticate(server, session, envelope, mechanism, given):
    known = (given.login, given.password) == (b"bot", PASSWORD.encode())
    return AuthResult(success=known, handled=False)  # the server answers


@pytest.fixture
def mailbox():
    """An SMTP server that wants a password."""
    mailbox = Mailbox()
    controller = Smtp(
        mailbox, "127.0.0.1", 0, authenticator=authenticate, auth_required=True, auth_require_tls=False
    )
    controller.start()
    mailbox.port = controller.port
    yield mailbox
    controller.stop(no_assert=True)


@pytest.fixture
def aim(mailbox, tmp_path, monkeypatch):
    """Builds a target that sends mail to the server."""

    def aim(password=PASSWORD, more="", **options):
        place = f"127.0.0.1:{mailbox.port}"
        query = f"mode=insecure&format=text&from=bot@example.org&to=me@example.org{more}"
        monkeypatch.setenv("MAIL", f"mailto://bot:{password}@{place}/?{query}")
        return target("notify", tmp_path, secret_url={"env": "MAIL"}, **options)

    return aim


def test_a_post_is_a_message(aim, mailbox):
    """The text as it is, under the title as its subject."""
    receipt = aim(title="A band").post(post("Grüße & <b>墓</b> \\n"))

    [message] = mailbox.messages
    assert message["subject"] == "A band"
    assert message["to"] == "me@example.org"
    assert message.get_content().strip() == "Grüße & <b>墓</b> \\n"
    assert receipt.evidence


def test_a_message_that_is_not_taken(aim, mailbox):
    """apprise does not say how far it came, so nobody knows; it does not try again by itself."""
    mailbox.answer = "554 no"
    with pytest.raises(BotError, match="did not take it"):
        aim().post(post())
    assert len(mailbox.messages) == 1


def test_a_wrong_password(aim, mailbox):
    """Nothing arrives."""
    with pytest.raises(BotError, match="did not take it"):
        aim(password="wrong").post(post())
    assert mailbox.messages == []


@pytest.mark.parametrize(
    ("more", "complaint"), [("&retry=2", "would post twice"), ("&rto=300", "over 30 seconds")]
)
def test_what_an_address_may_not_ask_for(aim, more, complaint):
    """Neither to be tried again inside a call nor to wait for ever."""
    with pytest.raises(ConfigError, match=complaint):
        aim(more=more)


def test_an_address_that_is_none(tmp_path, monkeypatch):
    """It is told without being quoted."""
    monkeypatch.setenv("MAIL", "nothing://canary")
    with pytest.raises(ConfigError, match="does not know an address of this form") as caught:
        target("notify", tmp_path, secret_url={"env": "MAIL"})
    assert "canary" not in str(caught.value)


def test_it_cannot_be_asked(aim):
    """Nobody knows means that a person must look."""
    with pytest.raises(BotError, match="cannot be asked"):
        aim().find(post())


def test_length(tmp_path, monkeypatch):
    """The limit is the service's own, and a title takes its part."""
    monkeypatch.setenv("CHAT", "discord://123456789012345678/" + "a" * 68)
    chat = target("notify", tmp_path, secret_url={"env": "CHAT"}, title="four")

    assert chat.max_length == 1996
    assert chat.measure("Grave") == 5


def test_no_secret_is_written_down(aim, mailbox, caplog):
    """With everything logged, and in every error, the password does not appear."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "mail.log")  # the server's own
    notify = aim()
    notify.post(post())
    mailbox.answer = "554 no"
    with pytest.raises(BotError) as caught:
        notify.post(post())

    assert "canary" not in caplog.text + repr(caught.value) + repr(vars(notify)) + notify.account


def test_attachments_go_with_the_message(aim, mailbox):
    """The picture and the sound as files, each with its name and type."""
    aim().post(post("Grüße", media=(picture(), SOUND)))

    [message] = mailbox.messages
    assert message.get_body().get_content().strip() == "Grüße"
    one, other = message.iter_attachments()
    assert (one.get_content_type(), one.get_filename()) == ("image/png", "plate.png")
    assert one.get_content() == picture().content
    assert other.get_content() == SOUND.content


def test_it_says_how_it_posts_and_what_the_service_takes(aim):
    """A subject is read too, so it is shown before an approval."""
    assert aim(title="A band").manner == "under the subject “A band”"
    assert aim().manner == ""
    assert aim().takes
