"""`bot run` as a process: asked to end, it finishes the post in flight and lets the rest go."""

import os
import signal
import subprocess
import sys

import pytest

from bot.config import load
from bot.house import House
from bot.store.tables import leases
from tests.folders import CONFIG, copy_folder
from tests.queues import judged

SLOW = '''
"""A target that says when it has begun, and goes on when it is told to: by two pipes in the folder."""

from pathlib import Path

from bot import Receipt, hookimpl


class Slow:
    kind, account, max_length = "query", "slow", None

    def __init__(self, folder: Path):
        self.folder = folder

    def measure(self, text):
        return len(text)

    def post(self, post):
        (self.folder / "begun").write_text(post.text)
        (self.folder / "go").read_text()
        with (self.folder / "posts").open("a") as file:
            file.write(post.text + "\\n")
        return Receipt(post.key)

    def find(self, post):
        return None


@hookimpl
def register_targets():
    return {"slow": Slow}
'''
TEXTS = "Moon of glass", "Red harbour", "Drowned choir"


@pytest.fixture
def folder(trained, tmp_path):
    """A bot with three approved drafts, a slot each second and the slow target; it needs no new drafts."""
    config = copy_folder(trained, tmp_path / "bot")
    head, _ = CONFIG.split("    filters:")
    config.write_text(
        head + "    queue_size: 1\n    schedule: {every: 1s}\n    targets: [{slow: {folder: .}}]\n"
    )
    folder = config.parent
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "slow.py").write_text(SLOW)
    for pipe in ("begun", "go"):
        os.mkfifo(folder / pipe)
    house = House(load(config))
    for draft in house.drafts.add("night", [judged(text) for text in TEXTS]):
        house.desk("ann").approve(draft.id)
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_finishes_what_is_in_flight(folder, number):
    """No claim is left, no lease, nothing in doubt; the post that had begun is sent; the exit code is 0."""
    command = [sys.executable, "-m", "bot", "run", "--config", str(folder / "config.yaml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        begun = (folder / "begun").read_text()  # waits until the target writes
        run.send_signal(number)
        (folder / "go").write_text("go")
        said, _ = run.communicate(timeout=120)

    house = House(load(folder / "config.yaml"))
    states = {delivery.text: delivery.state for delivery in house.deliveries.list()}
    assert run.returncode == 0, said
    assert "Traceback" not in said
    assert (folder / "posts").read_text().splitlines() == [begun]
    assert states == dict.fromkeys(TEXTS, "planned") | {begun: "sent"}
    with house.database.read() as connection:
        assert connection.execute(leases.select()).all() == []
