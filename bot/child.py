"""A child process that answers one question at a time, under a deadline.

The model host and the sender are such children: what hangs or crashes there stops nothing here.
It does not know what is asked. The child ignores Ctrl-C: its parent decides when it ends.
"""

import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Self

from bot.errors import ChildError

Answer = Callable[[Any], Any]


class Child:
    """Starts on the first question, again after a death; `make` builds the answering function in the child.

    make: picklable, without arguments. name: what the messages call the child.
    """

    def __init__(self, make: Callable[[], Answer], name: str):
        self._make, self._name = make, name
        self._process: Any = None
        self._pipe: Connection | None = None

    def ask(self, question: Any, deadline: float) -> Any:
        """The child's answer, or what it raised; past `deadline` seconds it is killed.

        Raises ChildError when the child died or was killed: what it did until then is unknown.
        """
        pipe = self._pipe or self._start()
        try:
            pipe.send(question)
            if not pipe.poll(deadline):
                msg = f"the {self._name} gave no answer within {deadline:g} s and was killed"
                raise ChildError(msg)
            raised, answer = pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(5)
            msg = f"the {self._name} died (exit code {self._process.exitcode})"
            self.close()
            raise ChildError(msg) from error
        except BaseException:
            self.close()  # an unread answer would be taken for the next question's
            raise
        if raised:
            raise answer
        return answer

    def kill(self) -> None:
        """For another thread than the one that asks: the child dies, and the question in hand with it."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """Kill the child if it lives."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")  # fork would copy locks that threads hold
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._make), daemon=True, name=self._name
        )
        self._process.start()
        theirs.close()
        self._pipe = ours
        return ours


def _serve(pipe: Connection, make: Callable[[], Answer]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer: Answer | None = None
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        try:
            answer = answer or make()
            result: tuple[bool, Any] = (False, answer(question))
        except BaseException as error:  # a plugin may even call sys.exit
            result = (True, _portable(error))
        pipe.send(result)


def _portable(error: BaseException) -> BaseException:
    """The error itself if it survives pickling and is an ordinary one, else a ChildError that quotes it."""
    try:
        if isinstance(error, Exception) and type(pickle.loads(pickle.dumps(error))) is type(error):
            error.add_note("".join(traceback.format_exception(error)))
            return error
    except Exception:  # whatever pickling raised, the quotation below stands for it
        pass
    return ChildError("".join(traceback.format_exception_only(error)).strip())
