"""What goes with a text: asks renderers in a child process, under a deadline, and keeps what they made.

What was made of a text is made once: it is looked at, approved and posted as the same bytes. A renderer that
raises, hangs or dies costs its own attachments and no other's. It does not know where they go.
"""

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from bot.child import Answer, Child
from bot.errors import BotError, ChildError
from bot.interfaces import Renderer
from bot.records import Attachment, Media, Rendered, Secret

DEADLINE = 30.0  # seconds for one renderer and one text
MOST, LARGEST = 8, 8 * 2**20  # attachments of one renderer to one text; bytes of one
LONGEST_ALT_TEXT = 2000  # characters
ENOUGH = 3  # times a renderer may break its process before it is asked no more
GIVEN_UP = f"it broke its process {ENOUGH} times, and is asked no more until a new start"
REMEMBERED = 1000  # failures
MEDIA_TYPE = re.compile(r"[a-z]+/[\w.+-]+", re.ASCII)
NAME = re.compile(r"\w[\w.-]{0,99}", re.ASCII)

Build = Callable[[str, str], Renderer]  # of a bot's name and a renderer's


class Store(Protocol):
    """Where attachments are kept."""

    def found(self, key: str) -> tuple[Media, ...] | None: ...

    def keep(self, key: str, attachments: Sequence[Attachment]) -> tuple[Media, ...]: ...


class Failed(str):
    """Why a renderer made nothing of a text."""


NOT_YET = Failed("not made yet")


class Renderings:
    """build: picklable; it is called in the child, once for each renderer. Any thread may ask."""

    def __init__(self, build: Build, store: Store, deadline: float = DEADLINE):
        self._child = Child(partial(_open, build), "renderers' process")
        self._store, self._deadline = store, deadline
        self._lock = threading.Lock()
        self._failed: dict[str, Failed] = {}  # by key, as long as this process lives
        self._broken: Counter[tuple[str, str]] = Counter()

    def of(self, bot: str, recipes: Mapping[str, str], text: str) -> Rendered:
        """What a bot's renderers make of a text.

        recipes: what each renderer is, by its label; the same recipe and text are made once.
        Raises BotError where a renderer cannot be built: that is for its owner to mend.
        """
        return _joined(
            (label, self._one(bot, label, _key(recipe, text), text)) for label, recipe in recipes.items()
        )

    def kept(self, recipes: Mapping[str, str], text: str) -> Rendered:
        """What has been made already; nothing is made."""
        known = ((label, self._known(_key(recipe, text))) for label, recipe in recipes.items())
        return _joined((label, NOT_YET if one is None else one) for label, one in known)

    def given_up(self, bot: str) -> str:
        """Which of a bot's renderers are asked no more, and why; "" if none."""
        labels = [label for (whose, label), times in self._broken.items() if whose == bot and times >= ENOUGH]
        return "; ".join(f"the renderer {label}: {GIVEN_UP}" for label in labels)

    def close(self) -> None:
        self._child.close()

    def _one(self, bot: str, label: str, key: str, text: str) -> tuple[Media, ...] | Failed:
        known = self._known(key)
        if known is None:
            with self._lock:  # who waited for it may find it made
                known = self._known(key)
                return self._make(bot, label, key, text) if known is None else known
        return known

    def _known(self, key: str) -> tuple[Media, ...] | Failed | None:
        found = self._store.found(key)
        return self._failed.get(key) if found is None else found

    def _make(self, bot: str, label: str, key: str, text: str) -> tuple[Media, ...] | Failed:
        if self._broken[bot, label] >= ENOUGH:
            return Failed(GIVEN_UP)
        try:
            made = self._child.ask((bot, label, text), self._deadline)
        except ChildError as error:
            self._broken[bot, label] += 1
            made = Failed(error)
        if isinstance(made, Failed):
            self._remember(key, made)
            return made
        return self._store.keep(key, made)

    def _remember(self, key: str, failed: Failed) -> None:
        if len(self._failed) >= REMEMBERED:
            self._failed.clear()
        self._failed[key] = failed


def _key(recipe: str, text: str) -> str:
    return sha256(f"{recipe}\n{text}".encode()).hexdigest()


def _joined(made: Iterator[tuple[str, tuple[Media, ...] | Failed]]) -> Rendered:
    media: list[Media] = []
    reasons: list[str] = []
    for label, one in made:
        if isinstance(one, Failed):
            reasons.append(f"{label}: {one}")
        else:
            media += one
    return Rendered(tuple(media), tuple(reasons))


# the child's side


def _open(build: Build) -> Answer:
    """The child's answering function: attachments, or Failed; what building raises goes to who asked."""
    renderers: dict[tuple[str, str], Renderer] = {}

    def answer(question: tuple[str, str, str]) -> tuple[Attachment, ...] | Failed:
        bot, label, text = question
        with redirect_stdout(sys.stderr):  # what plugins print shall not spoil the command's own output
            if (bot, label) not in renderers:
                renderers[bot, label] = build(bot, label)
            return _rendered(renderers[bot, label], text)

    return answer


def _rendered(renderer: Renderer, text: str) -> tuple[Attachment, ...] | Failed:
    try:
        made = tuple(renderer(text))
        fault = next(filter(None, map(_fault, made)), "")
    except BaseException as error:  # a plugin may even call sys.exit
        return Failed(_line(error))
    if len(made) > MOST:
        return Failed(f"it gave {len(made)} attachments, and {MOST} is the most")
    return Failed(fault) if fault else made


def _fault(made: Any) -> str:
    """What is wrong with an attachment, "" if nothing."""
    if not isinstance(made, Attachment):
        return f"it gave {made!r:.60}, no attachment"
    if not MEDIA_TYPE.fullmatch(made.media_type):
        return f"it gave the media type {made.media_type!r:.60}: write one as image/png"
    if not NAME.fullmatch(made.name):
        return f"it gave the file name {made.name!r:.60}: letters, digits and '._-' alone"
    if not isinstance(made.content, bytes) or not 0 < len(made.content) <= LARGEST:
        return f"{made.name}: no bytes, or over {LARGEST // 2**20} MiB"
    if not made.alt_text.strip() or len(made.alt_text) > LONGEST_ALT_TEXT:
        return f"{made.name}: no alt text, or one of over {LONGEST_ALT_TEXT} characters"
    return ""


def _line(error: BaseException) -> str:
    text = Secret.redact(" ".join(str(error).split()))[:300]
    return text if isinstance(error, BotError) else f"{type(error).__name__}: {text}"
