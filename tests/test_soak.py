"""Days on end of filling and posting: memory, open files and the database's log do not grow."""

import pytest

from benchmarks.soak import judge, live, measure


def test_two_days_leave_nothing_behind(tmp_path):
    """Turn after turn; of two days the memory can be told to some MiB only, of thirty to less than one."""
    figures = live(tmp_path, days=2, bots=3)

    assert figures["posts"] > 40
    assert figures["mib_a_day"] < 4
    assert figures["files_more"] == 0
    assert figures["log_mib"] < 64


def test_what_grows_is_seen():
    """A MiB and a file an hour."""
    samples = [{"day": h / 24, "mib": 100.0 + h, "files": 20 + h, "log_mib": h} for h in range(48)]

    found = judge(samples, days=2, sent=0)
    assert (found["mib_a_day"], found["files_more"], found["log_mib"]) == (24, 35, 47)


@pytest.mark.proof
def test_thirty_days_leave_nothing_behind():
    """The same at full size, beside a process that does keep something of every turn."""
    figures = measure(days=30, bots=20)

    ours, control = figures["ours"], figures["control"]
    assert ours["posts"] > 4_000
    assert ours["mib_a_day"] < 1 < control["mib_a_day"]
    assert ours["files_more"] == 0
    assert ours["log_mib"] < 64
