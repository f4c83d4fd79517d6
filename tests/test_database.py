"""Opening the database: first tables, upgrades, what is refused, and how writers wait for each other."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, select
from sqlalchemy.exc import IntegrityError

from bot.errors import StoreError
from bot.records import Listing
from bot.store import Database
from bot.store.database import SCHEMA
from bot.store.tables import drafts, metadata, slots
from tests.queues import NOON, open_queue, open_url, slot

OPEN = "import sys; from bot.store import Database; Database(sys.argv[1]).close()"


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/bot.db"


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_taken_away_is_not_written_to(tmp_path, replaced):
    """Whether nothing stands in its place or another copy: what was posted would be forgotten."""
    with Database(url(tmp_path)) as database:
        path = tmp_path / "bot.db"
        content = path.read_bytes()
        path.unlink()
        if replaced:
            path.write_bytes(content)

        with pytest.raises(StoreError, match="removed or replaced"), database.write():
            pass


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    """tables.py and the migrations cannot drift apart."""
    with Database(url(tmp_path)) as database, database.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_rules_of_the_tables_are_those_of_the_migrations(tmp_path: Path) -> None:
    """Checks and partial indexes are the same too, by name and by wording."""

    Database(url(tmp_path)).close()
    engine = create_engine(f"sqlite:///{tmp_path}/made.db")
    metadata.create_all(engine)
    engine.dispose()

    assert rules(tmp_path / "bot.db") == rules(tmp_path / "made.db") != set()


def rules(path: Path) -> set[str]:
    """The lines of a database's schema that check something."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    lines = {line.strip().rstrip(",") for (sql,) in rows for line in sql.splitlines()}
    return {line for line in lines if "CHECK" in line or "WHERE" in line}


def test_the_schema_is_the_newest_migration() -> None:
    """A migration that is added and not named in database.py would never run."""
    folder = Path(__file__).parents[1] / "bot/store/migrations"
    steps = Config()
    steps.set_main_option("script_location", str(folder))

    assert ScriptDirectory.from_config(steps).get_current_head() == SCHEMA


