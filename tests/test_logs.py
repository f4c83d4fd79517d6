"""Logs: no secret in whatever form, one JSON object a line, libraries held back."""

import io
import json
import logging
import subprocess
import sys
import threading
from base64 import b64encode
from urllib.parse import quote

import pytest

from bot import logs
from bot.cli.journal import write_down
from bot.config import shipped
from bot.events import Approved, Delivered, Failed, Filled, SlotTaken
from bot.records import Secret
from tests.deliveries import delivery
from tests.queues import slot

CANARY = 'hunter/2 & é\\n"quoted"'


@pytest.fixture
def lines(tmp_path):
    """lines() -> what was logged to the stream, as JSON; and the process is guarded meanwhile."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, logging.getLogRecordFactory()
    stream = io.StringIO()
    level = logging.getLogger().level
    logs.guard()
    logs.open_logs(tmp_path / "run", stream, as_json=True)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.close_logs()
    logging.getLogger().setLevel(level)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks[:3]
    logging.setLogRecordFactory(hooks[3])


def forms(secret):
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        b64encode(secret.encode()).decode(),
    ]


@pytest.mark.parametrize("form", forms(CANARY), ids=["raw", "address", "json", "repr", "base64"])
def test_a_secret_is_taken_out_in_every_form(lines, form):
    """Of messages, of arguments, of what is nested in arguments."""
    Secret(CANARY)
    log = logging.getLogger("tweepy.client")

    log.warning("a %s", form)
    log.warning(form)
    log.warning("%(a)s", {"a": form})
    log.warning("%s", {"deep": [form]})
    log.warning("too few %s %s", form)

    said = json.dumps(lines(), ensure_ascii=False)
    assert len(lines()) == 5
    assert not [it for it in forms(CANARY) if it in said]
    assert "***" in said


def test_a_traceback_is_shown_without_the_secret(lines):
    """Also of the exceptions that it came from."""
    Secret("hunter-2000")
    try:
        try:
            raise KeyError("hunter-2000")
        except KeyError as error:
            raise ValueError("no hunter-2000 here") from error
    except ValueError:
        logging.getLogger("bot").exception("it failed")

    [line] = lines()
    assert "KeyError" in line["traceback"]
    assert "no *** here" in line["traceback"]
    assert "hunter" not in json.dumps(line)


@pytest.mark.parametrize(
    ("address", "quoted"),
    [
        ("https://discord.example/api/webhooks/1/s3cretpath", "POST /api/webhooks/1/s3cretpath HTTP/1.1"),
        ("https://me:s3cretword@host.example/", "auth=('me', 's3cretword')"),
        ("https://host.example/in?token=s3cretarg", "GET /in?token=s3cretarg"),
        ("mailtos://me:s3cretw%2Ford@mail.example", "535 bad credentials me s3cretw/ord"),
        ("https://me:s3cretword@host.example/", f"Basic {b64encode(b'me:s3cretword').decode()}"),
    ],
)
def test_of_an_address_its_secret_parts_are_secret_too(address, quoted):
    """Libraries quote the path without the host, or the password alone."""
    Secret(address)

    redacted = Secret.redact(quoted)

    assert "***" in redacted
    assert "s3cret" not in redacted
    assert b64encode(b"me:s3cretword").decode() not in redacted


def test_libraries_are_held_back(lines):
    """What tweepy and its kind write down below a warning is full of signatures."""
    for name in ("tweepy.client", "oauthlib", "urllib3.connectionpool", "httpx", "bot.posting"):
        logging.getLogger(name).info("a line")

    assert [line["logger"] for line in lines()] == ["bot.posting"]


def test_every_line_is_one_object_with_its_ids(lines, tmp_path):
    """The same is in the file, for who asks afterwards; no text of a queue is in either."""
    sent = delivery(state="uncertain", reason="the answer was: Crypt of Ash", target="pad", id=7, draft=3)
    for event in (
        Delivered(sent, 0),
        Failed("metal", "no model"),
        SlotTaken(slot(12), None),
        Approved("metal", "automatic", []),
        Filled("metal", Funnel(), [], 3),
    ):
        write_down(event)

    first, *others = lines()
    assert {"time", "level", "message"} <= first.keys()
    assert first["level"] == "warning"
    assert [first[key] for key in ("event", "bot", "target", "draft", "delivery", "state")] == [
        *("delivery", "metal", "pad", 3, 7, "uncertain")
    ]
    assert [line["event"] for line in others] == ["failed", "slot", "approved", "filled"]
    kept = (tmp_path / "run" / logs.FILE).read_text()
    assert [json.loads(line) for line in kept.splitlines()] == lines()
    assert "Crypt of Ash" not in kept


class Funnel:
    sampled, kept = 10, 4


def test_a_disk_that_takes_no_log_stops_nothing(tmp_path):
    """It is told where it can be."""
    (tmp_path / "file").touch()
    stream = io.StringIO()
    logs.open_logs(tmp_path / "file" / "run", stream, as_json=False)
    logging.getLogger("bot").warning("go on")
    logs.close_logs()

    assert "go on" in stream.getvalue()


DYING = """
import threading
from bot.logs import guard
from bot.records import Secret
guard()
Secret("hunter-2001")
class Bad:
    def __del__(self): raise ValueError("hunter-2001")
Bad()
def fail(): raise ValueError("hunter-2001")
thread = threading.Thread(target=fail); thread.start(); thread.join()
fail()
"""


def test_what_nobody_catches_shows_no_secret():
    """In the main thread, in another one, in a destructor."""
    died = subprocess.run([sys.executable, "-c", DYING], capture_output=True, text=True)

    assert died.returncode == 1
    assert died.stderr.count("ValueError: ***") == 3
    assert "hunter-2001" not in died.stderr


def test_a_crash_is_left_where_it_is_found(tmp_path):
    """With where every thread stood, for a job that hangs says nothing itself."""
    Secret("hunter-2002")
    logs.write_crash(tmp_path / "run", ValueError("wrong: hunter-2002"))

    crash = (tmp_path / "run" / logs.CRASH).read_text()
    assert "ValueError: wrong: ***" in crash
    assert "thread MainThread:" in crash


NOISY = """
import os
from bot.cli.running import stdout_for_lines
lines = stdout_for_lines()
print("from a plugin", flush=True)
os.system("echo from a child")
print("{}", file=lines, flush=True)
"""


def test_what_is_printed_stays_out_of_the_lines():
    """A target may print, as console does, and so may its child; it goes to stderr."""
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, cwd=shipped())

    assert done.stdout == "{}\n"
    assert done.stderr == "from a plugin\nfrom a child\n"
