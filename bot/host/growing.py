"""The model host for whoever edits a draft: what could come next, and how a text could go on.

It has a host of its own, which starts with the first question: filling a queue takes minutes, and nobody who
edits waits for that.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Self

from bot.child import Child
from bot.config import Config
from bot.errors import CheckpointError, ChildError
from bot.host.asking import Host, open_host
from bot.host.orders import Hint, Order, Part
from bot.host.serving import ModelHost
from bot.host.wishes import informed
from bot.house import House
from bot.records import Draft, Judged, Suggestion


def open_quiet_host(config: Config) -> Host:
    """One that writes nothing to the terminal, where a screen is drawn."""
    return Host(Child(partial(_quiet_host, config), "model host"))


def _quiet_host(config: Config) -> ModelHost:
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    return ModelHost(config)


class Growing:
    """Any thread may ask; one after the other is answered. It is one review's, and ends with it."""

    def __init__(self, house: House, open: Callable[[Config], Host] = open_host):
        self._house, self._open = house, open
        self._host: Host | None = None
        self._lock = Lock()

    def suggestions(self, draft: Draft, prefix: str, count: int = 8) -> Sequence[Suggestion]:
        """The tokens that most probably follow the prefix, the likeliest first. Raises BotError."""
        model, name = self._checkpoint(draft)
        with self._lock:
            return self._opened().hint(Hint(model, name, prefix, count))

    def continuations(self, draft: Draft, prefix: str, count: int = 5) -> Sequence[Judged]:
        """Texts that begin with the prefix and go on as the draft was sampled, judged by its bot's filters.

        The kept ones come first. Raises BotError where the model cannot begin so.
        """
        model, name = self._checkpoint(draft)
        sampling = replace(draft.candidate.sampling, prefix=prefix)
        order = Order(draft.bot, model, (Part(name, sampling, count),), secrets.randbits(48))
        with self._lock:
            answers = list(self._opened().ask_all([informed(self._house, order)]))
        if not answers:
            msg = "the model was given up before it had answered"
            raise ChildError(msg)
        [(_, answer)] = answers
        if isinstance(answer, Exception):
            raise answer
        return sorted(answer, key=lambda judged: not judged.kept)

    def close(self) -> None:
        """What is being asked is given up."""
        if self._host is not None:
            self._host.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _checkpoint(self, draft: Draft) -> tuple[str, str]:
        """Model and name of the one that sampled the draft; where that is gone, of the bot's best."""
        model, _, name = draft.candidate.checkpoint.partition("/")
        try:
            return model, self._house.checkpoint(model, name).name
        except CheckpointError:
            model = self._house.bot(draft.bot).model
            return model, self._house.checkpoint(model).name

    def _opened(self) -> Host:
        if self._host is None:
            self._host = self._open(self._house.config)
        return self._host
