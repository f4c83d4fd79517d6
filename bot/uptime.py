"""How long this machine has run: a clock that nobody sets. It knows no database and no post."""

import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """host: which one. boot: which of its boots. uptime: seconds since then, also those it slept through."""

    host: str
    boot: str
    uptime: Callable[[], float]


@cache
def this_machine() -> Machine:
    """Where the system names no boot, this process counts as one."""
    host = f"{socket.gethostname()}-{first_line('/etc/machine-id')[:8]}"
    boot = first_line("/proc/sys/kernel/random/boot_id") or f"process {uuid.uuid4().hex}"
    return Machine(host, boot, uptime)


def following(clock: Callable[[], datetime]) -> Machine:
    """A machine whose uptime goes by another clock: who hands one in has no other time."""
    return Machine("handed in", "", lambda: clock().timestamp())


def uptime() -> float:
    """Seconds by a clock that also counts the time asleep, where the system has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def first_line(path: str) -> str:
    """ "" if it cannot be read."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
