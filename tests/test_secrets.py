"""Twelve kinds of secrets, and a bot whose plugins quote all of them wherever they can: none gets out.

What is searched: all that the commands print, and every file that they leave: database, backup, log, crash,
pulse, bundle.
"""

import json
import os
import subprocess
import sys
import zipfile
from base64 import b64encode
from urllib.parse import quote

import pytest

from bot.config import shipped

CANARIES = {
    "consumer_key": "CANARY-01-consumer/key",
    "consumer_secret": "CANARY-02-consumer+secret",
    "access_token": "CANARY-03-access-token",
    "access_token_secret": "CANARY-04-access\"token'secret",
    "mastodon_token": "CANARY-05-mastodon",
    "app_password": "CANARY-06 app password",
    "webhook_url": "https://127.0.0.1:9/hooks/CANARY-07-webhook-path",
    "mail_url": "mailtos://ada:CANARY-08-mail%2Fpassword@127.0.0.1:9",
    "basic_url": "https://ada:CANARY-09-url-password@127.0.0.1:9/feed",
    "query_url": "https://127.0.0.1:9/in?token=CANARY-10-query-token",
    "from_file": "CANARY-11-from-a-file\nCANARY-11-second-line",
}
PASSWORD = "CANARY-12-database-password"
NEEDLES = [f"CANARY-{number:02}" for number in range(1, 13)]

PLUGIN = """
import logging
import os
from bot import BotError, NotSent, Receipt, Secret, hookimpl

log = logging.getLogger("tweepy.client")


def quoted(secrets, how):
    return how.join(secret.reveal() for secret in secrets)


def leak(secrets):
    log.warning("FATAL: authentication failed with %s", os.environ["PGPASSWORD"])
    for secret in secrets:
        value = secret.reveal()
        log.debug("Request headers: %s", value)
        log.warning("Request headers: %r", {{"Authorization": value}})
        log.warning("POST " + value.partition("9/")[2])
        try:
            raise ConnectionError(f"cannot reach {{value}}")
        except ConnectionError:
            log.exception("no luck with %s", value)


class Leaky:
    kind, account, max_length = "opaque", "leaky", None

    def __init__(self, {parameters}):
        self.secrets = [{names}]

    def measure(self, text):
        leak(self.secrets)
        return len(text)

    def post(self, post):
        leak(self.secrets)
        raise RuntimeError("the server said: " + quoted(self.secrets, "&"))

    def find(self, post):
        raise RuntimeError(quoted(self.secrets, " "))

    def advice(self):
        raise RuntimeError(quoted(self.secrets, " "))


class Unsent(Leaky):
    account = "unsent"

    def post(self, post):
        raise NotSent("not now: " + quoted(self.secrets, ", "))


class Broken(Leaky):
    account = "broken"

    def __init__(self, {parameters}):
        raise ValueError([{names}][0].reveal() + " is no token")


class Filter:
    def __init__(self, {parameters}):
        self.secrets = [{names}]

    def __call__(self, candidate, context):
        if candidate.index % 3 == 0:
            raise RuntimeError(quoted(self.secrets, " "))
        if candidate.index % 50 == 49:
            leak(self.secrets)
        return candidate


@hookimpl
def register_targets():
    return {{"leaky": Leaky, "unsent": Unsent, "broken": Broken}}


@hookimpl
def register_filters():
    return {{"leaky_filter": Filter}}
"""

SCRIPT = """
import os, sys, threading
import bot.pipeline as pipeline
from bot.cli import main
from bot.records import Secret

turn, crash = threading.Event(), []
posting = pipeline.Posting.__call__


def post(self):
    posting(self)
    if sum(delivery.attempts > 0 for delivery in self._house.deliveries.list(bot="night")) > 3:
        turn.set()  # a slot has come: not only the draft that was posted by hand was tried, on three targets


def watch(stop, *_):
    assert turn.wait(120)
    raise RuntimeError("the end of " + " ".join([*sorted(Secret._met), os.environ["PGPASSWORD"]]))


pipeline.Posting.__call__, pipeline.watch = post, watch
for line in sys.stdin.read().splitlines():
    print("$ bot", line, flush=True)
    sys.argv = ["bot", *line.split()]
    try:
        main()
    except SystemExit as error:
        print(error.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
"""

COMMANDS = """\
fill night --seed 5
approve 1
approve 2
approve 3
post night
status
why 1
queue --json
doctor
run --log json
status --json
backup copy.db
postmortem bundle.zip --texts
plugins --json
"""


@pytest.fixture
def leaky(bot_folder, monkeypatch):
    """The trained bot with those plugins; every secret is a reference."""
    folder = bot_folder.parent
    parameters = ", ".join(f"{name}: Secret" for name in CANARIES)
    plugin = folder / "plugins" / "leaky.py"
    plugin.parent.mkdir(exist_ok=True)
    plugin.write_text(PLUGIN.format(parameters=parameters, names=", ".join(CANARIES)))
    options = {name: {"env": f"LEAKY_{name.upper()}"} for name in CANARIES}
    options["from_file"] = {"file": "secret.txt"}
    (folder / "secret.txt").write_text(CANARIES["from_file"])
    for name, value in CANARIES.items():
        if name != "from_file":
            monkeypatch.setenv(f"LEAKY_{name.upper()}", value)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    given = json.dumps(options)
    text = bot_folder.read_text().replace("not_seen_before]", f"not_seen_before, leaky_filter: {given}]")
    text = text.replace("{feed: {path: feed.xml}}", f"{{leaky: {given}}}, {{unsent: {given}}}")
    bot_folder.write_text(text)
    return bot_folder


def everything(folder, printed):
    """Name -> bytes of all that was printed and is left, the secret's own file apart; zips are opened."""
    found = {"printed": printed.encode()}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "secret.txt" and path.suffix != ".pyc":
            found[str(path.relative_to(folder))] = path.read_bytes()
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        found |= {f"bundle: {name}": bundle.read(name) for name in bundle.namelist()}
    return found


def forms(needle):
    """As it would stand in a log, an address, JSON, base64 at any offset."""
    yield needle.encode()
    yield quote(needle, safe="").encode()
    for offset in range(3):
        yield b64encode(b"x" * offset + needle.encode())[4 * (offset > 0) : -4]


def test_none_of_twelve_kinds_of_secrets_gets_out(leaky):
    """Of targets, addresses, the database, by environment and by file: into no log, row, backup or bundle."""
    folder = leaky.parent
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=COMMANDS,
        cwd=folder,
        env=os.environ | {"BOT_CONFIG": str(leaky), "PYTHONPATH": str(shipped())},
        capture_output=True,
        text=True,
        timeout=600,
    )
    printed = done.stdout + done.stderr

    found = everything(folder, printed)

    assert {"bot.db", "bot.db.run/crash.txt", "bot.db.run/log.jsonl", "copy.db"} <= found.keys()
    assert {"bundle: doctor.txt", "bundle: crash.txt", "bundle: log.jsonl"} <= found.keys()
    for place in ("printed", "bot.db", "bot.db.run/crash.txt", "bot.db.run/log.jsonl"):
        assert b"***" in found[place], place  # the canaries were there, and were taken out
    leaks = [
        (needle, place)
        for place, content in found.items()
        for needle in NEEDLES
        if any(form in content for form in forms(needle))
    ]
    assert leaks == []
