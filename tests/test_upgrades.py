"""Databases of every older schema, with rows in every table, brought up to date: no row is lost."""

import json
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, event, insert, select

from bot.store import Database, Deliveries, Drafts
from bot.store.database import SCHEMA

MIGRATIONS = Path(__file__).parents[1] / "bot/store/migrations"
AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
SHA = "5a" * 32
SAMPLING = {"temperature": [0.7, 0.9], "max_length": 40}
# One row or more of each table, as the program wrote them; those of later tables and columns are left out.
ROWS = {
    "drafts": [
        {
            "id": n,
            "bot": "metal",
            "state": state,
            "revision": 1,
            "attempt_group": int(state == "approved"),
            "origin": f"origin {n}",
            "checkpoint": "death_metal/epoch12.00_1.8132_3fa9c1",
            "sampling": SAMPLING,
            "seed": 2**40 + n,
            "index": n,
            "temperature": 0.83,
            "raw_text": f"Wormhorn {n} ",
            "nll": 1.9,
            "surprise": 1.04,
            "build": "torch 2.13.0",
            "device": "cpu",
            "created_at": AT,
        }
        for n, state in enumerate(["approved", "approved", "approved", "pending", "rejected"], 1)
    ],
    "revisions": [
        {
            "id": n,
            "draft": n,
            "number": 1,
            "sha256": SHA,
            "text": f"Wormhorn {n} … 鬼",
            "fingerprint": -(2**62) + n,
            "verdicts": [{"filter": "length", "outcome": "ask", "reason": "short"}],
            "evidence": {
                "characters": 10,
                "within": 3,
                "nearest": None,
                "copied": None,
                "overlap": None,
                "earlier": None,
            },
            "created_at": AT,
        }
        for n in range(1, 6)
    ],
    "decisions": [
        {
            "id": n,
            "draft": n,
            "revision_sha256": SHA,
            "verdict": "reject" if n == 5 else "approve",
            "actor": "ada",
            "policy": "",
            "override": False,
            "at": AT,
        }
        for n in (1, 2, 3, 5)
    ],
    "slots": [
        {
            "bot": "metal",
            "local_date": date(2026, 3, 1),
            "local_time": time(12, 0, 0, 5),
            "zone": "UTC",
            "at": AT,
            "draft": 1,
        }
    ],
    "deliveries": [
        {
            "id": n,
            "draft": n,
            "revision_sha256": SHA,
            "attempt_group": 1,
            "target": "x",
            "account": "@metal",
            "kind": "query",
            "text": f"Wormhorn {n} … 鬼",
            "key": f"{n:032x}",
            "state": state,
            "fence": int(state != "planned"),
            "approved_at": AT,
            "due_at": AT,
            "remote_id": "r-1" if state == "sent" else None,
            "url": "",
            "evidence": "",
            "reason": "",
        }
        for n, state in enumerate(["sent", "uncertain", "planned"], 1)
    ],
    "attempts": [{"delivery": n, "fence": 1, "started_at": AT} for n in (1, 2)],
    "events": [
        {
            "id": n,
            "delivery": n,
            "old": None,
            "new": "planned",
            "actor": "ada",
            "fence": 0,
            "reason": "",
            "at": AT,
        }
        for n in (1, 2, 3)
    ],
    "showings": [
        {"id": 1, "draft": 4, "revision_sha256": SHA, "reason": "best", "propensity": 0.5, "at": AT}
    ],
    "allocations": [{"id": 1, "bot": "metal", "arm": "safe", "samples": 3, "chance": 0.25, "at": AT}],
}


def schemas() -> list[str]:
    steps = Config()
    steps.set_main_option("script_location", str(MIGRATIONS))
    return sorted(step.revision for step in ScriptDirectory.from_config(steps).walk_revisions())


@contextmanager
def opened(url: str):
    engine = create_engine(url)
    if engine.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def tables(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection)
    return found


def make(url: str, schema: str) -> dict[str, list[dict]]:
    """A database as a program of that schema left it; what it holds, as it is stored."""
    with opened(url) as connection:
        steps = Config(attributes={"connection": connection})
        steps.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(steps, schema)
    with opened(url) as connection:
        found = tables(connection)
        for name, rows in ROWS.items():
            if name in found.tables:
                there = set(found.tables[name].columns.keys())  # ids are given out, from 1 on
                connection.execute(
                    insert(found.tables[name]),
                    [{key: it for key, it in row.items() if key in there - {"id"}} for row in rows],
                )
        return content(connection, found)


def content(connection: Connection, found: MetaData) -> dict[str, list[dict]]:
    """All rows of all tables, in an order that does not change."""
    return {
        name: sorted(
            (dict(row._mapping) for row in connection.execute(select(table))),
            key=lambda row: json.dumps(row, default=str, sort_keys=True),
        )
        for name, table in found.tables.items()
        if name != "alembic_version"
    }


@pytest.mark.parametrize("schema", schemas())
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_row_of_every_older_schema_is_kept(tmp_path, request, kind, schema):
    """In every table each column reads as before, and the program works with what it finds."""
    url = f"sqlite:///{tmp_path}/bot.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").empty()
    before = make(url, schema)

    with Database(url) as database:
        drafts, deliveries = Drafts(database), Deliveries(database)
        assert [draft.status for draft in drafts.list()] == [
            *("posted", "uncertain", "scheduled", "pending", "rejected")
        ]
        assert deliveries.claim("me", 90).id == 3
    with opened(url) as connection:
        now = content(connection, tables(connection))
    for name, rows in before.items():
        if name in ROWS.keys() - {"deliveries", "events"}:  # the claim has added to these
            kept = [{key: row[key] for key in old} for old, row in zip(rows, now[name], strict=True)]
            assert kept == rows
    changed = {"state", "fence", "owner", "lease_until"}
    for old, row in zip(before["deliveries"], sorted(now["deliveries"], key=by_id), strict=True):
        assert {key: row[key] for key in old.keys() - changed} == {
            key: old[key] for key in old.keys() - changed
        }
    assert now["events"][: len(before["events"])] == before["events"]


def by_id(row: dict) -> int:
    return row["id"]


def test_the_newest_schema_is_among_them():
    """What is tried above is all there is."""
    assert schemas()[-1] == SCHEMA
