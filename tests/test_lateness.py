"""Many bots in one worker: their posts are not late, and none is missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lateness(**options: int) -> dict:
    """In a process of its own, on one CPU."""
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "benchmarks.lateness", "--json", *words]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


@pytest.mark.proof
def test_of_300_bots_no_post_is_missing():
    """In real time, one post a bot and minute, on one CPU; how late they are, the benchmark tells."""
    figures = lateness(bots=300, minutes=3)

    assert figures["missing"] == 0
