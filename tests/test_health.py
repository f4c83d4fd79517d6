"""Health tells the truth: whatever is killed is red within a minute, and green when it works again."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import pipeline
from bot.cli.app import app
from bot.config import load
from bot.events import ClockSet, Failed
from bot.health import Examiner
from bot.health.examiner import LEAST
from bot.house import House
from bot.posting.calendar import next_slots
from bot.pulse import PulseFile
from bot.records import Receipt
from bot.store import database
from tests import postgres as servers
from tests.folders import fill, write_folder
from tests.healths import MINUTE, approved, examiner, failing, opened, red, run_pulse, text_of
from tests.queues import Clock, judged


@pytest.fixture
def bot(tmp_path):
    """The rooms of a bot that has not been trained, with a clock that stands still."""
    return opened(write_folder(tmp_path / "bot"))


def test_a_new_bot_is_well(bot):
    """Nothing is missed where nothing was promised."""
    health = examiner(bot).examine()

    assert health.ok
    assert {check.name for check in health.checks} == {
        *("run", "database", "integrity", "disk", "stop switch", "accounts", "deliveries", "queue night"),
        *("target night/jsonl", "target night/feed"),
    }
    assert "not running" in health.checks[0].text


# the database


def test_a_database_file_that_was_removed_is_red(bot):
    """Also where it is still open, and can be read from as if nothing had happened."""
    examining = examiner(bot)
    assert red(examining) == {}

    (bot.config.folder / "bot.db").unlink()

    assert "removed or replaced" in red(examining)["database"]


def test_a_database_that_is_locked_is_red_as_long_as_it_is(bot, monkeypatch):
    """By another program, for instance."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    examining = examiner(bot)
    assert red(examining) == {}
    with sqlite3.connect(bot.config.folder / "bot.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in red(examining)["database"]
        other.execute("ROLLBACK")
    other.close()

    assert red(examining) == {}


def test_a_folder_that_is_gone_is_red(bot):
    """A disk that is not mounted any more."""
    examining = Examiner(bot)
    examining.examine()
    bot.config.folder.rename(bot.config.folder.with_name("elsewhere"))

    assert red(Examiner(bot)).keys() == {"database", "disk"}


@pytest.fixture
def server():
    """A PostgreSQL server that may be killed."""
    if not servers.is_installed():
        pytest.skip(servers.MISSING)
    with tempfile.TemporaryDirectory(prefix="pg") as folder, servers.serve(Path(folder)) as server:
        yield server


def on(url, folder):
    config = write_folder(folder)
    config.write_text(f"database: {url}\n{config.read_text()}")
    return House(load(config), Clock())


def test_a_postgresql_that_is_killed_is_red_and_green_again(server, tmp_path):
    """The connections that were open are of no use then."""
    house = on(server.fresh(), tmp_path / "bot")
    examining, folder = examiner(house), server.socket
    assert red(examining) == {}

    servers.run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    assert red(examining).keys() == {"database"}

    words = ("-k", f"{folder}", "-c", "listen_addresses=", "-c", "fsync=off")
    servers.run("pg_ctl", "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", " ".join(words), "start")
    red(examining)  # the first one may still meet a connection of before
    assert red(examining) == {}
    house.database.close()


def test_a_database_that_does_not_answer_is_red(tmp_path):
    """Nobody waits for it longer than is told, and it is asked once at a time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        house = on(f"postgresql+psycopg://me@127.0.0.1:{port}/bot", tmp_path / "bot")
        examining = examiner(house, patience=0.2)
        before = set(threading.enumerate())

        assert "no answer within 0.2 s" in red(examining)["database"]
        assert "no answer within 0.2 s" in red(examining)["database"]
        [asking] = (one for one in set(threading.enumerate()) - before if one.name == "health")
    asking.join()


def test_a_disk_that_is_nearly_full_is_red(bot):
    """Before it stops all posting."""
    assert "make room" in failing(bot, free=LEAST - 1)["disk"]


def test_a_damaged_file_is_red(bot):
    """A page of it is not what it was."""
    bot.drafts.add("night", [judged(f"Moon {number}") for number in range(200)])
    bot.database.close()
    path = bot.config.folder / "bot.db"
    content = bytearray(path.read_bytes())
    content[-4096:] = b"x" * 4096
    path.write_bytes(content)

    assert "damaged" in failing(House(bot.config, bot.clock))["integrity"]


# the process


@contextmanager
def running(config):
    """`bot run` in a process of its own, once its pulse beats."""
    command = [sys.executable, "-m", "bot", "run", "--config", str(config)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            assert any("failed" in line for line in process.stdout)  # its model is not there: it is at work
            yield process
        finally:
            process.kill()


@pytest.fixture
def config(tmp_path):
    return write_folder(tmp_path / "bot")


def test_a_run_that_was_killed_is_red_until_it_runs_again(config):
    """SIGKILL leaves it no time to say anything. One that ends in peace leaves no trace."""
    with running(config) as process:
        house = House(load(config))
        assert "run" not in failing(house)
        process.kill()
        process.wait()

        assert "ended without being stopped" in failing(house)["run"]
    with running(config) as process:
        assert "run" not in failing(house)
        process.terminate()

        assert process.wait() == 0
        assert "run" not in failing(house)
        assert not (config.parent / "bot.db.run" / "pulse.json").exists()


def test_a_run_that_is_stopped_is_red_within_a_minute(config):
    """SIGSTOP, or a machine that thrashes: the process is there and does nothing."""
    with running(config) as process:
        process.send_signal(signal.SIGSTOP)
        stopped = House(load(config))
        stopped.clock = Clock(stopped.clock() + timedelta(seconds=MINUTE))

        assert "no sign of life" in failing(stopped)["run"]
        process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("error", [RuntimeError("the moon is down"), SystemExit(3)], ids=repr)
def test_a_worker_thread_that_is_killed_is_red(bot, monkeypatch, error):
    """Whatever is raised in it; the pulse is written every few seconds."""

    def fail(self):
        raise error

    monkeypatch.setattr(pipeline.Posting, "__call__", fail)
    monkeypatch.setattr(pipeline, "LOOK", 0.001)
    stop, found = threading.Event(), {}

    def look(jobs, seconds):
        write(jobs, 5)
        if jobs and jobs["post"].failure:  # the first turns may wait for the duty
            found.update(failing(bot))
            stop.set()

    write = PulseFile(bot.config.run_folder, "1.0", bot.clock).beat
    monkeypatch.setattr(PulseFile, "beat", lambda self, jobs, seconds: look(jobs, seconds))
    pipeline.run(bot, lambda event: None, stop)

    assert type(error).__name__ in found["run: post"]


def test_a_worker_thread_that_is_not_woken_any_more_is_red(bot):
    """The wake-up is dead, and the watchdog with it."""
    run_pulse(bot, post=MINUTE, fill=1)

    assert failing(bot).keys() == {"run: post"}


def test_a_bot_that_cannot_be_filled_is_red(bot):
    """With the reason; and the model host if it is that."""
    pulse = run_pulse(bot, post=1)
    pulse.told(Failed("night", "the model host died (exit code -9)", host=True))
    pulse.beat({}, 5)

    assert failing(bot) == {
        "run: model host": "it died or hung: the model host died (exit code -9)",
        "fill night": "the model host died (exit code -9) (tried again by itself)",
    }


def test_a_clock_that_is_not_believed_is_red(bot):
    """Nothing is posted then, until it is."""
    pulse = run_pulse(bot, post=1)
    for believed in (False, True):
        pulse.told(ClockSet(timedelta(days=1), believed))
        pulse.beat({}, 5)
        assert ("clock" in failing(bot)) is not believed


# what is posted


def test_a_post_that_is_late_is_red(bot):
    """Nobody has claimed it a minute after its time."""
    approved(bot)
    bot.deliveries.schedule_now("night")
    bot.clock.pass_by(MINUTE)
    assert failing(bot) == {}

    bot.clock.pass_by(1)
    [check] = [check for check in examiner(bot).examine().checks if not check.ok]
    assert (check.name, check.since) == ("deliveries", bot.clock() - timedelta(seconds=MINUTE + 1))
    assert "night on jsonl" in check.text


def test_what_quiet_hours_hold_back_is_not_late(config):
    """It is red a minute after their end."""
    config.write_text(config.read_text().replace("{every: 4s}", '{every: 4s, quiet: ["11:00", "13:00"]}'))
    house = House(load(config), Clock())
    approved(house)
    house.deliveries.schedule_now("night")

    house.clock.pass_by(60 * MINUTE)
    assert failing(house) == {}
    house.clock.pass_by(2 * MINUTE)
    assert failing(house).keys() == {"deliveries"}


def test_what_a_person_has_stopped_is_told_and_not_red(bot):
    """It is as it shall be; neither is late what waits for that."""
    [slot] = next_slots("night", bot.bot("night").schedule, bot.clock(), 1)
    approved(bot)
    bot.clock.pass_by(4)
    bot.deliveries.take_slot(slot)
    bot.switches.stop(None, "ada", "holidays")
    bot.clock.pass_by(2 * MINUTE)

    health = examiner(bot).examine()

    assert health.ok
    assert "all bots are stopped by ada: holidays" in text_of(health, "stop switch")


def test_an_account_that_rests_until_somebody_comes_is_red(bot):
    """A token that was revoked, for instance."""
    bot.switches.rest("jsonl", "the courier", "401 three times")

    assert "401 three times" in failing(bot)["accounts"]


def test_a_limit_that_holds_posts_back_is_red(config):
    """With the time until which."""
    config.write_text(
        config.read_text().replace("batch_size: 24", "batch_size: 24\n    limits: {per_hour: 1}")
    )
    house = opened(config)
    for text in ("Moon", "Sun"):
        approved(house, text)
        house.deliveries.schedule_now("night")
    sending = house.deliveries.begin_sending(house.deliveries.claim("me", 90))
    house.deliveries.settle(sending, "sent", "", Receipt("1"))
    house.clock.pass_by(2 * MINUTE)

    assert failing(house).keys() == {"limits night"}
    assert "due but held back: 1, for jsonl has had its 1 post of one hour" in failing(house)["limits night"]


def test_a_slot_that_nobody_serves_is_red(bot):
    """A `bot run` that was stopped for good, and forgotten."""
    schedule = bot.bot("night").schedule
    [slot] = next_slots("night", schedule, bot.clock(), 1)
    approved(bot)
    bot.clock.pass_by(4)
    bot.deliveries.take_slot(slot)
    bot.deliveries.settle(bot.deliveries.claim("me", 90), "refused", "gate.copy: it stands in the corpus")
    assert failing(bot) == {}

    bot.clock.pass_by(2 * MINUTE)
    assert failing(bot).keys() == {"slots night"}


def test_a_queue_that_has_run_dry_is_red_once_a_slot_has_passed(bot):
    """And green when something is approved."""
    [slot] = next_slots("night", bot.bot("night").schedule, bot.clock(), 1)
    bot.clock.pass_by(4)
    assert bot.deliveries.take_slot(slot) is None
    assert "bot review night" in failing(bot)["queue night"]

    approved(bot)
    assert failing(bot) == {}


def test_a_queue_that_will_run_dry_soon_is_red_while_it_runs(bot):
    """Not in the first minutes, when it is being filled."""
    pulse = run_pulse(bot, post=1)
    assert failing(bot) == {}

    bot.clock.pass_by(15 * MINUTE)
    pulse.beat({}, 5)
    assert failing(bot).keys() == {"queue night"}


class Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def webhook(port=0):
    server = HTTPServer(("127.0.0.1", port), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_target_that_is_shut_down_is_red_from_the_next_post_on(bot_folder, monkeypatch):
    """Until a post arrives there again; the other target of the bot stays green."""
    text = bot_folder.read_text().replace(
        "{feed: {path: feed.xml}}", "{webhook: {secret_url: {env: MOON_HOOK}}}"
    )
    bot_folder.write_text(text)
    with webhook() as port:
        monkeypatch.setenv("MOON_HOOK", f"http://127.0.0.1:{port}/secret-path")
        house = House(load(bot_folder), Clock())
        for draft in fill(house, seed=5).drafts[:2]:
            house.desk("ann").approve(draft.id)
        pipeline.post_now(house, "night", lambda event: None)
        assert failing(house) == {}
    pipeline.post_now(house, "night", lambda event: None)
    found = failing(house)
    assert found.keys() == {"target night/webhook"}
    assert "cannot be reached" in found["target night/webhook"]

    with webhook(port), pipeline.closing(pipeline.open_sender(house)) as sender:
        house.clock.pass_by(3600)
        pipeline.open_courier(house, sender, lambda event: None).deliver_due()
        assert failing(house) == {}


# the command


def test_the_command_says_what_is_red_and_exits_with_an_error(config):
    """With --json the same as a document."""
    (config.parent / "bot.db").write_text("no database, surely" * 100)

    said = CliRunner().invoke(app, ["status", "--config", str(config)])
    document = CliRunner().invoke(app, ["status", "--json", "--config", str(config)])

    assert said.exit_code == document.exit_code == 1
    assert "RED  database: " in said.stdout
    assert json.loads(document.stdout)["ok"] is False
