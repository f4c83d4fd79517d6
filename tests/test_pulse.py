"""The pulse: what another process can know of a `bot run`."""

import json
import os

import pytest

from bot.errors import BotError
from bot.events import Failed, Filled
from bot.posting.turns import Turns
from bot.pulse import NAME, PERIOD, PulseFile, read_pulse
from bot.records import Secret
from tests.queues import NOON, Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pulse(tmp_path, clock):
    return PulseFile(tmp_path / "bot.db.run", "1.0", clock)


def test_the_pulse_can_be_read_by_another(pulse, tmp_path):
    """Who runs, since when, and how the jobs stand."""
    job = Turns("post", lambda: None, 120)
    job()
    seen = {"post": job.look(1)}

    pulse.beat(seen, 1)
    read = read_pulse(tmp_path / "bot.db.run")

    assert (read.pid, read.version, read.started_at, read.at) == (os.getpid(), "1.0", NOON, NOON)
    assert read.jobs == seen


def test_it_is_written_every_few_seconds(pulse, clock, tmp_path):
    """Not at every look: nobody needs it, and cards wear out."""
    written = set()
    for _ in range(20):
        pulse.beat({}, 1)
        written.add(read_pulse(tmp_path / "bot.db.run").at)
        clock.pass_by(1)

    assert len(written) == 20 / PERIOD


def test_it_goes_with_a_run_that_ends_in_peace(pulse, tmp_path):
    """And stays where a run fails."""
    folder = tmp_path / "bot.db.run"
    pulse.beat({}, 1)
    with pytest.raises(ZeroDivisionError), pulse:
        raise ZeroDivisionError
    assert read_pulse(folder) is not None

    with pulse:
        pulse.beat({}, PERIOD)
    assert read_pulse(folder) is None


def test_a_bot_that_cannot_be_filled_is_in_it_until_it_is(pulse, clock, tmp_path):
    """With the first time of the failures in a row, and no secret in the reason."""
    Secret("hunter-42")
    pulse.told(Failed("metal", "no model for hunter-42", host=True))
    clock.pass_by(300)
    pulse.told(Failed("metal", "no model at all"))
    pulse.beat({}, 1)
    trouble = read_pulse(tmp_path / "bot.db.run").troubles["metal"]
    pulse.told(Filled("metal", None, [], 3))
    pulse.beat({}, PERIOD)

    assert (trouble.reason, trouble.since) == ("no model at all", NOON)
    assert read_pulse(tmp_path / "bot.db.run").troubles == {}


def test_no_secret_gets_into_it(pulse, tmp_path):
    """What fails may quote one."""
    Secret("hunter-43")

    def job():
        raise ValueError("wrong password hunter-43")

    job = Turns("post", job, 120)
    job()
    pulse.told(Failed("metal", "hunter-43"))
    pulse.beat({"post": job.look(1)}, 1)

    assert "hunter" not in (tmp_path / "bot.db.run" / NAME).read_text()


def test_a_disk_that_is_full_stops_nothing(tmp_path, clock, caplog):
    """It is told once."""
    (tmp_path / "file").touch()
    pulse = PulseFile(tmp_path / "file" / "bot.db.run", "1.0", clock)

    for _ in range(3):
        pulse.beat({}, PERIOD)

    assert len(caplog.records) == 1


def test_a_file_that_is_no_pulse_is_told(tmp_path):
    """Of another version, for instance."""
    (tmp_path / NAME).write_text(json.dumps({"at": 3}))

    with pytest.raises(BotError, match=r"pulse\.json: no pulse of this version"):
        read_pulse(tmp_path)
