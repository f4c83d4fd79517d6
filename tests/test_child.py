"""A child process answers, fails, hangs, dies: its parent is told and goes on."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from bot.child import Child
from bot.errors import ChildError, NotSent


def make_answer():
    """What the children of these tests do: the question names it."""

    def answer(question):
        match question:
            case ("say", value):
                return value
            case ("raise", error):
                raise error
            case ("each", questions):
                return map(answer, questions)
            case "pid":
                return os.getpid()
            case "hang":
                signal.pause()
            case "crash":
                os._exit(3)
            case "exit":
                sys.exit("enough")
            case "local":

                class Local(Exception):
                    pass

                raise Local("made here")
        raise AssertionError(question)

    return answer


def make_nothing():
    msg = "no model"
    raise FileNotFoundError(msg)


@pytest.fixture
def child():
    with Child(make_answer, "answerer") as child:
        yield child


def test_it_answers_one_question_after_another(child):
    """The same process answers both."""
    assert child.ask(("say", [1, "two"]), 60) == [1, "two"]
    assert child.ask("pid", 60) == child.ask("pid", 60) != os.getpid()


def test_a_question_that_is_not_read_has_a_deadline_too(child):
    """A child that is stopped reads nothing, and a long question does not fit into the pipe."""
    pid = child.ask("pid", 60)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ChildError, match="exit code -9"):
        child.ask(("say", bytes(1_000_000)), 0.1)

    assert child.ask("pid", 60) != pid


def test_it_answers_piece_by_piece(child):
    """Each piece is here before the next is made, and then it answers other questions."""
    pieces = child.ask_each(("each", [("say", 1), ("say", None), "pid"]), 60)
    assert next(pieces) == 1
    assert next(pieces) is None
    pid = next(pieces)
    assert list(pieces) == []

    assert child.ask("pid", 60) == pid


def pieces_until(error, pieces):
    """What comes before it fails, and how it fails."""
    got = []
    with pytest.raises(error) as raised:
        got.extend(pieces)  # one by one, so that those before the error are here
    return got, str(raised.value)


def test_what_it_raises_after_some_pieces_is_raised_here(child):
    """The pieces before it count, and the child lives."""
    pid = child.ask("pid", 60)
    questions = [("say", 1), ("raise", NotSent("full")), ("say", 2)]

    assert pieces_until(NotSent, child.ask_each(("each", questions), 60)) == ([1], "full")
    assert child.ask("pid", 60) == pid


def test_what_kills_it_after_some_pieces_is_told(child):
    """The pieces before count; each has the whole deadline, and what hangs at one is killed."""
    got, error = pieces_until(ChildError, child.ask_each(("each", [("say", 1), "crash"]), 60))
    assert (got, error) == ([1], "the answerer died (exit code 3)")

    child.ask("pid", 60)
    got, error = pieces_until(ChildError, child.ask_each(("each", [("say", 1), ("say", 2), "hang"]), 1))
    assert (got, error) == ([1, 2], "the answerer gave no answer within 1 s and was killed")


def test_who_leaves_before_the_last_piece_kills_it(child):
    """No unread piece is taken for the next question's answer."""
    before = child.ask("pid", 60)
    pieces = child.ask_each(("each", [("say", 1), ("say", 2)]), 60)
    assert next(pieces) == 1
    pieces.close()

    assert child.ask("pid", 60) != before


def test_what_it_raises_is_raised_here(child):
    """With its own attributes, and the child's traceback as a note."""
    with pytest.raises(NotSent, match="full") as raised:
        child.ask(("raise", NotSent("full", retry_after=7)), 60)

    assert raised.value.retry_after == 7
    assert "answer(question)" in raised.value.__notes__[0]


@pytest.mark.parametrize(("question", "message"), [("exit", "SystemExit: enough"), ("local", "made here")])
def test_what_cannot_travel_is_quoted(child, question, message):
    """An exit, or an exception this process does not know, ends neither child nor parent."""
    with pytest.raises(ChildError, match=message):
        child.ask(question, 60)

    assert child.ask(("say", 1), 60) == 1


def test_one_that_hangs_is_killed_at_its_deadline(child):
    """The parent goes on, and a new child answers the next question."""
    before = child.ask("pid", 60)
    with pytest.raises(ChildError, match=r"the answerer gave no answer within 0\.1 s"):
        child.ask("hang", 0.1)

    assert child.ask("pid", 60) != before


def test_another_thread_can_end_the_question_in_hand(child):
    """Whoever waits for the answer is told at once, not at the deadline."""
    child.ask("pid", 60)
    threading.Timer(0.1, child.kill).start()

    with pytest.raises(ChildError, match="died"):
        child.ask("hang", 600)

    Child(make_answer, "never asked").kill()


def test_one_that_dies_is_told_with_its_exit_code(child):
    """Then another one takes over."""
    with pytest.raises(ChildError, match=r"the answerer died \(exit code 3\)"):
        child.ask("crash", 60)

    assert child.ask(("say", 1), 60) == 1


def test_one_that_dies_between_two_questions_harms_neither(child):
    """The next question is answered by another one."""
    pid = child.ask("pid", 60)
    os.kill(pid, signal.SIGKILL)
    child._process.join(60)

    assert child.ask("pid", 60) != pid


def test_one_that_cannot_begin_says_why():
    """What `make` raised is raised at the question, and tried again at the next."""
    with Child(make_nothing, "answerer") as child:
        for _ in range(2):
            with pytest.raises(FileNotFoundError, match="no model"):
                child.ask("pid", 60)


def test_ctrl_c_reaches_the_parent_only(child):
    """A terminal sends the signal to both; the child finishes what it is doing."""
    pid = child.ask("pid", 60)
    os.kill(pid, signal.SIGINT)

    assert child.ask("pid", 60) == pid


def test_it_ends_with_its_parent(child):
    """Without a parent's end of the pipe it is over, silently, also with an answer in hand."""
    child.ask("pid", 60)
    child._pipe.send(("say", "x" * 10_000_000))
    process = child._process
    child._pipe.close()
    child._pipe = None
    process.join(60)

    assert process.exitcode == 0


def test_closing_ends_it(child):
    """No process is left behind."""
    pid = child.ask("pid", 60)
    child.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


SCREEN = """
import sys
from functools import partial
from bot.child import Child, prepare

class Screen:
    def write(self, text): pass
    def flush(self): pass
    def fileno(self): return -1

if __name__ == "__main__":
    prepare()
    sys.stderr = Screen()
    with Child(partial(partial, len), "counter") as child:
        print(child.ask("four", 60))
"""


def test_a_child_can_begin_behind_a_screen(tmp_path):
    """Where stderr is no file any more, as in the review in the terminal."""
    script = tmp_path / "screen.py"
    script.write_text(SCREEN)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == ("4\n", 0), done.stderr
