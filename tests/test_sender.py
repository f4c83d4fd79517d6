"""The sender: whatever a target does, an outcome comes back; no call outlives its deadline or its parent."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from bot import NotSent as NotSentError
from bot import Receipt, Secret
from bot import Refused as RefusedError
from bot.errors import PluginError
from bot.posting.outcomes import NotSent, Refused, Sent, Unknown
from bot.posting.sender import Sender
from tests.deliveries import NOON, delivery

SOON = 30  # seconds


class Pad:
    """A target that does what the text says, and writes down each call."""

    kind, account, max_length = "opaque", "me", 12

    def __init__(self, folder, bot, name):
        self.folder, self.name = folder, name
        if name == "broken":
            msg = "the key is missing"
            raise PluginError(msg)
        (folder / "pid").write_text(str(os.getpid()))
        (folder / "built").open("a").write(f"{bot}/{name}\n")

    def measure(self, text):
        if text == "unmeasured":
            raise ValueError("no measure")
        return len(text)

    def post(self, post):
        return self.do(post)

    def find(self, post):
        return self.do(post)

    def do(self, post):
        (self.folder / "calls").open("a").write(f"{post.key} {post.created_at.isoformat()}\n")
        match post.text:
            case "refuse":
                raise RefusedError("not here")
            case "busy":
                raise NotSentError("busy", retry_after=7)
            case "fail":
                raise RuntimeError("it\nbroke")
            case "leak":
                key = Secret("hunter2-and-more")
                raise RuntimeError(f"401 for https://hook/{key.reveal()}")
            case "exit":
                sys.exit(3)
            case "die":
                os._exit(3)
            case "hang":
                time.sleep(SOON)
            case "ignore":
                return "done"
            case "nothing":
                return Receipt()
            case "absent":
                return None
            case "orphan":
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(SOON)
        return Receipt(remote_id=12, url="u")


def pad(folder, bot, name):
    return Pad(folder, bot, name)


@pytest.fixture
def sender(tmp_path):
    sender = Sender(partial(pad, tmp_path), deadline=SOON)
    yield sender
    sender.close()


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One sender for the tests that leave it whole: a child costs a moment to start."""
    sender = Sender(partial(pad, tmp_path_factory.mktemp("pad")), deadline=SOON)
    yield sender
    sender.close()


def test_a_receipt_is_proof(kept):
    """What the target returns comes back as text, whatever types a plugin used."""
    assert kept.post(delivery()) == Sent(Receipt("12", "u", ""))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("refuse", Refused("not here")),
        ("busy", NotSent("busy", 7)),
        ("fail", Unknown("RuntimeError: it broke")),
        ("exit", Unknown("SystemExit: 3")),
        ("leak", Unknown("RuntimeError: 401 for https://hook/***")),
        ("ignore", Unknown("the target answered 'done', which proves nothing")),
    ],
)
def test_what_a_target_raises_is_an_outcome(kept, text, outcome):
    """Refused and NotSent are believed; all else is unknown. No reason holds a secret."""
    assert kept.post(delivery(text=text)) == outcome


def test_an_empty_receipt_proves_nothing(kept):
    """Without an id and without evidence nothing counts as sent."""
    assert isinstance(kept.post(delivery(text="nothing")), Unknown)
    assert isinstance(kept.post(delivery(text="absent")), Unknown)


@pytest.mark.parametrize(
    ("text", "outcome"), [("there", Sent), ("absent", NotSent), ("fail", Unknown), ("refuse", Unknown)]
)
def test_asking_for_a_post(kept, text, outcome):
    """There is proof, absent is not sent, and any trouble in asking proves nothing."""
    assert isinstance(kept.find(delivery(text=text)), outcome)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, None),
        ({"text": "x" * 12}, None),
        ({"text": "x" * 13}, Refused("its length is 13, and pad takes 12")),
        ({"text": "unmeasured"}, NotSent("ValueError: no measure")),
        ({"account": "you"}, Refused("approved for you (opaque), but it would go to me (opaque)")),
        ({"kind": "put"}, Refused("approved for me (put), but it would go to me (opaque)")),
        ({"target": "broken"}, NotSent("the key is missing")),
    ],
)
def test_what_is_checked_before_anything_is_sent(kept, fields, outcome):
    """Length, account and kind as they were approved, and that the target can be built at all."""
    assert kept.check(delivery(**fields)) == outcome


def test_a_target_that_cannot_be_built(kept):
    """Nothing can have been sent by it; and whether something is there, nobody can say."""
    assert kept.post(delivery(target="broken")) == NotSent("the key is missing")
    assert kept.find(delivery(target="broken")) == Unknown("the key is missing")


def test_a_target_is_built_once(sender, tmp_path):
    """Each target is built at its first use and kept; every attempt asks for the very same post."""
    for attempt in (1, 2):
        sender.post(delivery(attempts=attempt))
    sender.post(delivery(target="other"))
    sender.post(delivery(first_tried_at=None))

    assert (tmp_path / "built").read_text().split() == ["metal/pad", "metal/other"]
    assert set((tmp_path / "calls").read_text().splitlines()) == {f"k1 {NOON.isoformat()}"}


def test_a_child_that_dies(sender):
    """A crash while posting is unknown, while checking not sent; the next call has a new child."""
    assert sender.post(delivery(text="die")) == Unknown("the sender died (exit code 3)")
    assert isinstance(sender.post(delivery()), Sent)


def test_a_call_ends_at_the_deadline(tmp_path):
    """A target that hangs is killed, and what it did is unknown."""
    sender = Sender(partial(pad, tmp_path), deadline=SOON)
    sender.post(delivery())  # the child is up
    sender._deadline = 0.1

    outcome = sender.post(delivery(text="hang"))
    assert outcome == Unknown("the sender gave no answer within 0.1 s and was killed")
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_no_call_outlives_its_parent(tmp_path):
    """If the parent is killed in the middle of a call the call ends, so what a restart finds is final."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys; from pathlib import Path; from tests.test_sender import orphaned\n"
        "if __name__ == '__main__': orphaned(Path(sys.argv[1]))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, script, tmp_path]
    # the pipe is closed only when the orphan has ended too
    parent = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=SOON / 2)

    assert parent.returncode == -signal.SIGKILL
    assert (tmp_path / "calls").exists()


def orphaned(folder):
    """Run by the test above in a process of its own."""
    Sender(partial(pad, folder), deadline=SOON).post(delivery(text="orphan"))


def test_the_kernel_ends_a_call_too(tmp_path):
    """A child whose parent is stopped ends at its own deadline."""
    sender = Sender(partial(pad, tmp_path), deadline=-0.9)  # its own timer adds a second: 0.1 s
    sender._deadline = SOON

    outcome = sender.post(delivery(text="hang"))
    assert outcome == Unknown(f"the sender died (exit code {-signal.SIGALRM})")
