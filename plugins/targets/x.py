"""A target: X, through its API v2. Each post costs money: it posts nothing until `dry_run: false` says so.

X knows no idempotency key. A post whose answer was lost is looked for among the account's own newest posts.
Pictures are uploaded before it, each with its description: what goes wrong there has posted nothing.
"""

import base64
import html
import logging
import re
import time
import unicodedata
from collections.abc import Mapping
from datetime import UTC, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bot import Attachment, BotError, NotSent, Post, Receipt, Refused, Secret, Takes, hookimpl

if TYPE_CHECKING:
    import tweepy

log = logging.getLogger(__name__)

PRICES = (
    0.015,
    0.2,
)  # USD for a post, for one with an address: docs.x.com, "X API pricing", as of November 2026
LIMITS = "x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"  # each with -remaining and -reset
DENIED = 401, 403
QUARTER = 15 * 60  # seconds: to wait after a 429 that does not say how long
TIMEOUT = 4, 14  # seconds, to connect and to read
UPLOADS = 12.0  # seconds, for all of a post; then the post itself still has its time
CLOCKS_DIFFER = timedelta(minutes=5)
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that count 1; all others count 2
ADDRESS, ADDRESS_LENGTH = re.compile(r"https?://\S+"), 23  # whatever its real length
CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")
EMOJI = r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\N{COMBINING ENCLOSING KEYCAP}"


