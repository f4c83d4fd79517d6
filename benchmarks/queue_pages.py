"""What a page of a list costs in a long queue, while posting goes on.

    python -m benchmarks.queue_pages [--drafts 100000] [--pages 200] [--database sqlite|postgresql]

Pages of each list in each order, begun anywhere in it, with and without a search; the counts of all lists; a
card. Meanwhile another process schedules, claims and settles deliveries without a pause. Control: the same
pages by OFFSET, of the same statement.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, get_args

import numpy as np
from sqlalchemy import insert

from bot.records import Listing, Receipt, Sort, Status
from bot.store import Database, Deliveries, Drafts
from bot.store.listing import ORDERS, matching
from bot.store.rows import draft_rows, moment, read_drafts
from bot.store.tables import deliveries, drafts, revisions
from tests import postgres

DATABASES = "sqlite", "postgresql"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTS = "metal", "poems", "titles", "sheep"
STATES = (  # of 100 drafts: the text's state, and that of its delivery
    *[("pending", "")] * 40,
    *[("rejected", "")] * 30,
    *[("approved", "sent")] * 25,
    *[("approved", "planned")] * 3,
    ("approved", "uncertain"),
    ("approved", "refused"),
)
LISTS: tuple[Status, ...] = "pending", "rejected", "posted", "approved", "uncertain", "refused", "snoozed"
SEARCHES = "moon", "of the", "xyzzy", "e"  # some, few, none, nearly all
PAGE = 50
AT_ONCE = 5000  # rows
KINDS = ("pale", "red", "drowned", "hollow", "second", "paper", "salt", "iron", "winter", "blind", "of the")
THINGS = ("moon", "harbour", "choir", "orchard", "ladder", "engine", "mirror", "tide", "wormhorn", "crypt")


def fill(database: Database, count: int) -> None:
    """A queue of so many drafts."""
    random = Random(1)
    for first in range(1, count + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count + 1))
        texts = {
            n: f"{random.choice(KINDS)} {random.choice(THINGS)} {random.choice(THINGS)} {n}" for n in numbers
        }
        states = {n: random.choice(STATES) for n in numbers}
        with database.write() as connection:
            rows = [_draft(n, texts[n], states[n][0], random) for n in numbers]
            connection.execute(insert(drafts), rows)
            connection.execute(insert(revisions), [_revision(n, texts[n]) for n in numbers])
            sent = [_delivery(n, texts[n], states[n][1]) for n in numbers if states[n][1]]
            if sent:
                connection.execute(insert(deliveries), sent)
    analyze(database)


def analyze(database: Database) -> None:
    """As either database does by itself in time."""
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")


def _draft(number: int, text: str, state: str, random: Random) -> dict[str, Any]:
    surprise, snoozed = random.gauss(1, 0.2), state == "pending" and number % 50 == 0
    return {
        "bot": BOTS[number % len(BOTS)],
        "state": state,
        "revision": 1,
        "attempt_group": int(state == "approved"),
        "origin": f"origin {number}",
        "checkpoint": "death_metal/epoch12.00_1.8132_3fa9c1",
        "sampling": {"temperature": [0.7, 0.9], "max_length": 200},
        "seed": 7,
        "index": number,
        "temperature": 0.83,
        "raw_text": text,
        "nll": 1.9,
        "surprise": surprise,
        "build": "torch 2.13.0",
        "device": "cpu",
        "created_at": NOW,
        "folded": text.casefold(),
        "score": round(random.random(), 2),
        "starred": number % 30 == 0,
        "snoozed_until": NOW + timedelta(days=36500) if snoozed else None,
    }


def _revision(number: int, text: str) -> dict[str, Any]:
    names = ("length", "not_in_training", "not_seen_before", "gate.safety", "gate.copy")
    return {
        "draft": number,
        "number": 1,
        "sha256": sha256(text.encode()).hexdigest(),
        "text": text,
        "fingerprint": number,
        "verdicts": [{"filter": name, "outcome": "accept", "reason": ""} for name in names],
        "created_at": NOW,
    }


def _delivery(number: int, text: str, state: str) -> dict[str, Any]:
    return {
        "draft": number,
        "revision_sha256": sha256(text.encode()).hexdigest(),
        "attempt_group": 1,
        "target": "feed",
        "account": f"feed of {BOTS[number % len(BOTS)]}",
        "kind": "put",
        "text": text,
        "key": f"key {number}",
        "state": state,
        "fence": int(state != "planned"),
        "approved_at": NOW,
        "due_at": None if state == "planned" else NOW,
        "remote_id": f"post {number}" if state == "sent" else None,
        **dict.fromkeys(("url", "evidence", "reason"), ""),
    }


def post(url: str, ready: Any, stop: Any) -> None:
    """Post without a pause, as far as the database goes."""
    with Database(url) as database:
        store, done = Deliveries(database), 0
        ready.set()
        while not stop.is_set():
            if store.schedule_now(BOTS[done % len(BOTS)]) and (claimed := store.claim("me", 90)):
                receipt = Receipt(f"new post {claimed.id}")
                store.settle(store.begin_sending(claimed), "sent", "", receipt)
            done += 1


@contextmanager
def posting(url: str) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=post, args=(url, ready, stop), daemon=True)
    process.start()
    ready.wait(60)
    yield
    stop.set()
    process.join()
    assert process.exitcode == 0


def milliseconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def marks(database: Database, wanted: Listing, depth: int) -> tuple[str, int]:
    """Where a page begins that has so many drafts before it, and how many; ("", 0) for the first page."""
    if not depth:
        return "", 0
    columns = ORDERS[wanted.sort]
    rows = matching(wanted).with_only_columns(*columns).order_by(*_order(wanted)).offset(depth - 1).limit(1)
    with database.read() as connection:
        last = connection.execute(rows, moment(connection)).one_or_none()
    return ("_".join(map(repr, last)), depth) if last else ("", 0)


def _order(wanted: Listing) -> list[Any]:
    return [it if wanted.sort == "oldest" else it.desc() for it in ORDERS[wanted.sort]]


def by_offset(database: Database, wanted: Listing, place: int) -> object:
    """The control: what comes before is counted."""
    order = _order(wanted)
    with database.read() as connection:
        ids = list(
            connection.scalars(
                matching(wanted).order_by(*order).offset(place).limit(PAGE), moment(connection)
            )
        )
        return read_drafts(connection, draft_rows().where(drafts.c.id.in_(ids)))


def measure(url: str, count: int, pages: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of every page, by what was asked: ours and the control's."""
    found: dict[str, dict[str, list[float]]] = {}
    random = Random(2)
    with Database(url) as database:
        fill(database, count)
        store = Drafts(database)
        asked = [question(random, database, count) for _ in range(pages)]
        with posting(url):
            for name, wanted, mark, place in asked:
                times = found.setdefault(name, {"ours": [], "offset": []})
                times["ours"].append(milliseconds(lambda w=wanted, m=mark: store.page(w, m, PAGE)))
                times["offset"].append(milliseconds(lambda w=wanted, p=place: by_offset(database, w, p)))
            for name, act in (
                ("counts of all lists", lambda: store.counts()),
                ("counts of one bot", lambda: store.counts(random.choice(BOTS))),
                ("a draft", lambda: store.get(random.randint(1, count))),
                ("nearest 5,000", lambda: store.newest_pending("metal", 5000)),
            ):
                found[name] = {"ours": [milliseconds(act) for _ in range(max(20, pages // 10))], "offset": []}
    return found


def question(random: Random, database: Database, count: int) -> tuple[str, Listing, str, int]:
    search = random.choice(("", "", *SEARCHES))
    wanted = Listing(
        status=random.choice(LISTS),
        bot=random.choice((None, *BOTS)),
        search=search,
        sort=random.choice(get_args(Sort)),
    )
    mark, place = marks(database, wanted, random.choice((0, count // 100, count // 10, count // 4)))
    return (f"search {search!r}" if search else f"list {wanted.status}"), wanted, mark, place


def quantiles(times: list[float]) -> str:
    return f"{np.percentile(times, 50):9.1f} {np.percentile(times, 95):9.1f}" if times else f"{'':>19}"


def show(found: dict[str, dict[str, list[float]]]) -> None:
    print(f"{'milliseconds':24}{'p50':>9} {'p95':>9}   {'OFFSET p50':>10} {'p95':>8}   pages")
    every: dict[str, list[float]] = {"ours": [], "offset": []}
    for name, times in sorted(found.items()):
        print(f"{name:24}{quantiles(times['ours'])}   {quantiles(times['offset'])}   {len(times['ours'])}")
        if times["offset"]:
            for kind in every:
                every[kind] += times[kind]
    print(f"{'all pages':24}{quantiles(every['ours'])}   {quantiles(every['offset'])}   {len(every['ours'])}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drafts", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pages")))
        if options.database == "postgresql":
            url = stack.enter_context(postgres.serve(folder)).fresh()
        else:
            url = f"sqlite:///{folder}/bot.db"
        found = measure(url, options.drafts, options.pages)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{options.drafts:,} drafts in {options.database}, while another process posts")
        show(found)


if __name__ == "__main__":
    main()
