"""Several workers on one database, killed, stopped, deceived: nothing twice, nothing lost, nothing false."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.torture import DATABASES

ROOT = Path(__file__).parents[1]


def torture(database: str, **options: int) -> dict:
    """In a process of its own: what forks must have no threads."""
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-W", "error", "-m", "benchmarks.torture", "--json", "--database", database]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def hold(figures: dict) -> None:
    ours = figures["ours"]
    assert ours["wrong"] == []
    assert (ours["twice"], ours["lost"], ours["false"]) == (0, 0, 0)
    assert ours["kills"] + ours["stops"] > 0
    assert ours["faults"] > 0.2 * ours["requests"]


@pytest.mark.parametrize("database", DATABASES)
def test_workers_are_tortured(database):
    """Three at work, and beside them the naive way, which posts twice."""
    figures = torture(database, deliveries=32, workers=3)

    hold(figures)
    assert figures["naive"]["twice"] > 0


@pytest.mark.proof
@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("workers", [2, 5, 8])
def test_workers_are_tortured_at_full_size(database, workers):
    """200 deliveries by two to eight workers; of the naive way's, more than a fifth are posted twice."""
    figures = torture(database, deliveries=200, workers=workers, seed=workers)

    hold(figures)
    assert figures["naive"]["twice_unprotected"] > 0.2