def write_old_queue(url: str, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of an older program: one draft that was edited, approved, and approved no more."""
    with monkeypatch.context() as patched:
        patched.setattr("bot.store.database.SCHEMA", schema)
        with Database(url) as database, database.write() as connection:
            at = "2026-03-01 12:00:00+00:00" if url.startswith("postgres") else "2026-03-01 12:00:00.000000"
            sampled = "'m/e', '{}', 7, 3, 0.8, 'raw', 1.9, 1.04, 'torch', 'cpu'"
            no = "false" if url.startswith("postgres") else "0"
            draft = 'bot, state, revision, attempt_group, origin, checkpoint, sampling, seed, "index", '
            draft += "temperature, raw_text, nll, surprise, build, device, created_at"
            decision = "draft, revision_sha256, verdict, actor, policy, override, undoes, at"
            for statement in (
                f"INSERT INTO drafts ({draft}) VALUES ('metal', 'pending', 2, 0, 'o', {sampled}, '{at}')",
                "INSERT INTO revisions (draft, number, sha256, text, fingerprint, verdicts, created_at) "
                f"VALUES (1, 1, 'first', 'Ash', 1, '[]', '{at}')",
                "INSERT INTO revisions (draft, number, sha256, text, fingerprint, verdicts, created_at) "
                f"VALUES (1, 2, 'second', 'ÄSCHE', 2, '[]', '{at}')",
                f"INSERT INTO decisions ({decision}) "
                f"VALUES (1, 'second', 'edit', 'ada', '', {no}, NULL, '{at}'),"
                f" (1, 'second', 'approve', 'ada', '', {no}, NULL, '{at}'),"
                f" (1, 'second', 'undo', 'bob', '', {no}, 2, '{at}')",
                f"INSERT INTO drafts ({draft}) VALUES ('metal', 'approved', 1, 1, 'p', {sampled}, '{at}')",
                "INSERT INTO revisions (draft, number, sha256, text, fingerprint, verdicts, created_at) "
                f"VALUES (2, 1, 'third', 'Bone', 3, '[]', '{at}')",
                "INSERT INTO deliveries (draft, revision_sha256, attempt_group, target, account, kind, text, "
                "key, state, fence, approved_at, url, evidence, reason) VALUES (2, 'third', 1, 'console', "
                f"'console', 'opaque', 'Bone', 'k', 'planned', 0, '{at}', '', '', '')",
            ):
                connection.exec_driver_sql(statement)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("schema", ["0001", "0002", "0003", "0007"])
def test_an_older_database_is_brought_up_to_date_and_keeps_every_row(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database: str,
    schema: str,
) -> None:
    """Revisions older than their evidence have none, approvals before attachments no digest.

    Old decisions can be undone, and old texts found.
    """
    address = url(tmp_path) if database == "sqlite" else request.getfixturevalue("postgres").empty()
    write_old_queue(address, schema, monkeypatch)

    with open_url(address) as queue:
        draft, approved = queue.drafts.list()
        assert (approved.text, approved.status) == ("Bone", "approved")
        assert [(it.text, it.payload) for it in queue.deliveries.list()] == [("Bone", "")]
        assert (draft.text, draft.status, draft.evidence, draft.score) == ("ÄSCHE", "pending", None, None)
        assert [it.id for it in queue.drafts.page(Listing(search="äsche")).drafts] == [1]
        decided = queue.drafts.decisions(1)
        assert [(it.verdict, it.actor, it.reason) for it in decided] == [
            ("edit", "ada", ""),
            ("approve", "ada", ""),
            ("undo", "bob", ""),
        ]
        assert queue.drafts.undo(1, "ada").text == "Ash"
        queue.drafts.snooze(1, NOON + timedelta(days=1), "ada")
        with pytest.raises(IntegrityError), queue.database.write() as connection:
            connection.exec_driver_sql("UPDATE decisions SET undoes = 99 WHERE verdict = 'undo'")


def test_four_processes_open_a_new_database_at_once(tmp_path: Path) -> None:
    """One makes the tables, the others wait for it; all succeed."""
    command = [sys.executable, "-W", "error", "-c", OPEN, url(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    complaints = [process.communicate(timeout=120)[1] for process in processes]

    assert complaints == ["", "", "", ""]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]


def test_it_opens_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migrations are found beside the code, whatever folder is the current one."""
    monkeypatch.chdir(tmp_path)
    Database("sqlite:///bot.db").close()

    assert (tmp_path / "bot.db").exists()


def test_opening_again_takes_no_lock(tmp_path: Path) -> None:
    """What is up to date can be read while another process writes."""
    Database(url(tmp_path)).close()
    with Database(url(tmp_path)) as one, one.write(), Database(url(tmp_path)) as other, other.read() as view:
        assert view.execute(select(drafts)).all() == []


def test_what_was_committed_is_there_again(tmp_path: Path) -> None:
    """A database closed and opened keeps every row."""
    with open_queue(tmp_path) as queue:
        [draft] = queue.add("Wormhorn")
    with open_queue(tmp_path) as queue:
        assert queue.drafts.get(draft.id) == draft


def test_writes_are_durable_and_checked(tmp_path: Path) -> None:
    """WAL, synchronous FULL, foreign keys, and ten seconds of patience, on every connection."""
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with Database(url(tmp_path)) as database, database.read() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]

    assert values == ["wal", 2, 1, 10_000]


def test_reading_cannot_write(tmp_path: Path) -> None:
    """A statement that writes needs the writers' lock, so it is refused where only reading was meant."""
    with (
        Database(url(tmp_path)) as database,
        pytest.raises(StoreError, match="cannot be written"),
        database.read() as connection,
    ):
        connection.execute(insert(slots).values(vars_of(slot(9))))


