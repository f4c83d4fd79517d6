"""A target: a file of one JSON object a line. It can be asked for a post by its key.

Attachments stand in a folder beside it, named by their bytes, and are there before a line names them.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO

from bot import Attachment, NotSent, Post, Receipt, Takes, hookimpl

OPENING = b'{"key": "'  # of every line of ours: tells one of them, cut short, from the end of another's file
LONGEST = 1_000_000  # bytes of a line


class Jsonl:
    """Appends to the file `path`, one writer at a time; a post counts once it is on the disk."""

    kind = "query"
    max_length = None
    takes = (Takes(("*/*",), most=8),)

    def __init__(self, path: Path):
        self.path = path
        self.account = f"jsonl {path.name}"

    def measure(self, text: str) -> int:
        return len(text)

    def post(self, post: Post) -> Receipt:
        line: dict[str, object] = {
            "key": post.key,
            "bot": post.bot,
            "text": post.text,
            "created_at": post.created_at.isoformat(),
        }
        with self._open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed, also by a kill
            if post.media:
                line["media"] = [*self._kept(post.media)]
            self._mend(file)
            self._append(file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        return Receipt(remote_id=post.key)

    def find(self, post: Post) -> Receipt | None:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return None
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)
            found = any(_key(line) == post.key for line in file)
        return Receipt(post.key, evidence="its key stands in the file") if found else None

    def _kept(self, media: tuple[Attachment, ...]) -> Iterator[dict[str, str]]:
        """Each on the disk, and what its line says of it."""
        folder = self.path.with_name(f"{self.path.stem}.media")
        for one in media:
            name = f"{sha256(one.content).hexdigest()[:16]}-{one.name}"
            try:
                folder.mkdir(exist_ok=True)
                with (folder / ".new").open("wb") as file:
                    file.write(one.content)
                    file.flush()
                    os.fsync(file.fileno())
                (folder / ".new").replace(folder / name)
                _sync(folder)
            except OSError as error:
                msg = f"{folder}: {error.strerror}"
                raise NotSent(msg) from error
            yield {"file": f"{folder.name}/{name}", "media_type": one.media_type, "alt_text": one.alt_text}

    def _open(self) -> IO[bytes]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self.path.open("a+b", buffering=0)
        except OSError as error:
            msg = f"{self.path}: {error.strerror}"
            raise NotSent(msg) from error

    def _mend(self, file: IO[bytes]) -> None:
        """Complete or take away a last line that a kill or a power loss has cut short."""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LONGEST))
        rest = file.read().rpartition(b"\n")[2]
        if not rest:
            return
        if _key(rest):
            file.write(b"\n")
        elif rest.startswith(OPENING) or OPENING.startswith(rest):
            file.truncate(size - len(rest))
        else:
            msg = f"{self.path}: the last line is not one of ours: end it with a newline or name another file"
            raise NotSent(msg)

    def _append(self, file: IO[bytes], line: bytes) -> None:
        end = file.seek(0, os.SEEK_END)
        try:
            if file.write(line) < len(line):
                raise OSError(None, "there is no room for it")
            os.fsync(file.fileno())
            _sync(self.path.parent)
        except OSError as error:
            file.truncate(end)  # if that fails too, nobody knows what is there: no NotSent then
            msg = f"{self.path}: {error.strerror}"
            raise NotSent(msg) from error


def _key(line: bytes) -> str:
    """The key of a line, "" if it has none."""
    try:
        return str(json.loads(line)["key"])
    except (ValueError, TypeError, KeyError):
        return ""


def _sync(folder: Path) -> None:
    """A new file's name is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@hookimpl
def register_targets():
    return {"jsonl": Jsonl}
