"""Checkpoint folders: whole or not there, found by name, honest about what they hold."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import CheckpointError
from bot.model.checkpoint import (
    Plugin,
    amend,
    find,
    make_shelf,
    names,
    point,
    prune,
    publish,
    read_meta,
    settle,
)
from tests.checkpoints import META, shelve

ROOT = Path(__file__).parents[1]


def test_what_is_published_is_read_back(tmp_path: Path) -> None:
    """The folder's name carries epoch, loss and digest; meta.json gives the same record back."""
    folder = shelve(tmp_path)

    assert folder.parent == tmp_path / "metal"
    assert re.fullmatch("epoch1.50_1.8132_[0-9a-f]{6}", folder.name)
    assert read_meta(folder).weights_sha256 == hashlib.sha256(b"weights 1.81321 monday").hexdigest()
    assert replace(read_meta(folder), weights_sha256="") == META
    assert (folder / "vocabulary.json").read_bytes() == b"[]"


def test_the_same_weights_are_published_once(tmp_path: Path) -> None:
    """A resumed run that comes by the same point again, at another time, leaves the folder as it is."""
    first = shelve(tmp_path, created_at="2026-03-01T12:00:00Z")

    assert shelve(tmp_path, created_at="2026-03-01T12:05:00Z", build={"torch": "2.7"}) == first
    assert names(tmp_path, "metal") == [first.name]
    assert read_meta(first).created_at == "2026-03-01T12:00:00Z"


FILES = {"vocabulary.json": b"[]", "novelty.index": b"none"}


@pytest.mark.parametrize(
    ("files", "change"),
    [
        (FILES | {"novelty.index": b"some"}, {}),
        (FILES | {"vocabulary.json": b"[1]"}, {}),
        ({"vocabulary.json": b"[]"}, {}),
        (FILES, {"tokenizer": Plugin("words")}),
        (FILES, {"cell": Plugin("rnn", {"nonlinearity": "tanh"})}),
        (FILES, {"corpus": {"name": "bands", "sha256": "cd"}}),
    ],
)
def test_the_same_weights_with_something_else_beside_them_are_another_checkpoint(
    tmp_path: Path, files: dict[str, bytes], change: dict
) -> None:
    """Other known items, other tokens, another way to read them: what was there first stays as it was."""
    first = publish(tmp_path, META, b"weights", FILES)
    second = publish(tmp_path, replace(META, **change), b"weights", files)

    assert names(tmp_path, "metal") == sorted((first.name, second.name))
    assert {name: (first / name).read_bytes() for name in FILES} == FILES
    assert {name: (second / name).read_bytes() for name in files} == files
    assert read_meta(first).weights_sha256 == read_meta(second).weights_sha256


def test_a_name_is_looked_up_and_never_worked_out_again(tmp_path: Path) -> None:
    """A folder that an older version named, or a person, is found and pointed to."""
    folder = shelve(tmp_path).rename(tmp_path / "metal" / "epoch1.50_1.8132_aaaaaa")
    settle(folder)

    assert find([tmp_path], "metal") == find([tmp_path], "metal", folder.name) == folder
    assert replace(read_meta(folder), weights_sha256="") == META


KILLED_WHILE_PUBLISHING = """
import os, signal, sys
from pathlib import Path
from bot.model.checkpoint import POINTERS, find, settle
from tests.checkpoints import shelve

def killed_at(point):
    calls = 0
    def counted(real):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == point:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)
        return call
    os.fsync = counted(os.fsync)
    for step in ("mkdir", "rename", "replace", "write_bytes", "unlink"):
        setattr(Path, step, counted(getattr(Path, step)))

root, point, finished = Path(sys.argv[1]), 0, False
while not finished and point < 100:
    point += 1
    child = os.fork()
    if not child:
        killed_at(point)
        settle(shelve(root, held_out_loss=1.8 - point / 1000))
        os._exit(0)
    finished = os.waitpid(child, 0)[1] == 0
    for pointer in POINTERS:
        assert len(list(find([root], "metal", pointer).iterdir())) == 3, point
print(point)
"""


