"""What holds for every test, and a trained bot's folder for those that need one."""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # small matrices: torch's threads would only wait for each other


@pytest.fixture(autouse=True)
def signals_of_a_new_process():
    """A library that one test has used may have left its own handlers to the next one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def secrets_of_ones_own(monkeypatch):
    """What one test calls a secret, may be an ordinary word in the next one's output."""
    from bot.records import Secret

    monkeypatch.setattr(Secret, "_met", set())


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A PostgreSQL server."""
    from tests import postgres

    if not postgres.is_installed():
        pytest.skip(postgres.MISSING)
    place = tempfile.TemporaryDirectory(prefix="pg", dir=postgres.memory())
    with place as folder, postgres.serve(Path(folder)) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def queue(request, tmp_path):
    """An empty queue, on either database."""
    from tests.queues import open_queue, open_url

    if request.param == "sqlite":
        with open_queue(tmp_path) as queue:
            yield queue
    else:
        with request.getfixturevalue("postgres").lent() as url, open_url(url) as queue:
            yield queue


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """config.yaml of a bot whose model has been trained; not to be written to."""
    from tests.folders import train_folder

    return train_folder(tmp_path_factory.mktemp("trained") / "bot")


@pytest.fixture
def bot_folder(trained, tmp_path) -> Path:
    """config.yaml of a trained bot of one's own."""
    from tests.folders import copy_folder

    return copy_folder(trained, tmp_path / "bot")


@pytest.fixture
def house(bot_folder):
    """The rooms of that bot, with a clock that stands still."""
    from bot.config import load
    from bot.house import House
    from tests.queues import Clock

    return House(load(bot_folder), Clock())


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """Where pictures of what was shown are kept for a person to look at: BOT_SCREENSHOTS, if that is set."""
    folder = os.environ.get("BOT_SCREENSHOTS")
    path = Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
    path.mkdir(parents=True, exist_ok=True)
    return path
