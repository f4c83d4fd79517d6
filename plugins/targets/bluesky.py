"""A target: a Bluesky account, or one on any server of the AT Protocol, through atproto.

The name of each record follows from the post's key and its time, which never change: written again it is the
same record. Links, mentions and hashtags stay plain text, so no post notifies anybody.
Pictures are uploaded before it, and named by their bytes: what goes wrong there has posted nothing.
"""

import importlib.util
import re
import time
from collections.abc import Sequence
from datetime import UTC
from functools import cached_property
from hashlib import sha256
from typing import Any

from bot import Attachment, BotError, NotSent, Post, Receipt, Refused, Secret, Takes, hookimpl

TIMEOUT = {"connect": 3, "write": 2, "read": 5, "pool": 1}  # seconds; the first post makes two calls
UPLOADS = 8.0  # seconds, for all of a post
DENIED = 401, 403
QUARTER = 15 * 60  # seconds: to wait after a 429 that does not say how long
POSTS, PROFILE = "app.bsky.feed.post", "app.bsky.actor.profile"
SESSION_IS_OVER = {"ExpiredToken", "InvalidToken"}
TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"  # in the order of their values, 5 bits each


class Bluesky:
    """Posts as `handle`, with an app password.

    languages: of the texts, as ["en"], at most 3. labels: what each text is to be hidden behind, as
    ["graphic-media"]. server: where the account lives, if not at Bluesky's own.
    """

    kind = "put"
    max_length = 300
    takes = (Takes(("image/png", "image/jpeg", "image/webp"), 4, largest=1_000_000, longest_alt_text=2000),)

    def __init__(
        self,
        handle: str,
        app_password: Secret,
        languages: tuple[str, ...] = (),
        labels: tuple[str, ...] = (),
        server: str = "bsky.social",
    ):
        handle = handle.removeprefix("@")
        if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", handle) or not re.fullmatch(r"[\w.-]+(:\d+)?", server):
            msg = f"handle {handle!r}, server {server!r}: write them as me.bsky.social and bsky.social"
            raise ValueError(msg)
        if len(languages) > 3:
            msg = f"{len(languages)} languages: a post has at most 3"
            raise ValueError(msg)
        if importlib.util.find_spec("atproto") is None:  # importing it takes a second or two
            msg = "the target bluesky needs atproto: pip install atproto"
            raise BotError(msg)
        self.handle, self.account, self.server = handle, f"bluesky {handle}", f"https://{server}"
        self.languages, self.labels = languages, labels
        self.manner = f"behind the label {', '.join(labels)}" if labels else ""
        self._app_password = app_password
        self._tokens: list[Secret] = []  # of this session and the one before

    def measure(self, text: str) -> int:
        """Graphemes, or tenths of its bytes in UTF-8 where these are more: both have a limit."""
        import regex

        return max(len(regex.findall(r"\X", text)), -(-len(text.encode("utf-8", "replace")) // 10))

    def post(self, post: Post) -> Receipt:
        try:
            client = self.client
        except Exception as error:  # nothing was posted yet; what cannot be read may hold a session's tokens
            said = error if getattr(error, "response", None) else type(error).__name__
            raise self._certain(error) or NotSent(f"no login: {said}") from None
        rkey, images = _rkey(post), self._uploaded(post.media)
        record = {
            "repo": self.handle,
            "collection": POSTS,
            "rkey": rkey,
            "record": self._record(post, images),
        }
        try:
            answer = client.com.atproto.repo.put_record(record)
        except Exception as error:
            if certain := self._certain(error):
                raise certain from error
            raise
        return self._receipt(answer.uri, rkey)

    def _uploaded(self, media: tuple[Attachment, ...]) -> list[dict[str, Any]]:
        """Pictures as a record has them; they are at the server now. Raises NotSent, Refused."""
        ends = time.monotonic() + UPLOADS
        try:
            return [self._upload(one, ends) for one in media]
        except Exception as error:  # whatever it was, nothing was posted
            raise self._certain(error) or NotSent(f"no upload: {type(error).__name__}") from error

    def _upload(self, one: Attachment, ends: float) -> dict[str, Any]:
        import httpx

        left = ends - time.monotonic()
        if left <= 0:
            msg = "the upload took too long"
            raise NotSent(msg)
        form = {"input_encoding": one.media_type, "output_encoding": "application/json"}
        options = {"content": one.content, "timeout": httpx.Timeout(left / 4)}
        answer = self.client.invoke_procedure("com.atproto.repo.uploadBlob", **form, **options)
        image = {"alt": one.alt_text, "image": answer.content["blob"]}
        ratio = {"width": one.width, "height": one.height}
        return image | ({"aspectRatio": ratio} if one.width and one.height else {})

    def find(self, post: Post) -> Receipt | None:
        """Look for the record of its name."""
        rkey = _rkey(post)
        record = self._get(POSTS, rkey)
        return self._receipt(record.uri, rkey, "its record is there") if record else None

    def advice(self) -> str:
        profile = self._get(PROFILE, "self")
        labels = getattr(getattr(profile and profile.value, "labels", None), "values", None) or []
        if "bot" in [label.val for label in labels]:
            return ""
        return "the account is not marked as automated: its settings have a label for that"

    @cached_property
    def client(self) -> Any:
        """Logged in; the library renews the session before it ends."""
        import httpx
        from atproto import Client, Request

        # without room for one redirect: it would be followed
        client = Client(self.server, Request(timeout=httpx.Timeout(**TIMEOUT), max_redirects=0))
        client.on_session_change(self._renewed)
        client.login(self.handle, self._app_password.reveal(), fetch_bsky_profile=False)
        return client

    def _renewed(self, _event: Any, session: Any) -> None:
        """A session's tokens are secrets; those of the one before stay so, a call may hold them still."""
        for over in self._tokens[:-2]:
            over.forget()
        self._tokens = [*self._tokens[-2:], Secret(session.access_jwt), Secret(session.refresh_jwt)]

    def _get(self, collection: str, rkey: str) -> Any:
        """A record, None if there is none of that name."""
        from atproto.exceptions import BadRequestError

        params = {"repo": self.handle, "collection": collection, "rkey": rkey}
        try:
            return self.client.com.atproto.repo.get_record(params)
        except BadRequestError as error:
            if _name(error) == "RecordNotFound":
                return None
            self._certain(error)  # forgets a session that is over
            raise

    def _record(self, post: Post, images: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """The same for every attempt, to the byte."""
        created_at = post.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
        record = {"$type": POSTS, "text": post.text, "createdAt": created_at.replace("+00:00", "Z")}
        if self.languages:
            record["langs"] = list(self.languages)
        if self.labels:
            labels = [{"val": label} for label in self.labels]
            record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": labels}
        if images:
            record["embed"] = {"$type": "app.bsky.embed.images", "images": [*images]}
        return record

    def _receipt(self, uri: str, rkey: str, evidence: str = "") -> Receipt:
        return Receipt(uri, f"https://bsky.app/profile/{self.handle}/post/{rkey}", evidence)

    def _certain(self, error: Exception) -> NotSent | Refused | None:
        """What an error says for certain; None if the post may be there."""
        import httpx

        if isinstance(error, NotSent):
            return error
        answer = getattr(error, "response", None)
        if answer is None:
            unreached = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
            return NotSent(f"{self.server} cannot be reached") if unreached else None
        if _name(error) in SESSION_IS_OVER:
            vars(self).pop("client", None)
            return NotSent(f"the session is over: {error}", retry_after=0)
        if answer.status_code == 429:
            return NotSent(str(error), _retry_after(answer.headers))
        if 400 <= answer.status_code < 500 and answer.status_code != 408:
            return Refused(str(error), denied=answer.status_code in DENIED)
        return None


def _rkey(post: Post) -> str:
    """A TID, as the lexicon asks for: the second of the post, and 30 bits of its key for all below it."""
    bits = int.from_bytes(sha256(post.key.encode()).digest()[:8])
    micros = int(post.created_at.timestamp()) * 1_000_000 + bits % 1_000_000
    number = micros << 10 | bits // 1_000_000 % 1024
    return "".join(TID_LETTERS[number >> 5 * place & 31] for place in reversed(range(13)))


def _name(error: Exception) -> str:
    """The error's name in the protocol, "" if it has none."""
    return getattr(getattr(getattr(error, "response", None), "content", None), "error", None) or ""


def _retry_after(headers: dict[str, str]) -> float:
    reset, wait = headers.get("ratelimit-reset", ""), headers.get("retry-after", "")
    if reset.isdecimal():
        return float(reset) - time.time()
    return float(wait) if wait.isdecimal() else QUARTER


@hookimpl
def register_targets():
    return {"bluesky": Bluesky}
