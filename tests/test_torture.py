"""Several workers on one database, killed, stopped, deceived: nothing twice, nothing lost, nothing false."""

import json
import statistics
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
def test_workers_are_tortured_at_full_size(database):
    """200 deliveries by two, five, eight workers; of all the naive way's more than a fifth are posted twice.

    By two alone it is a fifth give or take what 400 draws do: they seldom meet at the same post.
    """
    runs = [torture(database, deliveries=200, workers=workers, seed=workers) for workers in (2, 5, 8)]

    for figures in runs:
        hold(figures)
    shares = [figures["naive"]["twice_unprotected"] for figures in runs]
    print(f"{database}: posted twice the naive way by 2, 5, 8 workers: {shares}")
    assert statistics.mean(shares) > 0.2