class X:
    """Posts as the account of the access token.

    dry_run: post nothing, and say so in the receipt. made_with_ai: label each post as that. price,
    price_with_address: what X charges for a post, in USD; it counts against limits.usd_per_month.
    """

    kind = "query"
    max_length = 280
    takes = (Takes(("image/png", "image/jpeg", "image/webp"), 4, largest=5_000_000, longest_alt_text=1000),)

    def __init__(
        self,
        consumer_key: Secret | None = None,
        consumer_secret: Secret | None = None,
        access_token: Secret | None = None,
        access_token_secret: Secret | None = None,
        dry_run: bool = True,
        made_with_ai: bool = True,
        price: float = PRICES[0],
        price_with_address: float = PRICES[1],
    ):
        keys = [consumer_key, consumer_secret, access_token, access_token_secret]
        if not dry_run and None in keys:
            msg = "to post it needs consumer_key, consumer_secret, access_token and access_token_secret"
            raise ValueError(msg)
        self.dry_run, self.made_with_ai = dry_run, made_with_ai
        self.manner = "labelled as made with AI" if made_with_ai else ""
        self.price, self.price_with_address = price, price_with_address
        self.user = access_token.reveal().partition("-")[0] if access_token else ""  # a token begins with it
        self.account = "x (dry run)" if dry_run else f"x {self.user}"
        self.server = "" if dry_run else "https://api.twitter.com"
        if not dry_run:
            self.client = _connect([key.reveal() for key in keys if key])

    def measure(self, text: str) -> int:
        """The weighted length of twitter-text 3: an address 23, an emoji 2, a letter 1, one of CJK 2."""
        import regex

        text, addresses = ADDRESS.subn("", unicodedata.normalize("NFC", text))
        return addresses * ADDRESS_LENGTH + sum(map(_weight, regex.findall(r"\X", text)))

    def post(self, post: Post) -> Receipt:
        cost = self._price_told(post.text)
        if self.dry_run:
            return Receipt(evidence=f"dry run: nothing was posted, which would have cost {cost}")
        if ADDRESS.search(post.text):
            log.warning("%s: %s", self.account, cost)
        body: dict[str, Any] = {"text": post.text, "made_with_ai": self.made_with_ai}
        if post.media:
            body["media"] = {"media_ids": self._uploaded(post.media)}
        try:
            answer = self.client.request("POST", "/2/tweets", json=body, user_auth=True).json()
        except Exception as error:
            if certain := _certain(error):
                raise certain from error
            raise
        return self._receipt(answer["data"]["id"])

    def _uploaded(self, media: tuple[Attachment, ...]) -> list[str]:
        """The ids of pictures, which are now at X with their descriptions. Raises NotSent, Refused."""
        request, ends = self.client.session.request, time.monotonic() + UPLOADS
        own = request.keywords["timeout"]
        try:
            return [self._upload(one, ends) for one in media]
        except Exception as error:  # whatever it was, nothing was posted
            raise _certain(error) or NotSent(f"no upload: {_line(error) or type(error).__name__}") from error
        finally:
            request.keywords["timeout"] = own

    def _upload(self, one: Attachment, ends: float) -> str:
        content = base64.b64encode(one.content).decode()
        given = {"media": content, "media_category": "tweet_image", "media_type": one.media_type}
        id = str(self._ask("/2/media/upload", given, ends)["data"]["id"])
        words = {"alt_text": {"text": one.alt_text}}
        self._ask("/2/media/metadata", {"id": id, "metadata": words}, ends)["data"]
        return id

    def _ask(self, route: str, body: dict[str, Any], ends: float) -> Any:
        left = ends - time.monotonic()
        if left <= 0:
            msg = "the upload took too long"
            raise NotSent(msg)
        self.client.session.request.keywords["timeout"] = left / 3, left * 2 / 3
        return self.client.request("POST", route, json=body, user_auth=True).json()

    def find(self, post: Post) -> Receipt | None:
        """Look for its text among the account's posts since it was first tried."""
        since = (post.created_at - CLOCKS_DIFFER).astimezone(UTC)
        params = {"max_results": 100, "start_time": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        route = f"/2/users/{self.user}/tweets"
        answer = self.client.request("GET", route, params=params, user_auth=True).json()
        for tweet in answer.get("data", ()):
            if _bare(html.unescape(tweet["text"])) == _bare(post.text):
                return self._receipt(tweet["id"], "its text stands among the account's newest posts")
        if "next_token" in answer.get("meta", {}):
            msg = "over 100 posts stand there since: it cannot be said whether this one does"
            raise BotError(msg)
        return None

    def objection(self, text: str) -> str:
        cashtag = CASHTAG.search(text)
        return f"{cashtag[0]} would become a link to a share's price" if cashtag else ""

    def advice(self) -> str:
        return "" if self.made_with_ai else "what it posts is not labelled as made by AI: made_with_ai: true"

    def cost(self, text: str) -> float:
        if self.dry_run:
            return 0.0
        return self.price_with_address if ADDRESS.search(text) else self.price

    def _price_told(self, text: str) -> str:
        if ADDRESS.search(text):
            return f"about {self.price_with_address:g} USD, for it has an address, instead of {self.price:g}"
        return f"about {self.price:g} USD"

    def _receipt(self, id: str, evidence: str = "") -> Receipt:
        return Receipt(id, f"https://x.com/i/status/{id}", evidence)


def _connect(keys: list[str]) -> "tweepy.Client":
    import tweepy

    for name in ("tweepy", "oauthlib", "requests_oauthlib"):
        logging.getLogger(name).setLevel(logging.INFO)  # below that they write down keys and signatures
    client = tweepy.Client(None, *keys)
    client.session.max_redirects = 0
    client.session.request = partial(client.session.request, timeout=TIMEOUT)
    return client


def _certain(error: Exception) -> NotSent | Refused | None:
    """What an error says for certain; None if the post may be there."""
    import requests
    import tweepy
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, NotSent):
        return error
    if isinstance(error, tweepy.TooManyRequests):
        return NotSent(_line(error), _retry_after(error.response.headers))
    if isinstance(error, tweepy.HTTPException):
        status, duplicate = error.response.status_code, "duplicate" in str(error).lower()
        final = 400 <= status < 500 and status != 408 and not duplicate
        return Refused(_line(error), denied=status in DENIED) if final else None
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError):
        return NotSent("X cannot be reached")
    return None


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds until the last of the limits that are used up is lifted."""
    used_up = [limit for limit in LIMITS if headers.get(f"{limit}-remaining") == "0"]
    resets = [headers.get(f"{limit}-reset", "") for limit in used_up or LIMITS[:1]]
    return max((float(reset) - time.time() for reset in resets if reset.isdecimal()), default=QUARTER)


def _weight(cluster: str) -> int:
    import regex

    if len(cluster) > 1 and regex.search(EMOJI, cluster):
        return 2
    return sum(1 if any(first <= ord(char) <= last for first, last in LIGHT) else 2 for char in cluster)


def _bare(text: str) -> str:
    """A text as far as X gives it back: it shortens addresses."""
    return " ".join(ADDRESS.sub("", unicodedata.normalize("NFC", text)).split())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


@hookimpl
def register_targets():
    return {"x": X}
