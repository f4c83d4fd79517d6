"""Asks what may hang, and waits no longer than it has patience; what hangs is not asked beside itself."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from bot.errors import StoreError

Made = TypeVar("Made")


class NoAnswer(StoreError):
    """What was asked has not answered in time."""


class Patience:
    """For any number of threads, one after the other."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._hanging: threading.Thread | None = None

    def ask(self, question: Callable[[], Made]) -> Made:
        """The answer, or what was raised. Raises NoAnswer without one in time."""
        box: list[Any] = []

        def answer() -> None:
            try:
                box.append((question(), None))
            except BaseException as error:
                box.append((None, error))

        if self._hanging is None or not self._hanging.is_alive():
            self._hanging = threading.Thread(target=answer, daemon=True, name="health")
            self._hanging.start()
            self._hanging.join(self._seconds)
        if not box:
            msg = f"no answer within {self._seconds:g} s: see that its server runs and can be reached"
            raise NoAnswer(msg)
        made, error = box[0]
        if error is not None:
            raise error
        answer_made: Made = made
        return answer_made
