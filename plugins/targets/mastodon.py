"""A target: a Mastodon account, or one of any server that speaks Mastodon's API, through Mastodon.py.

Each post carries its key, and the server gives the same post for the same key for an hour. After that it is
looked for among the account's newest posts. A post that would notify somebody is refused by the server.
Pictures and sounds are uploaded before it: what goes wrong there has posted nothing.
"""

import html
import re
import time
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from bot import Attachment, BotError, NotSent, Post, Receipt, Refused, Secret, Takes, hookimpl

if TYPE_CHECKING:
    import requests

TIMEOUT = 3, 7  # seconds, to connect and to read; the first post makes two calls
UPLOADS, PAUSE = (
    10.0,
    0.5,
)  # seconds, for all uploads of a post; from one look at what the server makes of one to the next
DENIED = 401, 403
QUARTER = 15 * 60  # seconds: to wait after a 429 that does not say how long
CLOCKS_DIFFER = timedelta(minutes=5)
PAGE = 40  # posts, the most that a server gives at once
ADDRESS, ADDRESS_COUNTS_AS = re.compile(r"https?://\S+"), "x" * 23
MENTION = re.compile(r"(?<![/\w])@(\w+)@[\w.-]+\w")  # counts without its server
TAG = re.compile(r"<[^>]*>")


class Mastodon:
    """Posts as `account`, written user@server; the access token must be that account's.

    instance: the server's address if it is not what stands behind the @. content_warning: the line that hides
    each text until it is clicked on. language: of the texts, as "en". max_length: what the server allows.
    """

    kind = "key"
    takes = (
        Takes(
            ("image/png", "image/jpeg", "image/gif", "image/webp"),
            4,
            largest=8_000_000,
            longest_alt_text=1500,
        ),
        Takes(("audio/mpeg", "audio/ogg", "audio/wav"), 1, largest=40_000_000, longest_alt_text=1500),
    )

    def __init__(
        self,
        account: str,
        access_token: Secret,
        instance: str = "",
        visibility: Literal["public", "unlisted", "private"] = "public",
        content_warning: str = "",
        language: str = "",
        max_length: int = 500,
    ):
        self.user, _, server = account.removeprefix("@").partition("@")
        self.host = instance or server
        if not self.user or not re.fullmatch(r"[\w.-]+(:\d+)?", self.host):
            msg = f"the account is {account!r}: write user@server, and as instance a server's name alone"
            raise ValueError(msg)
        self.account, self.server = f"mastodon {self.user}@{server}", f"https://{self.host}"
        self.visibility, self.content_warning, self.language = visibility, content_warning, language
        self.max_length = max_length - _graphemes(content_warning)  # it counts like the text
        hidden = f"behind the warning “{content_warning}”" if content_warning else ""
        self.manner = ", ".join(filter(None, [visibility if visibility != "public" else "", hidden]))
        self._uploads: dict[tuple[str, bytes], Any] = {}  # of posts that have not arrived
        self._session = _session()
        self.client = _connect(self.host, access_token, self._session)

    def measure(self, text: str) -> int:
        """Graphemes, as the server counts them: an address 23, a mention without its server."""
        return _graphemes(MENTION.sub(r"@\1", ADDRESS.sub(ADDRESS_COUNTS_AS, text)))

    def post(self, post: Post) -> Receipt:
        try:
            self._check_account()
        except Exception as error:  # nothing was posted yet
            raise self._certain(error) or NotSent(_line(error)) from error
        ids = self._uploaded(post)
        try:
            status = self.client.status_post(
                post.text,
                media_ids=ids or None,
                visibility=self.visibility,
                spoiler_text=self.content_warning or None,
                language=self.language or None,
                idempotency_key=post.key,
            )
        except Exception as error:
            if certain := self._certain(error):
                raise certain from error
            raise
        self._uploads.clear()
        return _receipt(status)

    def _uploaded(self, post: Post) -> list[Any]:
        """The ids of what goes with a post, which is ready at the server now. Raises NotSent, Refused."""
        own, ends = self.client.request_timeout, time.monotonic() + UPLOADS
        try:
            return [self._upload(post.key, one, ends) for one in post.media]
        except Exception as error:  # whatever it was, nothing was posted
            raise self._certain(error) or NotSent(
                f"no upload: {_line(error) or type(error).__name__}"
            ) from error
        finally:
            self.client.request_timeout = own

    def _upload(self, key: str, one: Attachment, ends: float) -> Any:
        """Its id. A later attempt finds one that took the server long."""
        if (key, one.content) not in self._uploads:
            self._hurry(ends, calls=2)  # the first one asks what the server is too
            words = {"description": one.alt_text, "file_name": one.name}
            self._uploads[key, one.content] = self.client.media_post(one.content, one.media_type, **words)
        answer = self._uploads[key, one.content]
        while answer["id"] and not answer["url"]:  # it is at work on it
            time.sleep(PAUSE)
            self._hurry(ends)
            answer = self.client.media(answer["id"])
        if not answer["id"]:
            del self._uploads[key, one.content]
            msg = "the answer holds no upload with an id"
            raise NotSent(msg)
        return answer["id"]

    def _hurry(self, ends: float, calls: int = 1) -> None:
        """Let so many calls have what is left of the time for uploads."""
        left = ends - time.monotonic()
        if left <= 0:
            msg = "the server was not ready with an upload in time"
            raise NotSent(msg)
        self.client.request_timeout = left / 3 / calls, left * 2 / 3 / calls

    def find(self, post: Post) -> Receipt | None:
        """Look for its text among the account's posts since it was first tried."""
        self._check_account()
        statuses = self.client.account_statuses(self._me["id"], limit=PAGE, exclude_reblogs=True)
        for status in statuses:
            if status["created_at"] < post.created_at - CLOCKS_DIFFER:
                return None
            if _bare(html.unescape(TAG.sub("", status["content"]))) == _bare(post.text):
                return _receipt(status, "its text stands among the account's newest posts")
        if self.client.get_pagination_info(statuses, "next"):
            msg = f"over {len(statuses)} posts stand there since: it cannot be said whether this one does"
            raise BotError(msg)
        return None

    def advice(self) -> str:
        self._check_account()
        if self._me["bot"]:
            return ""
        return "the account is not marked as automated: its profile settings have a box for that"

    @cached_property
    def _me(self) -> Mapping[str, Any]:
        return self.client.account_verify_credentials()

    def _check_account(self) -> None:
        if self._me["username"].casefold() != self.user.casefold():
            msg = f"the access token is not {self.user}'s, but {self._me['username']}'s"
            raise NotSent(msg)

    def _certain(self, error: Exception) -> NotSent | Refused | None:
        """What an error says for certain; None if the post may be there."""
        if isinstance(error, NotSent):
            return error
        answer = self._session.answer
        if answer is None:
            reached = _reached(error.__context__)
            return None if reached else NotSent(f"{self.host} cannot be reached")
        if answer.status_code == 429:
            return NotSent(_line(error), _retry_after(answer.headers))
        if 400 <= answer.status_code < 500 and answer.status_code != 408:
            return Refused(_line(error), denied=answer.status_code in DENIED)
        return None


