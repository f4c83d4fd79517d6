"""The console target prints one honest line a post."""

import io
import sys

import pytest

from bot import BotError
from tests.plugins.targets.posts import SOUND, picture, post, target


@pytest.fixture
def console(tmp_path):
    return target("console", tmp_path)


def test_one_plain_line_where_no_terminal_is(console, capsys):
    """Into a file or a pipe goes the bare text, and the receipt says what happened."""
    receipt = console.post(post("Crypt of Ash"))

    assert capsys.readouterr().out == "metal » Crypt of Ash\n"
    assert receipt.evidence == "printed"


def test_colours_on_a_terminal(console, monkeypatch):
    """A terminal gets colours."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    console.post(post("Crypt of Ash"))

    assert "\x1b[1mCrypt of Ash\x1b[0m" in sys.stdout.getvalue()


def test_a_text_cannot_command_the_terminal(console, capsys):
    """Control, bidi and invisible characters, breaks and markup are shown, not obeyed; spaces stay."""
    console.post(post("a\x1b[2J\r\nb\u202ec\u200bd\u2028 [bold]:skull: e\u3000f\ue000"))

    out = capsys.readouterr().out
    assert out == "metal » a\\x1b[2J\\r\\nb\\u202ec\\u200bd\\u2028 [bold]:skull: e\u3000f\\ue000\n"


def test_a_long_text_stays_on_its_line(console, capsys):
    """No line is wrapped at some width."""
    console.post(post("doom " * 100))

    assert capsys.readouterr().out.count("\n") == 1


def test_a_poor_encoding_is_no_failure(console, monkeypatch):
    """What the terminal cannot encode is escaped: a post must not fail half-way for that."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", newline="\n"))
    console.post(post("Mörk"))

    assert b"M\\xf6rk" in raw.getvalue()


def test_it_cannot_be_asked(console):
    """An opaque target says so instead of pretending to know."""
    assert console.kind == "opaque"
    with pytest.raises(BotError, match="cannot be asked"):
        console.find(post())


def test_attachments_are_named(console, capsys):
    """A terminal shows no pictures."""
    console.post(post("Crypt of Ash", media=(picture(), SOUND)))

    assert capsys.readouterr().out == "metal » Crypt of Ash  + plate.png  + gong.mp3\n"
