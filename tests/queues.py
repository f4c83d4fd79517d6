"""Queues for tests: a clock that stands still until it is moved, candidates, outlets, a queue in a folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.records import Candidate, Draft, Evidence, Judged, Outlet, Sampling, Slot, Verdict
from bot.store import Database, Deliveries, Drafts, Judgements

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Stands still until `pass_by`."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Queue:
    """A database with its two doors."""

    database: Database
    clock: Clock
    drafts: Drafts = field(init=False)
    deliveries: Deliveries = field(init=False)
    judgements: Judgements = field(init=False)

    def __post_init__(self) -> None:
        self.drafts, self.deliveries = Drafts(self.database), Deliveries(self.database)
        self.judgements = Judgements(self.database)

    def add(
        self,
        *texts: str,
        bot: str = "metal",
        verdicts: Sequence[Verdict] = (),
        evidence: Evidence | None = None,
    ) -> list[Draft]:
        return list(self.drafts.add(bot, [judged(text, *verdicts, evidence=evidence) for text in texts]))

    def approve(self, draft: Draft, *outlets: Outlet) -> Draft:
        outlets = outlets or (outlet(draft.text),)
        return self.drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=outlets)


@cache
def fresh_database() -> bytes:
    """A database with its tables and nothing in them: to copy it is faster than to make it."""
    with TemporaryDirectory() as folder:
        Database(f"sqlite:///{folder}/bot.db").close()
        return Path(folder, "bot.db").read_bytes()


@contextmanager
def open_queue(folder: Path) -> Iterator[Queue]:
    path = folder / "bot.db"
    if not path.exists():
        path.write_bytes(fresh_database())
    with open_url(f"sqlite:///{path}") as queue:
        yield queue


@contextmanager
def open_url(url: str) -> Iterator[Queue]:
    clock = Clock()
    with Database(url, clock) as database:
        yield Queue(database, clock)


def judged(text: str, *verdicts: Verdict, evidence: Evidence | None = None) -> Judged:
    candidate = Candidate(
        text=text,
        raw_text=f"{text} ",
        checkpoint="death_metal/epoch12.00_1.8132_3fa9c1",
        sampling=Sampling((0.7, 0.9), 40),
        seed=7,
        index=3,
        temperature=0.83,
        nll=1.9,
        surprise=1.04,
        build="torch 2.13.0",
        device="cpu",
    )
    return Judged(candidate, verdicts, evidence)


def outlet(text: str, target: str = "console", account: str = "") -> Outlet:
    return Outlet(target, account or target, "opaque", text)


def slot(hour: int, bot: str = "metal") -> Slot:
    at = NOON.replace(hour=hour)
    return Slot(bot, at.date(), at.time(), "UTC", at)