def _session() -> Any:
    import requests

    class Session(requests.Session):
        """Follows no redirect, lets no post mention anybody, and remembers the last answer."""

        answer: "requests.Response | None" = None

        def request(self, method: str, url: str, **options: Any) -> "requests.Response":
            self.answer = None
            if url.endswith("/api/v1/statuses") and method == "POST":  # Mastodon.py has no argument for it
                options["data"] = {**options["data"], "allowed_mentions[]": ""}
            self.answer = super().request(method, url, allow_redirects=False, **options)
            return self.answer

    return Session()


def _connect(host: str, token: Secret, session: "requests.Session") -> Any:
    try:
        from mastodon import Mastodon as Client
    except ImportError:
        msg = "the target mastodon needs Mastodon.py: pip install Mastodon.py"
        raise BotError(msg) from None
    return Client(
        access_token=token.reveal(),
        api_base_url=f"https://{host}",
        ratelimit_method="throw",  # else it waits inside a call
        request_timeout=TIMEOUT,
        session=session,
    )


def _reached(error: BaseException | None) -> bool:
    """Whether a connection may have come about."""
    import requests
    from urllib3.exceptions import NewConnectionError

    cause = getattr(error.args[0], "reason", None) if error and error.args else None
    return not (isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError))


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        reset = datetime.fromisoformat(headers["X-RateLimit-Reset"])
        return (reset - datetime.now(UTC)).total_seconds()
    except (KeyError, ValueError, TypeError):  # absent, no date, a date without a zone
        return QUARTER


def _receipt(status: Mapping[str, Any], evidence: str = "") -> Receipt:
    if not status["id"]:  # Mastodon.py fills in None for what an answer lacks
        msg = "the answer holds no post with an id"
        raise BotError(msg)
    return Receipt(str(status["id"]), status["url"] or "", evidence)


def _graphemes(text: str) -> int:
    import regex

    return len(regex.findall(r"\X", text))


def _bare(text: str) -> str:
    """A text without its spaces, which the server moves where it makes paragraphs."""
    return "".join(unicodedata.normalize("NFC", text).split())


def _line(error: Exception) -> str:
    return " ".join(" ".join(map(str, filter(None, error.args))).split())


@hookimpl
def register_targets():
    return {"mastodon": Mastodon}
