"""Where the page is served, under which names it may be asked for, and whether that is safe.

It opens the socket and nothing else.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.errors import BotError

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
NAME = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*")


@dataclass(frozen=True)
class Address:
    """names: what other computers call the page. proxies: addresses of proxies that speak TLS for it.

    certificate, key: files, where the page speaks TLS itself.
    """

    host: str = "127.0.0.1"
    port: int = 8788
    names: Sequence[str] = ()
    proxies: Sequence[str] = ()
    certificate: Path | None = None
    key: Path | None = None

    @property
    def speaks_tls(self) -> bool:
        return self.certificate is not None

    @property
    def is_private(self) -> bool:
        """Whether only this computer reaches it."""
        return self.host == "localhost" or is_loopback(self.host)

    def is_called(self, host: str, tls: bool) -> bool:
        """Whether a Host header names this page; a name beyond this computer is answered by TLS only."""
        match = HOST.fullmatch(host.lower())
        if not match:
            return False
        name, port = match["name"], int(match["port"] or (443 if tls else 80))
        return (name in LOOPBACK and port == self.port) or (tls and name in self.names)

    def url(self) -> str:
        """How it is opened from here."""
        scheme = "https" if self.speaks_tls else "http"
        if self.names and (self.speaks_tls or self.proxies):
            return f"https://{self.names[0]}" + (f":{self.port}" if self.speaks_tls else "")
        return f"{scheme}://{_bracketed(self.host if self.is_private else 'localhost')}:{self.port}"


def is_loopback(address: str) -> bool:
    """Whether an IP address is this computer's own; a name is not."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def check(address: Address) -> None:
    """Raises BotError with what speaks against serving there."""
    for problem in _problems(address):
        raise BotError(problem)


def _problems(address: Address) -> Iterator[str]:
    if bool(address.certificate) != bool(address.key):
        yield "web: certificate and key belong together: give both files, or none"
    for file in filter(None, (address.certificate, address.key)):
        if not file.is_file():
            yield f"web: {file}: there is no such file"
    for name in address.names:
        if not NAME.fullmatch(name):
            yield f"web.names: {name!r} is no host's name: write review.example.org, without port and path"
    for proxy in address.proxies:
        if not _is_ip(proxy):
            yield f"web.proxy: {proxy!r} is no IP address: write the one that the proxy's requests come from"
    if address.proxies and not address.names:
        yield "web.names: say under which name the proxy is asked for the page"
    if not address.is_private and not (address.speaks_tls or address.proxies):
        yield (
            f"web.host: other computers reach {address.host}, where passwords would be sent in the clear: "
            "give certificate and key, or the proxy that speaks TLS (docs/web.md), or leave it at 127.0.0.1"
        )


def listen(address: Address) -> tuple[socket.socket, Address]:
    """The open socket, and the address with the port that it got. Raises BotError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        opened = socket.create_server((address.host.strip("[]"), address.port), family=family, backlog=128)
    except OSError as error:
        where = f"{address.host}:{address.port}"
        msg = (
            f"web: cannot listen on {where}: {os.strerror(error.errno or 0)}; take another --port or web.port"
        )
        raise BotError(msg) from error
    return opened, replace(address, port=opened.getsockname()[1])


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