def test_a_broken_rule_is_a_bug(tmp_path: Path) -> None:
    """The tables' own rules hold even if the program forgets them, and the error is not dressed up."""
    with (
        Database(url(tmp_path)) as database,
        pytest.raises(IntegrityError),
        database.write() as connection,
    ):
        connection.execute(insert(slots), [vars_of(slot(9)), vars_of(slot(9))])


def vars_of(taken: object) -> dict[str, object]:
    return {name: getattr(taken, name) for name in taken.__slots__}


def test_a_writer_waits_and_then_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers are not held up by it."""
    monkeypatch.setattr("bot.store.database.BUSY_SECONDS", 0)
    with open_queue(tmp_path) as one, open_queue(tmp_path) as other, one.database.write():
        with pytest.raises(StoreError, match="another process has kept it locked"):
            other.add("Wormhorn")
        assert other.drafts.list() == []


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """What was there can be read, nothing is there in part, and it goes on when there is room."""
    with open_queue(tmp_path) as queue:
        queue.add("Ash")
        with queue.database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")  # as small as it is
        with pytest.raises(StoreError, match="the disk is full: make room"):
            queue.add("Bone", "Crypt" * 10_000)
        assert [draft.text for draft in queue.drafts.list()] == ["Ash"]
        with queue.database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=100000")
        assert len(queue.add("Bone")) == 1


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A schema that this program does not know is left alone, and the line says what to do."""
    Database(url(tmp_path)).close()
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match=r"bot\.db: .*newer version .*9999.*update the program"):
        Database(url(tmp_path))


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """Tables are never added to a database that is not ours."""
    with closing(sqlite3.connect(tmp_path / "bot.db")) as connection:
        connection.execute("CREATE TABLE recipes (id)")

    with pytest.raises(StoreError, match=r"bot\.db: .*another program's tables \(recipes\)"):
        Database(url(tmp_path))


def test_what_is_not_a_database_is_refused_in_one_line(tmp_path: Path) -> None:
    """A text file under the configured name is said to be none, and is not touched."""
    (tmp_path / "bot.db").write_text("not a database\n" * 100)

    with pytest.raises(StoreError, match=r"bot\.db: it is not a database: .*`database:`"):
        Database(url(tmp_path))
    assert (tmp_path / "bot.db").read_text().startswith("not a database")


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    """A file whose pages were overwritten is said to be damaged."""
    Database(url(tmp_path)).close()
    pages = bytearray((tmp_path / "bot.db").read_bytes())
    pages[200:] = b"\xff" * (len(pages) - 200)
    (tmp_path / "bot.db").write_bytes(pages)

    with pytest.raises(StoreError, match=r"bot\.db: it is damaged: .*backup"):
        Database(url(tmp_path))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The line says that the folder must exist."""
    with pytest.raises(StoreError, match=r"nowhere/bot\.db: .*the folder must exist and be writable"):
        Database(url(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("bot.db", r"database: no address; write sqlite:///bot\.db"),
        ("ada:secret@host/bot", "no address"),
        ("cassette://ada:secret@host/bot", r"cassette://ada:\*\*\*@host/bot: .*cassette"),
        ("mysql+pymysql://ada:secret@host/bot", "the package pymysql is missing: pip install pymysql"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(address: str, complaint: str) -> None:
    """An unknown kind of database, or no address at all, is one line too, and no password is in it."""
    with pytest.raises(StoreError, match=complaint) as caught:
        Database(address)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("version", "weak"), [((3, 51, 2), True), ((3, 51, 3), False), ((4, 0, 0), False)])
def test_an_sqlite_that_may_lose_pages_is_named(tmp_path, monkeypatch, version, weak):
    """With what that means for several processes; `bot doctor` shows it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    with Database(url(tmp_path)) as database:
        assert ("older than 3.51.3" in database.weakness()) is weak
        assert ("for several at a time take PostgreSQL" in database.weakness()) is weak


def test_postgresql_has_no_such_weakness(postgres):
    """It is asked for SQLite alone."""
    with Database(postgres.fresh()) as database:
        assert database.weakness() == ""
        database.check()
