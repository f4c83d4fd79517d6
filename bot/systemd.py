"""Tells systemd that this process is ready and lives, where it has asked to be told (man sd_notify)."""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """READY=1, WATCHDOG=1 or STOPPING=1; nobody need listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # of the abstract namespace
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.sendto(state.encode(), address)
