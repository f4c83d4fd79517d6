"""What systemd is told by a run that it started."""

import socket
import threading
from itertools import count

from bot import pipeline
from bot.systemd import notify


class Idle:
    """A watchdog and a pulse with nothing to do; it asks for the end after three looks."""

    def __init__(self, stop):
        self.stop, self.looks = stop, count(1)

    def look(self, seconds):
        if next(self.looks) == 3:
            self.stop.set()

    def beat(self, jobs, seconds):
        pass


def test_it_is_told_that_the_run_is_ready_and_lives(tmp_path, monkeypatch):
    """By the loop that watches the jobs: where that one hangs, systemd starts the process again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setattr(pipeline, "LOOK", 0.001)
        stop = threading.Event()
        idle = Idle(stop)

        pipeline.watch(stop, idle, idle)

        told = [systemd.recv(100).decode() for _ in range(5)]
    assert told == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_where_nobody_listens_nothing_happens(monkeypatch, tmp_path):
    """In a terminal, or where the socket is gone."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")
