"""A child process that answers one question at a time, whole or piece by piece, under a deadline.

The model host and the sender are such children: what hangs or crashes there stops nothing here.
It does not know what is asked. The child ignores Ctrl-C: its parent decides when it ends.
"""

import multiprocessing
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Literal, Self

from bot.errors import ChildError
from bot.logs import guard
from bot.records import Secret

Answer = Callable[[Any], Any]
Kind = Literal["answer", "piece", "end", "raised"]
CONTEXT = multiprocessing.get_context("spawn")  # fork would copy locks that threads hold


def prepare() -> None:
    """For who is about to put something without a file in place of sys.stderr, as a screen does.

    The first child brings a process along that watches over it, and hands it stderr's file.
    """
    resource_tracker.ensure_running()


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
        _, answer = self._receive(self._send(question, deadline), deadline)
        return answer

    def ask_each(self, question: Any, deadline: float) -> Iterator[Any]:
        """What the child yields, as it comes, `deadline` seconds for each; it raises what `ask` raises.

        Whoever leaves before the end kills the child: an unread piece would be taken for another's answer.
        """
        pipe = self._send(question, deadline)
        try:
            while (received := self._receive(pipe, deadline))[0] == "piece":
                yield received[1]
        except GeneratorExit:
            self.close()
            raise

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

    def _send(self, question: Any, deadline: float) -> Connection:
        """Hand a question in. A long one waits until the child reads, so that has a deadline too."""
        if self._process is not None and not self._process.is_alive():
            self.close()  # it died with nothing in hand: no question's fault
        pipe = self._pipe or self._start()
        too_long = threading.Timer(deadline, self.kill)
        too_long.daemon = True
        too_long.start()
        try:
            with self._lost():
                pipe.send(question)
        finally:
            too_long.cancel()
        return pipe

    def _receive(self, pipe: Connection, deadline: float) -> tuple[Kind, Any]:
        with self._lost():
            if not pipe.poll(deadline):
                msg = f"the {self._name} gave no answer within {deadline:g} s and was killed"
                raise ChildError(msg)
            kind, answer = pipe.recv()
        if kind == "raised":
            raise answer
        return kind, answer

    @contextmanager
    def _lost(self) -> Iterator[None]:
        """Whatever goes wrong on the way, the child is over."""
        try:
            yield
        except (EOFError, OSError) as error:
            self._process.join(5)
            msg = f"the {self._name} died (exit code {self._process.exitcode})"
            self.close()
            raise ChildError(msg) from error
        except BaseException:
            self.close()  # an unread answer would be taken for the next question's
            raise

    def _start(self) -> Connection:
        ours, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=_serve, args=(theirs, self._make), daemon=True, name=self._name)
        process.start()
        self._process = process  # from here on it can be killed
        theirs.close()
        self._pipe = ours
        return ours


def _serve(pipe: Connection, make: Callable[[], Answer]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    guard()
    answer: Answer | None = None
    with suppress(EOFError, OSError):  # the parent is gone, and nobody waits for an answer
        while True:
            question = pipe.recv()
            try:
                answer = answer or make()
                _answer(pipe, answer(question))
            except BaseException as error:  # a plugin may even call sys.exit
                pipe.send(("raised", portable(error)))


def _answer(pipe: Connection, answer: Any) -> None:
    if not isinstance(answer, Iterator):
        pipe.send(("answer", answer))
        return
    for piece in answer:
        pipe.send(("piece", piece))
    pipe.send(("end", None))


def portable(error: BaseException) -> Exception:
    """The error itself if it survives pickling and is an ordinary one, else a ChildError that quotes it.

    The other process has not met the secrets of this one, so they are taken out here.
    """
    try:
        error.args = tuple(Secret.redact(it) if isinstance(it, str) else it for it in error.args)
        if isinstance(error, Exception) and type(pickle.loads(pickle.dumps(error))) is type(error):
            error.add_note(Secret.redact("".join(traceback.format_exception(error))))
            if Secret.redact(str(error)) == str(error):
                return error
    except Exception:  # whatever pickling raised, the quotation below stands for it
        pass
    return ChildError(Secret.redact("".join(traceback.format_exception_only(error))).strip())
