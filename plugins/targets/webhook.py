"""A target: a webhook, an address that takes what is posted to it, as JSON or in Discord's form.

Whoever knows the address may post there, so it is a secret. A webhook cannot be asked: its kind is opaque.
"""

import json
import logging
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from bot import BotError, NotSent, Post, Receipt, Refused, Secret, hookimpl

if TYPE_CHECKING:
    import requests

TIMEOUT = 5, 20  # seconds, to connect and to read
QUARTER = 15 * 60  # seconds: to wait after a 429 that does not say how long
LARGEST = 1_000_000  # bytes of an answer


class Webhook:
    """Posts to the address `secret_url`.

    form: json sends text, bot, key and created_at, and any 2xx is a yes; discord sends a message that
    notifies nobody.
    """

    kind = "opaque"

    def __init__(self, secret_url: Secret, form: Literal["json", "discord"] = "json"):
        url = urlsplit(secret_url.reveal())
        if url.scheme not in ("http", "https") or not url.hostname:
            msg = "the address must begin with https:// or http:// and a server's name"
            raise ValueError(msg)
        self.host, self.form, self._url = url.hostname, form, secret_url
        mark = sha256(secret_url.reveal().encode()).hexdigest()[:8]  # tells two addresses of one server apart
        self.account = f"webhook {self.host} {mark}"
        self.max_length = 2000 if form == "discord" else None

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
                json=self._body(post),
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
        if self.form == "discord":
            return {"content": post.text, "allowed_mentions": {"parse": []}}
        created_at = post.created_at.isoformat()
        return {"text": post.text, "bot": post.bot, "key": post.key, "created_at": created_at}

    def _receipt(self, answer: "requests.Response") -> Receipt:
        status = answer.status_code
        said = f"{self.host} answered {status}{_phrase(status)}"
        if 200 <= status < 300:
            id = _message_id(answer) if self.form == "discord" else ""
            return Receipt(id, evidence=said)
        if status == 429:
            raise NotSent(said, _seconds(answer.headers.get("Retry-After", "")))
        if 400 <= status < 500 and status != 408:
            raise Refused(said)
        if 300 <= status < 400:
            said += ": redirects are not followed, give the address it leads to"
        raise BotError(said)


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