def test_a_kill_at_any_point_of_publishing_leaves_every_checkpoint_whole(tmp_path: Path) -> None:
    """SIGKILL before each durable step: both pointers name a complete folder, and the next run tidies up."""
    settle(shelve(tmp_path))

    script = [sys.executable, "-c", KILLED_WHILE_PUBLISHING, str(tmp_path)]
    points = int(subprocess.run(script, cwd=ROOT, check=True, capture_output=True).stdout)

    assert 15 < points < 100
    for name in names(tmp_path, "metal"):
        assert read_meta(tmp_path / "metal" / name).held_out_loss <= META.held_out_loss
    shelve(tmp_path, held_out_loss=1.4)
    assert not list((tmp_path / "metal").glob(".unfinished*"))


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from bot.errors import CheckpointError
from bot.model.checkpoint import write_atomically
from tests.checkpoints import shelve

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
for write in (
    lambda: shelve(Path(sys.argv[1]), held_out_loss=1.4),
    lambda: write_atomically(Path(sys.argv[1]) / "metal" / "best", b"other"),
):
    try:
        write()
    except CheckpointError as error:
        print(error)
"""


def test_what_cannot_be_written_is_one_line_and_spoils_nothing(tmp_path: Path) -> None:
    """No byte can be written any more: the message names the place, and what was there is still found."""
    settle(shelve(tmp_path))

    script = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    told = subprocess.run(script, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()

    assert [": cannot be written: File too large" in line for line in told] == [True, True]
    assert read_meta(find([tmp_path], "metal")).held_out_loss == META.held_out_loss


def test_where_no_folder_can_be_made_is_told(tmp_path: Path) -> None:
    """Before anything is trained."""
    tmp_path.joinpath("checkpoints").write_text("a file")

    with pytest.raises(CheckpointError, match=r"checkpoints/metal: cannot be written: Not a directory"):
        make_shelf(tmp_path / "checkpoints", "metal")


def test_an_unfinished_folder_is_no_checkpoint(tmp_path: Path) -> None:
    """Without meta.json, which is written last, a folder does not exist for anyone."""
    folder = shelve(tmp_path)
    (folder / "meta.json").unlink()

    assert names(tmp_path, "metal") == []
    with pytest.raises(CheckpointError, match="no complete checkpoint"):
        read_meta(folder)


def test_best_stays_with_the_lower_loss_and_latest_follows(tmp_path: Path) -> None:
    """A later, worse checkpoint becomes the latest only; a better one becomes both."""
    good = shelve(tmp_path, held_out_loss=1.6)
    worse = shelve(tmp_path, held_out_loss=1.7)
    settle(good), settle(worse)
    assert (find([tmp_path], "metal", "best"), find([tmp_path], "metal", "latest")) == (good, worse)

    better = shelve(tmp_path, held_out_loss=1.5)
    settle(better)
    assert find([tmp_path], "metal", "best") == better


def test_losses_on_other_items_do_not_compare(tmp_path: Path) -> None:
    """A model of another corpus becomes the best whatever its loss."""
    settle(shelve(tmp_path, held_out_loss=1.2))
    other = shelve(tmp_path, held_out_loss=1.9, corpus={"sha256": "cd"})

    settle(other)

    assert find([tmp_path], "metal") == other


def test_find_looks_in_every_root_and_says_what_is_there(tmp_path: Path) -> None:
    """The user's folder comes before the shipped one; a wrong name is answered with the right ones."""
    mine, shipped = tmp_path / "mine", tmp_path / "shipped"
    folder = shelve(shipped)
    point(shipped, "metal", "best", folder.name)

    assert find([mine, shipped], "metal") == folder
    assert find([mine, shipped], "metal", folder.name) == folder
    with pytest.raises(CheckpointError, match=f"no checkpoint 'latest' .*{folder.name}.*bot train metal"):
        find([mine, shipped], "metal", "latest")


