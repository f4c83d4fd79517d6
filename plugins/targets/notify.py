"""A target: mail, chat or one of the other services that apprise knows, each by an address of its own form.

apprise says yes or no and not why, and no service is asked afterwards: the kind is opaque.
"""

import logging
from hashlib import sha256
from typing import Any

from bot import BotError, Post, Receipt, Secret, Takes, hookimpl

LONGEST_WAIT = 30  # seconds, to connect and to read
FILES = (Takes(("*/*",), most=8, in_all=8_000_000),)  # where a service takes any


class Notify:
    """Posts to the service that `secret_url` stands for, as mailtos://user:password@example.org.

    title: a subject, where the service has one.
    """

    kind = "opaque"

    def __init__(self, secret_url: Secret, title: str = ""):
        self.title = title
        self.service = _service(secret_url)
        self.name = str(self.service.service_name)
        mark = sha256(secret_url.reveal().encode()).hexdigest()[
            :8
        ]  # tells two addresses of one service apart
        self.account = f"notify {self.name} {mark}"
        self.max_length = self.service.body_maxlen - len(title)
        self.takes = FILES if self.service.attachment_support else ()
        self.manner = f"under the subject “{title}”" if title else ""

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        from apprise import Apprise, AppriseAttachment, NotifyFormat
        from apprise.attachment.memory import AttachMemory

        post_office, files = Apprise(self.service, asset=self.service.asset), AppriseAttachment()
        for one in post.media:
            files.add(AttachMemory(one.content, name=one.name, mimetype=one.media_type))
        form = {"body_format": NotifyFormat.TEXT, "interpret_escapes": False}
        if post_office.notify(post.text, self.title, attach=files if post.media else None, **form):
            return Receipt(evidence=f"{self.name} took it, says apprise")
        msg = f"{self.name} did not take it, or not for all recipients, says apprise"
        raise BotError(msg)

    def find(self, post: Post) -> Receipt | None:
        msg = f"{self.name} cannot be asked whether a post is there: look for it"
        raise BotError(msg)


def _service(secret_url: Secret) -> Any:
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        msg = "the target notify needs apprise: pip install apprise"
        raise BotError(msg) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it writes down addresses and passwords
    logging.getLogger("urllib3").setLevel(logging.INFO)
    asset = AppriseAsset(async_mode=False, http_redirects=False, storage_mode="memory")
    service = Apprise.instantiate(secret_url.reveal(), asset=asset)
    if service is None:
        msg = "apprise does not know an address of this form: see its list of services"
        raise ValueError(msg)
    if service.retry:
        msg = "retry= in the address would post twice what was answered too late: leave it out"
        raise ValueError(msg)
    if sum(service.request_timeout) > LONGEST_WAIT:
        msg = f"cto= and rto= in the address are over {LONGEST_WAIT} seconds together"
        raise ValueError(msg)
    service.request_rate_per_sec = 0  # else it waits inside a call
    return service


@hookimpl
def register_targets():
    return {"notify": Notify}
