"""Killed at every step of a training and at any moment of a save: nothing that was whole is lost."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def run(*words: object) -> list[Any]:
    """What the process that forks and kills prints, a JSON value a line."""
    command = [sys.executable, "-m", "tests.saving", *map(str, words)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in told.splitlines()]


def test_a_run_killed_at_any_step_goes_on_bit_by_bit(tmp_path: Path) -> None:
    """SIGKILL in each of 12 steps, before and after a state is stored: the end is the same."""
    (_, _, _, expected), *kills = run("resume", tmp_path / "run")

    assert len(kills) == 12 + 3 + 3
    assert {died for _, _, died, _ in kills} == {-signal.SIGKILL}
    assert {reached for _, _, _, reached in kills} == {expected}


def test_no_kill_while_saving_leaves_anything_unloadable(tmp_path: Path) -> None:
    """25 kills at random moments: best, latest and the run's state load after each."""
    assert run("kill", tmp_path, 25) == [{"kills": 25, "unloadable": 0}]


@pytest.mark.proof
def test_of_200_kills_none_spoils_a_checkpoint(tmp_path: Path) -> None:
    """The same at full size; beside it the control, which writes in place, fails: the kills do hit saves."""
    [naive] = run("kill-naive", tmp_path / "naive", 50)

    assert run("kill", tmp_path / "ours", 200) == [{"kills": 200, "unloadable": 0}]
    assert naive["unloadable"] > 0
