"""A target: an Atom feed (RFC 4287) in a file that any web server can hand out.

The file is the only memory: entries are read back from it, and the same post put twice is one entry.
Attachments stand in a folder beside it, named by their bytes, for as long as an entry names them.
"""

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from bot import Attachment, NotSent, Post, Receipt, Takes, hookimpl

ATOM = "http://www.w3.org/2005/Atom"
NAMESPACE = uuid.UUID("5f0c7c59-5f4f-4c67-9a3c-6d0f4b0f2c11")  # of our ids: another one renames every entry
NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST_TITLE = 100
OURS = re.compile(r"[0-9a-f]{16}-[\w.-]+", re.ASCII)  # names of attachments

ET.register_namespace("", ATOM)


class Feed:
    """Keeps the newest `limit` posts in the Atom feed `path`.

    author: the bot's name if "". link: where the file can be fetched, if it is published.
    """

    kind = "put"
    max_length = None
    takes = (Takes(("*/*",), most=8),)

    def __init__(self, path: Path, title: str = "Posts", author: str = "", link: str = "", limit: int = 100):
        if limit < 1:
            msg = f"limit is {limit}: a feed keeps at least 1 entry"
            raise ValueError(msg)
        self.path = path.resolve()  # a rename would put a file in a link's place
        self.title, self.author, self.link, self.limit = title, author, link, limit
        self.account = f"feed {path.name}"

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        entry = _entry(post, [self._address(one) for one in post.media])
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path.parent) as folder:
                feed = self._read()
                old = feed.findall(_atom("entry"))
                if _content(entry) not in map(_content, old):
                    self._keep(post.media)
                    others = [other for other in old if _text(other, "id") != _text(entry, "id")]
                    new = self._feed(feed, [entry, *others], post.bot)
                    self._write(new, folder)
                    self._tidy(new)
        except OSError as error:  # no rename, no post; and if it was the last sync, a put may be repeated
            msg = f"{self.path}: {error.strerror}"
            raise NotSent(msg) from error
        return Receipt(remote_id=_text(entry, "id"))

    def find(self, post: Post) -> Receipt | None:
        id = _id(post)
        if id not in (_text(entry, "id") for entry in self._read().iterfind(_atom("entry"))):
            return None
        return Receipt(id, evidence="its entry stands in the feed")

    @property
    def _media(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.media")

    def _address(self, one: Attachment) -> str:
        """Where its file can be fetched, beside the feed."""
        return urljoin(self.link, f"{self._media.name}/{_file_name(one)}")

    def _keep(self, media: Iterable[Attachment]) -> None:
        """Each in a file of its own, whole and on the disk before an entry names it."""
        for one in media:
            self._media.mkdir(exist_ok=True)
            new, file = self._media / ".new", self._media / _file_name(one)
            with new.open("wb") as opened:
                opened.write(one.content)
                opened.flush()
                os.fsync(opened.fileno())
            new.replace(file)

    def _tidy(self, feed: ET.Element) -> None:
        """Remove attachments whose entries have gone; what cannot be removed stays."""
        named = {link.get("href", "").rpartition("/")[2] for link in feed.iter(_atom("link"))}
        with suppress(OSError):
            for file in self._media.iterdir():
                if OURS.fullmatch(file.name) and file.name not in named:
                    file.unlink()

    def _read(self) -> ET.Element:
        """The feed as it is, empty if there is no file. What is not a feed is left alone."""
        try:
            feed = ET.fromstring(self.path.read_bytes())
        except FileNotFoundError:
            return ET.Element(_atom("feed"))
        except ET.ParseError as error:
            msg = f"{self.path}: not well-formed ({error}): mend it, or move it away to begin a new feed"
            raise NotSent(msg) from error
        if feed.tag != _atom("feed"):
            msg = f"{self.path}: not an Atom feed: name another file, or move this one away"
            raise NotSent(msg)
        return feed

    def _feed(self, old: ET.Element, entries: list[ET.Element], bot: str) -> ET.Element:
        entries = sorted(entries, key=lambda entry: _text(entry, "published"), reverse=True)[: self.limit]
        feed = ET.Element(_atom("feed"))
        _add(feed, "id", _text(old, "id") or self.link or f"urn:uuid:{uuid.uuid4()}")
        _add(feed, "title", self.title)
        _add(feed, "updated", max(_text(entry, "updated") for entry in entries))
        _add(_add(feed, "author"), "name", self.author or bot)
        if self.link:
            _add(feed, "link", rel="self", href=self.link)
        feed.extend(entries)
        return feed

    def _write(self, feed: ET.Element, folder: int) -> None:
        new = self.path.with_name(f".{self.path.name}.new")
        ET.indent(feed)
        with new.open("wb") as file:
            ET.ElementTree(feed).write(file, encoding="utf-8", xml_declaration=True)
            file.flush()
            os.fsync(file.fileno())
        if self.path.exists():
            shutil.copymode(self.path, new)
        new.replace(self.path)
        os.fsync(folder)


def _entry(post: Post, addresses: list[str]) -> ET.Element:
    text = _xml(post.text)
    line = " ".join(text.split())
    title = line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"
    time = post.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    entry = ET.Element(_atom("entry"))
    _add(entry, "id", _id(post))
    _add(entry, "title", title)
    _add(entry, "published", time)
    _add(entry, "updated", time)
    _add(_add(entry, "author"), "name", post.bot)
    for one, address in zip(post.media, addresses, strict=True):
        size = str(len(one.content))
        _add(
            entry,
            "link",
            rel="enclosure",
            type=one.media_type,
            href=address,
            length=size,
            title=_xml(one.alt_text),
        )
    if post.media:
        _add(entry, "content", _page(text, post.media, addresses), type="html")
    else:
        _add(entry, "content", text, type="text")
    return entry


def _page(text: str, media: Iterable[Attachment], addresses: Iterable[str]) -> str:
    """The text and what goes with it, as readers show it."""
    paragraphs = [escape(text).replace("\n", "<br/>")]
    for one, address in zip(media, addresses, strict=True):
        words, href = escape(_xml(one.alt_text)), escape(address)
        if one.media_type.startswith("image/"):
            size = f' width="{one.width}" height="{one.height}"' if one.width and one.height else ""
            paragraphs.append(f'<img src="{href}" alt="{words}"{size}/>')
        elif one.media_type in ("audio/mpeg", "audio/ogg", "audio/wav"):
            paragraphs.append(f'<audio controls="controls" src="{href}" title="{words}"></audio>')
        else:
            paragraphs.append(f'<a href="{href}" title="{words}">{escape(one.name)}</a>')
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def _file_name(one: Attachment) -> str:
    return f"{sha256(one.content).hexdigest()[:16]}-{one.name}"


def _xml(text: str) -> str:
    """The text with what XML cannot hold replaced."""
    return NOT_XML.sub("\ufffd", re.sub("\r\n?", "\n", text))


def _id(post: Post) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, post.key)}"


def _content(entry: ET.Element) -> tuple[str, ...]:
    return tuple(_text(entry, name) for name in ("id", "published", "content"))


def _atom(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _text(element: ET.Element, name: str) -> str:
    return element.findtext(_atom(name)) or ""


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, _atom(name), attributes)
    child.text = text
    return child


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """A folder that no other writer of feeds has at this moment; let go at the end, also by a kill."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


@hookimpl
def register_targets():
    return {"feed": Feed}
