"""Owners: what proves that a process is dead, and what does not."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from bot.posting.owner import identify, is_dead

SLEEPER = "from bot.posting.owner import identify; print(identify(), flush=True); input()"


@pytest.fixture
def sleeper():
    """Another process with its owner, waiting to be ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.owner = process.stdout.readline().strip()
    with process:
        yield process
        process.kill()


def changed(owner, place, value):
    parts = owner.split("/")
    parts[place] = value
    return "/".join(parts)


def test_this_process_lives():
    """Whoever asks is not dead, under any of its names, and each name is another."""
    one, other = identify(), identify()

    assert one != other
    assert is_dead(one) is is_dead(other) is False


def test_a_paused_process_is_not_dead(sleeper):
    """A stopped process may go on at any moment."""
    os.kill(sleeper.pid, signal.SIGSTOP)

    assert is_dead(sleeper.owner) is False


def test_a_killed_process_is_dead(sleeper):
    """Dead as soon as it is killed, also while nobody has collected it, and after."""
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # ended, and still in the table

    assert is_dead(sleeper.owner) is True
    sleeper.wait()
    assert is_dead(sleeper.owner) is True


def test_a_pid_used_again_is_another_process():
    """The same pid with another start was somebody else, and so is a pid from before the boot."""
    assert is_dead(changed(identify(), 3, "1.00")) is True
    assert is_dead(changed(identify(), 1, "another-boot")) is True


def test_elsewhere_nothing_is_known():
    """Of another host's process nobody here can say whether it lives."""
    assert is_dead(changed(identify(), 0, "another-host")) is None


@pytest.mark.parametrize("owner", ["", "nonsense", "a/b/c/d/e", "//x//"])
def test_what_is_no_owner(owner):
    """Of what cannot be read nothing is claimed."""
    assert is_dead(owner) is None


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the start is counted by the clock")
def test_setting_the_clock_kills_nobody(monkeypatch):
    """The start is counted from the boot: after the clock is set the process is still the same."""
    owner, boot = identify(), psutil.boot_time()

    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 3600)
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: boot + 3600)
    assert is_dead(owner) is False