@pytest.mark.parametrize("name", ["../metal", "a/b", "", ".", "..", "Metal", "x" * 65, "a\n"])
def test_names_stay_inside_the_root(tmp_path: Path, name: str) -> None:
    """No name that could lead elsewhere is looked up, published or pointed to."""
    folder = shelve(tmp_path)

    for attempt in (
        lambda: find([tmp_path], name),
        lambda: find([tmp_path], "metal", name),
        lambda: shelve(tmp_path, model=name),
        lambda: point(tmp_path, "metal", "best", name),
        lambda: point(tmp_path, name, "best", folder.name),
    ):
        with pytest.raises(CheckpointError):
            attempt()


def test_a_pointer_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    """Whatever a pointer file holds, only a checkpoint of this model is found through it."""
    shelve(tmp_path)
    for content in ("../metal", "..", "", "\0", "x" * 5000, "epoch9.00_1.0000_aaaaaa"):
        (tmp_path / "metal" / "best").write_text(content)
        with pytest.raises(CheckpointError, match="no checkpoint 'best'"):
            find([tmp_path], "metal")


def test_amending_changes_meta_alone(tmp_path: Path) -> None:
    """A calibration made later is written into meta.json, the rest stays."""
    folder = shelve(tmp_path)
    before = read_meta(folder)

    after = amend(folder, calibration=((0.5, 0.6),), ngram_loss=1.95)

    assert read_meta(folder) == after == replace(before, calibration=((0.5, 0.6),), ngram_loss=1.95)


def test_pruning_spares_pointers_other_runs_and_what_is_in_use(tmp_path: Path) -> None:
    """Of a run's folders those go that no pointer, no draft and no other run holds."""
    best = shelve(tmp_path, held_out_loss=1.1)
    used, old, latest = (shelve(tmp_path, held_out_loss=loss) for loss in (1.5, 1.4, 1.3))
    others = shelve(tmp_path, run="sunday")
    settle(best), settle(latest)

    removed = prune(tmp_path, "metal", "monday", in_use=lambda name: name == f"metal/{used.name}")

    assert removed == [old.name]
    assert names(tmp_path, "metal") == sorted(folder.name for folder in (best, used, latest, others))


def test_a_neighbour_that_cannot_be_read_stops_no_training(tmp_path: Path) -> None:
    """It is neither the best any more nor removed: whose it is cannot be known."""
    foreign = shelve(tmp_path, held_out_loss=1.1)
    settle(foreign)
    (foreign / "meta.json").write_text('{"format": 2}')

    ours = shelve(tmp_path, held_out_loss=1.5)
    settle(ours)

    assert prune(tmp_path, "metal", "monday", in_use=lambda name: False) == []
    assert find([tmp_path], "metal") == ours


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": "8"}, "hidden_size"),
        ({"precision": "int4"}, "precision"),
        ({"format": 99}, "format 99, this program reads 1"),
        ({"cell": "lstm"}, "cell"),
        ({"held_out_loss": 0.0}, "held_out_loss: 0.0"),
        ({"held_out_loss": float("nan")}, "held_out_loss: nan"),
    ],
)
def test_a_meta_that_makes_no_sense_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    """The message names the file and the field."""
    folder = shelve(tmp_path)
    content = json.loads((folder / "meta.json").read_text()) | change
    (folder / "meta.json").write_text(json.dumps(content))

    with pytest.raises(CheckpointError, match=rf"meta\.json: .*{message}"):
        read_meta(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_garbage_is_no_meta(tmp_path: Path, content: bytes) -> None:
    """Whatever the bytes, the answer is a CheckpointError."""
    folder = shelve(tmp_path)
    (folder / "meta.json").write_bytes(content)

    with pytest.raises(CheckpointError, match=r"meta\.json"):
        read_meta(folder)


def test_reading_metadata_loads_no_torch() -> None:
    """Reviewing and posting look into meta.json and stay light."""
    script = "import sys, bot.model.checkpoint; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
