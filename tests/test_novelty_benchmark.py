"""The benchmark of novelty, at a size of no account: it checks its own answers against the controls."""

from benchmarks.novelty import asked, measure, names


def test_every_question_is_asked_and_answered_as_the_controls_answer():
    """A wrong answer ends it; every rate is one."""
    found = measure(300, 60)

    assert found["lines"] == 300
    assert min(found["texts_a_s"].values()) > 0
    assert len(found["texts_a_s"]) == 9


def test_the_lines_and_texts_are_the_same_every_time():
    """So that two machines measure the same."""
    assert list(names(5, 1)) == list(names(5, 1)) != list(names(5, 2))
    assert asked(100, 20) == asked(100, 20)
