"""Copies of a database that is written to: by `bot backup`, and by cp as the control.

    python -m benchmarks.backup --copies 25

A process adds and approves drafts without a pause. Of each copy: is it sound, and does it hold every draft
that was there before it was begun?
"""

import argparse
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.errors import StoreError
from bot.records import Candidate, Judged, Outlet, Sampling
from bot.store import Database, Drafts
from bot.store.backup import back_up

BEFORE = 2000  # drafts that are there already


def write(url: str) -> None:
    """Add and approve drafts for ever."""
    with Database(url) as database:
        drafts, number = Drafts(database), BEFORE
        while True:
            number += 10
            for draft in drafts.add("metal", [made(number + n) for n in range(10)]):
                outlets = [Outlet("console", "console", "opaque", draft.text)]
                drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=outlets)


def made(number: int) -> Judged:
    text = f"Name {number} " * 8
    how = {"checkpoint": "m/e", "sampling": Sampling(), "seed": 1, "index": number, "temperature": 0.8}
    seen = {"nll": 1.0, "surprise": 1.0, "build": "none", "device": "cpu"}
    return Judged(Candidate(text=text, raw_text=text, **how, **seen), ())


def by_cp(database: Path, copy: Path) -> None:
    shutil.copyfile(database, copy)


def by_cp_with_log(database: Path, copy: Path) -> None:
    """With the log beside it, as who knows of it would do."""
    for log in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{database}{log}", f"{copy}{log}")


def by_backup(database: Path, copy: Path) -> None:
    back_up(f"sqlite:///{database}", copy, datetime.now(UTC))


def judge(copy: Path, before: int) -> str:
    """What is wrong with a copy, "whole" if nothing."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            [found] = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                return "corrupt"
            [count] = connection.execute("SELECT count(*) FROM drafts").fetchone()
            return "whole" if count >= before else "short"
    except sqlite3.Error:
        return "corrupt"


def drafts_in(database: Path) -> int:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        [count] = connection.execute("SELECT count(*) FROM drafts").fetchone()
        return int(count)


def measure(name: str, copy_by: Callable[[Path, Path], None], database: Path, copies: int) -> None:
    results, seconds = Counter[str](), 0.0
    with TemporaryDirectory() as folder:
        for number in range(copies):
            before, began = drafts_in(database), time.perf_counter()
            copy = Path(folder, f"{number}.db")
            try:
                copy_by(database, copy)
                seconds += time.perf_counter() - began
                results[judge(copy, before)] += 1
            except StoreError as error:
                print(error)
                results["refused"] += 1
    told = ", ".join(f"{results[kind]} {kind}" for kind in ("whole", "short", "corrupt", "refused"))
    print(f"{name:<22}{copies} copies: {told}; {1000 * seconds / copies:.0f} ms each", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=25)
    parser.add_argument("--write", metavar="URL", help="be the process that writes")
    asked = parser.parse_args()
    if asked.write:
        write(asked.write)
    with TemporaryDirectory() as folder:
        database = Path(folder, "bot.db")
        with Database(f"sqlite:///{database}") as opened:
            Drafts(opened).add("metal", [made(number) for number in range(BEFORE)])
        command = [sys.executable, "-m", "benchmarks.backup", "--write", f"sqlite:///{database}"]
        with subprocess.Popen(command) as writer:
            while drafts_in(database) == BEFORE:
                time.sleep(0.05)
            measure("bot backup", by_backup, database, asked.copies)
            measure("cp", by_cp, database, asked.copies)
            measure("cp, with the log", by_cp_with_log, database, asked.copies)
            writer.kill()


if __name__ == "__main__":
    main()
