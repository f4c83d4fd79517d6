"""The benchmark of pages, at a size of no account: both ways show the same drafts."""

from pathlib import Path
from random import Random

from benchmarks.queue_pages import LISTS, PAGE, by_offset, fill, marks, measure, question
from bot.records import Listing
from bot.store import Database, Drafts


def test_pages_are_what_the_control_shows(tmp_path: Path) -> None:
    """Wherever a page begins, with and without a search."""
    with Database(f"sqlite:///{tmp_path}/bot.db") as database:
        fill(database, 800)
        store, random = Drafts(database), Random(3)
        wanted = [question(random, database, 800)[1] for _ in range(40)]
        for one in [*wanted, *(Listing(status=status, sort="score") for status in LISTS)]:
            mark, place = marks(database, one, 8)
            ours = store.page(one, mark, PAGE).drafts
            assert sorted(ours, key=lambda it: it.id) == by_offset(database, one, place)


def test_every_question_is_measured(tmp_path: Path) -> None:
    """While deliveries are claimed and settled by another process, which ends well."""
    found = measure(f"sqlite:///{tmp_path}/bot.db", 400, 12)

    assert sum(len(times["offset"]) for times in found.values()) == 12
    assert all(times["ours"] for times in found.values())
