"""Text indexes that are built once: mapped by the next start, whoever was killed, whoever came first."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bot.curation.index_store import DAYS, IndexStore
from bot.curation.novelty import TextTrainingSet
from bot.records import Document, Match, Span

ITEMS = [Document("Wormhorn", "bands.csv"), Document("Grave Digger", "more.txt"), Document("Ｇrave  digger")]
BUILD = (
    "import sys; from pathlib import Path; from tests.test_index_store import ITEMS, IndexStore;"
    "IndexStore(Path(sys.argv[1])).keep('a' * 64, ITEMS)"
)


@pytest.fixture
def store(tmp_path):
    return IndexStore(tmp_path / "kept")


def test_what_was_built_is_mapped_and_knows_the_same(store):
    """The texts as they were, their sources, and nothing of it in memory."""
    built = store.keep("a" * 64, ITEMS)
    mapped = store.open("a" * 64)

    for known in (TextTrainingSet(ITEMS), TextTrainingSet(built), TextTrainingSet(mapped)):
        assert known.nearest("wormhorm", 3) == Match(1, "Wormhorn", "bands.csv")
        assert known.nearest("GRAVE DIGGER", 0) == Match(0, "Grave Digger", "more.txt")
        assert known.longest("The DIGGER!") == Span("e DIGGER", "Grave Digger", "more.txt", 2)
    assert mapped.size == 0
    assert TextTrainingSet(ITEMS).size > 0


def test_another_corpus_is_not_there(store):
    """The digest is the name."""
    store.keep("a" * 64, ITEMS)

    assert store.open("b" * 64) is None


@pytest.mark.parametrize("damage", ["removed", "emptied", "cut short", "foreign"])
def test_what_is_damaged_is_built_again(store, tmp_path, damage):
    """It is not opened, and the next build puts a whole one in its place."""
    store.keep("a" * 64, ITEMS)
    [file] = tmp_path.glob("kept/*/halves.npy")
    if damage == "removed":
        file.unlink()
    elif damage == "foreign":
        np.save(file, np.array([{}]), allow_pickle=True)
    else:
        file.write_bytes(b"" if damage == "emptied" else file.read_bytes()[:-1])

    assert store.open("a" * 64) is None
    store.keep("a" * 64, ITEMS)
    assert TextTrainingSet(store.open("a" * 64)).nearest("Wormhorn", 0).distance == 0


def test_two_processes_build_at_once(store, tmp_path):
    """Both succeed, one index stands, and nothing is left lying about."""
    command = [sys.executable, "-W", "error", "-c", BUILD, str(tmp_path / "kept")]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[1]) for _ in range(2)]

    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [f"{'a' * 32}-v1"]
    assert len(store.open("a" * 64)) == 3


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path):
    """The index is built in memory then, every time."""
    (tmp_path / "file").write_text("")
    store = IndexStore(tmp_path / "file")

    assert TextTrainingSet(store.keep("a" * 64, ITEMS)).nearest("Wormhorn", 0).distance == 0
    assert store.open("a" * 64) is None


def test_what_was_not_opened_for_long_makes_room(store, tmp_path):
    """When another is built; what is in use stays."""
    for letter in "ab":
        store.keep(letter * 64, ITEMS)
    for letter in "ab":
        old = time.time() - (DAYS + 1) * 86_400
        os.utime(tmp_path / "kept" / f"{letter * 32}-v1", (old, old))
    store.open("b" * 64)
    store.keep("c" * 64, ITEMS)

    assert sorted(path.name[0] for path in (tmp_path / "kept").iterdir()) == ["b", "c"]


def test_nobody_else_can_read_it(store, tmp_path):
    """It holds the corpus."""
    store.keep("a" * 64, ITEMS)

    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0


def test_an_empty_corpus_can_be_kept(store):
    """It knows nothing, from the disk as well."""
    store.keep("e" * 64, [])

    assert TextTrainingSet(store.open("e" * 64)).evidence(["Wormhorn"])[0].nearest is None
