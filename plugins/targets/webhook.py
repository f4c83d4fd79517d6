"""A target: a webhook, an address that takes what is posted to it, as JSON or in Discord's form.

Whoever knows the address may post there, so it is a secret. A webhook cannot be asked: its kind is opaque.
"""

import base64
import json
import logging
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from bot import BotError, NotSent, Post, Receipt, Refused, Secret, Takes, hookimpl

if TYPE_CHECKING:
    import requests

TIMEOUT = 5, 20  # seconds, to connect and to read
DENIED = 401, 403
QUARTER = 15 * 60  # seconds: to wait after a 429 that does not say how long
LARGEST = 1_000_000  # bytes of an answer
DISCORD_FILES = Takes(("*/*",), most=10, in_all=10_000_000, longest_alt_text=1024)


class Webhook:
    """Posts to the address `secret_url`.

    form: json sends text, bot, key, created_at and media (in base64), and any 2xx is a yes; discord sends a
    message that notifies nobody, with files.
    """

    kind = "opaque"

    def __init__(self, secret_url: Secret, form: Literal["json", "discord"] = "json"):
        url = urlsplit(secret_url.reveal())
        if url.scheme not in ("http", "https") or not url.hostname:
            msg = "the address must begin with https:// or http:// and a server's name"
            raise ValueError(msg)
        self.host, self.form, self._url = url.hostname, form, secret_url
        self.server = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
        mark = sha256(secret_url.reveal().encode()).hexdigest()[:8]  # tells two addresses of one server apart
        self.account = f"webhook {self.host} {mark}"
        self.max_length = 2000 if form == "discord" else None
        self.takes = (DISCORD_FILES if form == "discord" else Takes(("*/*",), most=8, in_all=8_000_000),)

    def measure(self, text: str) -> int:
        """UTF-16 units, which is never less than what Discord counts."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def post(self, post: Post) -> Receipt:
        """No error quotes the library's own words, for these name the address."""
        import requests

        logging.getLogger("urllib3").setLevel(logging.INFO)  # below that it writes down addresses
        try:
            with requests.post(
                self._url.reveal(),
                params={"wait": "true"} if self.form == "discord" else None,  # else it answers without an id
                **self._body(post),
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                auth=lambda request: request,  # else a password for this server in .netrc would go along
            ) as answer:
                return self._receipt(answer)
        except requests.RequestException as error:
            if not _reached(error):
                msg = f"{self.host} cannot be reached"
                raise NotSent(msg) from None
            msg = f"{self.host} gave no whole answer ({type(error).__name__})"
            raise BotError(msg) from None

    def find(self, post: Post) -> Receipt | None:
        msg = "a webhook cannot be asked whether a post is there: look at the place it posts to"
        raise BotError(msg)

    def _body(self, post: Post) -> dict[str, Any]:
        """What of the request holds it: JSON, or files beside it."""
        if self.form == "discord":
            return _message(post)
        created_at = post.created_at.isoformat()
        body = {"text": post.text, "bot": post.bot, "key": post.key, "created_at": created_at}
        media = [
            {
                "name": one.name,
                "media_type": one.media_type,
                "alt_text": one.alt_text,
                "base64": base64.b64encode(one.content).decode(),
            }
            for one in post.media
        ]
        return {"json": body | ({"media": media} if media else {})}

    def _receipt(self, answer: "requests.Response") -> Receipt:
        status = answer.status_code
        said = f"{self.host} answered {status}{_phrase(status)}"
        if 200 <= status < 300:
            id = _message_id(answer) if self.form == "discord" else ""
            return Receipt(id, evidence=said)
        if status == 429:
            raise NotSent(said, _seconds(answer.headers.get("Retry-After", "")))
        if 400 <= status < 500 and status != 408:
            raise Refused(said, denied=status in DENIED)
        if 300 <= status < 400:
            said += ": redirects are not followed, give the address it leads to"
        raise BotError(said)


def _message(post: Post) -> dict[str, Any]:
    """In Discord's form."""
    message: dict[str, Any] = {"content": post.text, "allowed_mentions": {"parse": []}}
    if not post.media:
        return {"json": message}
    files = {f"files[{id}]": (one.name, one.content, one.media_type) for id, one in enumerate(post.media)}
    message["attachments"] = [
        {"id": id, "filename": one.name, "description": one.alt_text} for id, one in enumerate(post.media)
    ]
    return {"files": {"payload_json": (None, json.dumps(message), "application/json"), **files}}


def _message_id(answer: "requests.Response") -> str:
    content = b""
    for piece in answer.iter_content(65536):
        content += piece
        if len(content) > LARGEST:
            break
    try:
        id = json.loads(content[:LARGEST])["id"]
    except (ValueError, TypeError, KeyError):
        id = None
    if not id:
        msg = "the answer holds no message with an id"
        raise BotError(msg)
    return str(id)


def _phrase(status: int) -> str:
    return f" {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else ""


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return QUARTER


def _reached(error: Exception) -> bool:
    """Whether a connection may have come about."""
    import requests
    from urllib3.exceptions import NewConnectionError

    cause = getattr(error.args[0], "reason", None) if error.args else None
    return not (isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError))


@hookimpl
def register_targets():
    return {"webhook": Webhook}
