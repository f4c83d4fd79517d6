"""How things are logged: without secrets, with libraries held back, and as JSON where that is wanted.

Secrets are taken out where records are made, so that no logger, handler or formatter sees them; and out of
the tracebacks of whatever nobody has caught. It does not know what is logged.
"""

import json
import logging
import os
import sys
import threading
import traceback
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from bot.records import Secret

LIBRARIES = (  # below WARNING some write down tokens, signatures and secret addresses, others tell little
    *("tweepy", "oauthlib", "requests_oauthlib", "urllib3", "requests", "httpx", "httpcore", "h11"),
    *("atproto", "atproto_client", "mastodon", "apprise", "sqlalchemy", "psycopg", "asyncio"),
    *("alembic", "apscheduler", "uvicorn", "fastapi", "matplotlib", "torch", "PIL"),
)
FILE, LARGEST = "log.jsonl", 1_000_000  # bytes; one older file is kept beside it
CRASH = "crash.txt"
EVENTS = "bot.events"  # the logger of what the bots do


class GuardedRecord(logging.LogRecord):
    """A record without secrets: in its message, its arguments, its traceback."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        try:
            message = self.getMessage()
        except Exception:  # what does not fit together is shown as it came
            message = f"{self.msg!r} {self.args!r}"
        self.msg, self.args = Secret.redact(message), ()
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = Secret.redact("".join(traceback.format_exception(*self.exc_info))).rstrip()
        self.exc_info = None
        self.stack_info = self.stack_info and Secret.redact(self.stack_info)


def guard() -> None:
    """From here on, nothing that this process logs or dies of shows a secret. Children call it too."""
    if password := os.environ.get("PGPASSWORD"):  # the database's library takes it from there by itself
        Secret(password)
    logging.setLogRecordFactory(GuardedRecord)
    sys.excepthook = _show
    threading.excepthook = lambda args: _show(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _show(args.exc_type, args.exc_value, args.exc_traceback)


def redacted_traceback(error: BaseException) -> str:
    return Secret.redact("".join(traceback.format_exception(error)))


def open_logs(folder: Path, stream: TextIO, as_json: bool) -> None:
    """Log to a stream, for people only warnings, and as JSON to a file in `folder` for a post-mortem."""
    shown = logging.StreamHandler(stream)
    shown.setFormatter(JsonLines() if as_json else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    shown.setLevel(logging.INFO if as_json else logging.WARNING)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if not as_json:
        shown.addFilter(lambda record: record.name != EVENTS)  # people are shown them otherwise
    for handler in (shown, *_file(folder)):
        handler.addFilter(_held_back)
        root.addHandler(handler)


def close_logs() -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        if _held_back in handler.filters:
            root.removeHandler(handler)
            handler.close()


class JsonLines(logging.Formatter):
    """time, level, event and message; then what the record brings as `fields`, and its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: _clean(value) for name, value in getattr(record, "fields", {}).items()}
        if record.exc_text:
            said["traceback"] = record.exc_text
        return json.dumps(said, ensure_ascii=False, default=str)


def write_crash(folder: Path, error: BaseException) -> None:
    """Leave the traceback of what ends this process, and where its threads stand, for who asks afterwards."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    threads = "".join(map(_where, threading.enumerate()))
    try:
        folder.mkdir(exist_ok=True)
        path = folder / CRASH
        path.write_text(f"{at}  process {os.getpid()}\n{redacted_traceback(error)}\n{threads}", "utf-8")
    except OSError as failure:
        logging.getLogger(__name__).error("the crash could not be written down: %s", failure)


def _where(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    stack = "".join(traceback.format_stack(frame)) if frame else ""
    return Secret.redact(f"thread {thread.name}:\n{stack}")


def _show(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    lines = traceback.format_exception(kind, error, trace)
    print(Secret.redact("".join(lines)), end="", file=sys.stderr)


def _file(folder: Path) -> list[logging.Handler]:
    try:
        folder.mkdir(exist_ok=True)
        handler = RotatingFileHandler(folder / FILE, maxBytes=LARGEST, backupCount=1, encoding="utf-8")
    except OSError as error:
        logging.getLogger(__name__).warning("no log is kept: %s", error)
        return []
    handler.setFormatter(JsonLines())
    return [handler]


def _held_back(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] not in LIBRARIES


def _clean(value: Any) -> Any:
    return Secret.redact(value) if isinstance(value, str) else value
