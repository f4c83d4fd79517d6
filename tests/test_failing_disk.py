"""A disk that is full or broken at any write: nothing is posted unrecorded, nothing lost, nothing twice."""

import json
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPILER = shutil.which("cc")
EVERY = list(product(["query", "opaque"], ["ENOSPC", "EIO"], ["once", "lasting"]))
FEW = [("query", "ENOSPC", "lasting"), ("opaque", "EIO", "once")]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """What makes the disk of a process fail that is started with it."""
    if COMPILER is None or not sys.platform.startswith("linux"):
        pytest.skip("to let a disk fail takes a C compiler and Linux: install the package gcc")
    path = tmp_path_factory.mktemp("library") / "failing_disk.so"
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-o", path, ROOT / "tests/failing_disk.c", "-ldl"], check=True
    )
    return path


def fail(library: Path, folder: Path, *words: str) -> dict[str, int]:
    """What came of one delivery for each write that failed."""
    command = [sys.executable, "-W", "error", "-m", "tests.failing_disk", str(folder), *words]
    environment = os.environ | {"LD_PRELOAD": str(library)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=600)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("kind", "error", "how"),
    [pytest.param(*it, marks=[] if it in FEW else pytest.mark.proof) for it in EVERY],
)
def test_whatever_write_fails_nothing_is_posted_without_a_durable_attempt(
    library, tmp_path, kind, error, how
):
    """And the queue can be read meanwhile, and by itself the post is made, once, when the disk works again.

    What an opaque target may have got while the mark could not be confirmed is left to a person.
    """
    count = fail(library, tmp_path, kind, error, how)

    assert count["writes"] > 50
    assert (
        count["stopped"] == count["turns" if how == "lasting" else "writes"]
    )  # each failure was met and told
    assert count["readable"] == count["turns"]
    assert not count.keys() & {"undurable", "twice", "lost", "false"}
    assert count["sent"] + count.get("uncertain", 0) == count["writes"]
    assert count.get("uncertain", 0) <= (2 if kind == "opaque" else 0)


def test_who_posts_all_the_same_is_found_out(library, tmp_path):
    """The control: one that ignores the failure posts without an attempt, and twice."""
    count = fail(library, tmp_path, "opaque", "ENOSPC", "lasting", "careless")

    assert count["undurable"] > 0
    assert count["twice"] > 0
