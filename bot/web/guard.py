"""The outermost layer: who may ask at all, and what every answer carries.

It knows no page and no session. A hostile page in the owner's browser can send requests here under another
name (DNS rebinding) or from another origin (CSRF); both are refused before anything else looks at them.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from bot.web.address import Address, is_loopback

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = ("GET", "HEAD")
LONGEST_BODY = 256 * 1024
POLICY = "; ".join(
    [
        "default-src 'none'",
        *(f"{what}-src 'self'" for what in ("script", "style", "img", "media", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, browsers name no origin in what they post
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Wraps the application."""

    def __init__(self, app: App, address: Address):
        self._app, self._address = app, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _close(scope, send)
        elif refusal := self._refusal(scope, Headers(scope)):
            await _refuse(*refusal, self._marked(scope, send))
        else:
            await self._app(scope, receive, self._marked(scope, send))

    def _refusal(self, scope: Scope, headers: "Headers") -> tuple[int, str] | None:
        """A status and a sentence, None if the request may pass."""
        tls, hosts = scope["scheme"] == "https", headers.all("host")
        if len(hosts) != 1 or not self._address.is_called(hosts[0], tls):
            return 421, "This page is not served under that name."
        if not tls and not _is_here(scope):
            return 403, "Beyond this computer the page is served by TLS only."
        if scope["method"] in READING:
            return None if _may_read(headers) else (403, "Another site may not ask for this.")
        if not _may_write(headers, f"{scope['scheme']}://{hosts[0].lower()}"):
            return 403, "This did not come from the page itself."
        return _too_long(headers)

    def _marked(self, scope: Scope, send: Send) -> Send:
        """Adds the headers that every answer carries."""
        more = dict(HEADERS)
        if scope["scheme"] == "https":
            more["strict-transport-security"] = "max-age=31536000"

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                names = {name.lower() for name, _ in given}
                if b"cache-control" not in names:
                    given.append((b"cache-control", b"no-store"))
                message["headers"] = given + [(name.encode(), value.encode()) for name, value in more.items()]
            await send(message)

        return marked


class Headers:
    """A request's, by name in lower case."""

    def __init__(self, scope: Scope):
        self._pairs = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
        ]

    def all(self, name: str) -> list[str]:
        return [value for found, value in self._pairs if found == name]

    def one(self, name: str) -> str | None:
        """None if it is absent; what stands twice is joined, and so equal to nothing that is looked for."""
        return ", ".join(self.all(name)) if self.all(name) else None


def _is_here(scope: Scope) -> bool:
    return scope.get("client") is not None and is_loopback(scope["client"][0])


def _may_read(headers: Headers) -> bool:
    """Other sites may lead here, as a link does; they may not take anything from here into themselves."""
    if headers.one("sec-fetch-site") in (None, "same-origin", "none"):
        return True
    return headers.one("sec-fetch-mode") == "navigate" and headers.one("sec-fetch-dest") == "document"


def _may_write(headers: Headers, here: str) -> bool:
    """One of the two headers that no page can forge must be there, and none may name another origin."""
    site, origin = headers.one("sec-fetch-site"), headers.one("origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and origin in (None, here)


def _too_long(headers: Headers) -> tuple[int, str] | None:
    length = headers.one("content-length") or "0"
    if headers.one("transfer-encoding") is not None or not length.isascii() or not length.isdigit():
        return 411, "Say how long the request is."
    return (413, "That is too long.") if int(length) > LONGEST_BODY else None


async def _close(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})


async def _refuse(status: int, sentence: str, send: Send) -> None:
    body = sentence.encode() + b"\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
