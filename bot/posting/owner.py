"""Who holds a claim, and whether that process is provably dead.

A process is its host, the host's boot, its pid and its start: pids are used again, clocks are set. The start
is counted from the boot where the system allows it, so that a clock that is set does not look like a death.
"""

import os
import socket
import uuid

import psutil

from bot.uptime import first_line


def identify() -> str:
    """A new owner in this process; each call gives another one."""
    pid = os.getpid()
    return f"{_host()}/{_boot()}/{pid}/{_start(psutil.Process(pid))}/{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool | None:
    """Whether an owner's process has ended; None if that cannot be known from here."""
    try:
        host, boot, pid, start, _ = owner.split("/")
        if host != _host():
            return None
        if boot != _boot():
            return True
        process = psutil.Process(int(pid))
        return process.status() == psutil.STATUS_ZOMBIE or _start(process) != start
    except psutil.NoSuchProcess:
        return True
    except (ValueError, psutil.AccessDenied):
        return None


def _host() -> str:
    """This machine; in a container also which, since pids mean nothing outside theirs."""
    return f"{socket.gethostname()}-{first_line('/etc/machine-id')[:8]}-{_pid_namespace()}"


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""


def _boot() -> str:
    return first_line("/proc/sys/kernel/random/boot_id")


def _start(process: psutil.Process) -> str:
    """When a process started: seconds since the boot on Linux, since 1970 elsewhere."""
    return f"{process.create_time() - (psutil.boot_time() if psutil.LINUX else 0):.2f}"
