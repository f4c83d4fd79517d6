"""Copies of the database: whole, looked at, without secrets; and what is put back in its place."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.app import app
from bot.errors import StoreError
from bot.posting.sender import Sender
from bot.records import Outlet, Secret
from bot.store import Database, Drafts
from bot.store.backup import back_up, restore
from tests.postgres import WHERE
from tests.queues import NOON, open_queue, open_url

CANARY = "canary-5f1d0c2e9b"


@pytest.fixture
def full(tmp_path):
    """The address of a database with three drafts, one of them posted."""
    with open_queue(tmp_path) as queue:
        for draft in queue.add("Ash", "Bone", "Crypt")[:2]:
            queue.approve(draft)
        queue.deliveries.schedule_now("metal")
    return f"sqlite:///{tmp_path}/bot.db"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_copy_holds_every_row(tmp_path, full):
    """Also those that stand in the log only, while another process has the database open."""
    with open_queue(tmp_path) as queue:
        queue.add("Dust")
        copy = back_up(full, tmp_path / "copy.db", NOON)

    assert copy.rows["drafts"] == 4
    with Database(f"sqlite:///{tmp_path}/copy.db") as database:
        assert [draft.text for draft in Drafts(database).list()] == ["Ash", "Bone", "Crypt", "Dust"]


def test_a_copy_without_a_name_has_the_time_in_it(tmp_path, full):
    """It stands beside the database."""
    assert back_up(full, None, NOON).file == tmp_path / "bot-20260301-120000.db"


def test_a_copy_that_fails_leaves_the_one_before(tmp_path, full, monkeypatch):
    """It gets its name only when it has been looked at; nothing half-made stays."""
    copy = tmp_path / "copy.db"
    back_up(full, copy, NOON)
    before, there = copy.read_bytes(), names(tmp_path)
    monkeypatch.setattr(
        "os.fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )

    with pytest.raises(StoreError, match=r"copy\.db: it cannot be written: No space left on device"):
        back_up(full, copy, NOON)
    assert copy.read_bytes() == before
    assert names(tmp_path) == there


def full_disk(file):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("bot.db", None, "is the database itself"),
        ("notes.txt", b"shopping list\n" * 100, "it is not a database"),
    ],
)
def test_nothing_but_a_copy_is_written_over(tmp_path, full, name, content, complaint):
    """A wrong name costs nobody a file."""
    if content:
        (tmp_path / name).write_bytes(content)
    before = (tmp_path / name).read_bytes()

    with pytest.raises(StoreError, match=complaint):
        back_up(full, tmp_path / name, NOON)
    assert (tmp_path / name).read_bytes() == before


def test_what_is_put_back_is_the_copy_and_what_it_replaced_is_kept(tmp_path, full):
    """Both open; what came after the copy is in the kept one only."""
    back_up(full, tmp_path / "copy.db", NOON)
    with open_queue(tmp_path) as queue:
        queue.add("Dust")
    done = restore(full, tmp_path / "copy.db", NOON, tmp_path)

    assert done.kept == tmp_path / "bot.db.replaced-20260301-120000"
    assert done.copy.rows["drafts"] == 3
    for path, count in ((tmp_path / "bot.db", 3), (done.kept, 4)):
        with Database(f"sqlite:///{path}") as database:
            assert len(Drafts(database).list()) == count
    assert (tmp_path / "copy.db").exists()


def test_a_damaged_database_is_replaced_and_kept_as_it_is(tmp_path, full):
    """That is what copies are for."""
    back_up(full, tmp_path / "copy.db", NOON)
    damaged = b"\xff" * 8192
    (tmp_path / "bot.db").write_bytes(damaged)
    (tmp_path / "bot.db-wal").write_bytes(b"what is left of a log")
    done = restore(full, tmp_path / "copy.db", NOON, tmp_path)

    assert done.kept.read_bytes() == damaged
    assert done.kept.with_name(done.kept.name + "-wal").read_bytes() == b"what is left of a log"
    with open_queue(tmp_path) as queue:
        assert len(queue.drafts.list()) == 3


def test_a_database_that_is_in_use_is_not_replaced(tmp_path, full):
    """What another process does with it would be lost; the line says what to do."""
    back_up(full, tmp_path / "copy.db", NOON)
    before = names(tmp_path)
    with open_queue(tmp_path) as queue:
        queue.drafts.list()
        with pytest.raises(StoreError, match=r"another process has it open: end `bot run`"):
            restore(full, tmp_path / "copy.db", NOON, tmp_path)
        queue.add("Dust")

    assert names(tmp_path) - {"bot.db-wal", "bot.db-shm"} == before - {"bot.db-wal", "bot.db-shm"}


@pytest.mark.parametrize("harm", ["cut", "flip", "newer", "other", "missing"])
def test_what_is_no_sound_copy_is_refused_and_nothing_changes(tmp_path, full, harm):
    """Cut short, damaged, of a newer program, of another program, or not there."""
    copy = tmp_path / "copy.db"
    back_up(full, copy, NOON)
    spoil(copy, harm)
    before = (tmp_path / "bot.db").read_bytes(), names(tmp_path)

    with pytest.raises(StoreError, match=r"copy\.db: "):
        restore(full, copy, NOON, tmp_path)
    assert ((tmp_path / "bot.db").read_bytes(), names(tmp_path)) == before


def spoil(copy: Path, harm: str) -> None:
    content = copy.read_bytes()
    if harm == "cut":
        copy.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        copy.write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])
    elif harm == "missing":
        copy.unlink()
    else:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            statement = {"newer": "UPDATE alembic_version SET version_num = '9999'"}
            connection.execute(statement.get(harm, "DROP TABLE alembic_version"))


class Leaky:
    """A target that quotes its token in what it raises."""

    kind, account, max_length = "opaque", "leaky", None

    def __init__(self, token):
        self.token = token

    def measure(self, text):
        return len(text)

    def post(self, post):
        raise RuntimeError(f"POST https://place.example/?token={self.token.reveal()} failed")


def build(bot, name):
    return Leaky(Secret(CANARY))


def test_no_secret_is_in_a_copy(tmp_path, full):
    """Not even where a target has quoted it: what is stored of that is masked."""
    with open_queue(tmp_path) as queue:
        [draft] = queue.add("Dust")
        queue.approve(draft, Outlet("leaky", "leaky", "opaque", "Dust"))
        queue.deliveries.schedule_now("metal")
        queue.deliveries.schedule_now("metal")
        queue.deliveries.schedule_now("metal")
        sending = queue.deliveries.begin_sending(queue.deliveries.claim("me", 90, draft.id))
        sender = Sender(build)
        queue.deliveries.settle(sending, "uncertain", sender.post(sending).reason)
        sender.close()
    back_up(full, tmp_path / "copy.db", NOON)

    content = (tmp_path / "copy.db").read_bytes()
    assert b"https://place.example/?token=***" in content
    assert CANARY.encode() not in content


def test_the_commands_say_what_they_did(tmp_path):
    """`bot backup` and `bot restore`, as they are typed."""
    config = tmp_path / "config.yaml"
    config.write_text("models: {}\n")
    with open_queue(tmp_path) as queue:
        queue.add("Ash")
    made = CliRunner().invoke(app, ["backup", str(tmp_path / "copy.db"), "--config", str(config)])
    put = CliRunner().invoke(app, ["restore", str(tmp_path / "copy.db"), "--config", str(config)])

    assert (made.exit_code, put.exit_code) == (0, 0), made.output + put.output
    assert "copy.db: sound, schema" in made.stdout
    assert "1 drafts" in made.stdout
    assert "What it replaced is kept as" in put.stdout


@pytest.fixture
def on_path(monkeypatch):
    """PostgreSQL's own programs, as they are found on a path."""
    if WHERE:
        monkeypatch.setenv("PATH", f"{WHERE[-1]}:/usr/bin:/bin")


def test_a_copy_of_postgresql_is_put_back(tmp_path, postgres, on_path):
    """What came after it is gone from the database and kept in a dump; every older draft is doubted."""
    url = postgres.fresh()
    with open_url(url) as queue:
        queue.add("Ash")
        copy = back_up(url, tmp_path / "copy.dump", NOON)
        queue.add("Bone")
    done = restore(url, tmp_path / "copy.dump", NOON, tmp_path)

    assert copy.rows["drafts"] == done.copy.rows["drafts"] == 1
    assert "every draft up to 1 is looked for" in done.told
    with open_url(url) as queue:
        assert [draft.text for draft in queue.drafts.list()] == ["Ash"]
    restore(url, done.kept, NOON.replace(hour=13), tmp_path)
    with open_url(url) as queue:
        assert [draft.text for draft in queue.drafts.list()] == ["Ash", "Bone"]


def test_a_file_that_is_no_dump_is_refused(tmp_path, postgres, on_path):
    """The database stays as it was."""
    url = postgres.fresh()
    (tmp_path / "copy.dump").write_text("shopping list\n")
    with pytest.raises(StoreError, match=r"copy\.dump: it cannot be read"):
        restore(url, tmp_path / "copy.dump", NOON, tmp_path)
