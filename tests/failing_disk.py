"""A process whose disk fails at every write of a delivery's way, one after the other.

`LD_PRELOAD=... python -m tests.failing_disk FOLDER KIND ERROR once|lasting [careless]` prints what it
counted, as JSON. The careless one, a control, posts although its attempt could not be recorded.
"""

import ctypes
import errno
import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.errors import StoreError
from bot.posting.courier import Courier
from bot.posting.outcomes import NotSent, Sent
from bot.posting.owner import identify
from bot.records import Outlet, Receipt
from bot.store import Database, Deliveries, Drafts
from bot.store.lineage import Lineage
from tests.queues import NOON, Clock, judged

TEXT = "Crypt of Ash"
EVER = 10**9
TURNS = 3  # while the disk fails


@dataclass
class Place:
    """A target that sees whether the attempt is on the disk when it is asked to post."""

    disk: ctypes.CDLL
    deliveries: Deliveries
    posts: Counter[str] = field(default_factory=Counter)
    undurable: int = 0

    def check(self, delivery):
        return None

    def post(self, delivery):
        stored = self.deliveries.get(delivery.id)
        self.undurable += (stored.state, stored.fence) != (
            "sending",
            delivery.fence,
        ) or self.disk.disk_dirty()
        self.posts[delivery.key] += 1
        return Sent(Receipt(delivery.key))

    def find(self, delivery):
        return Sent(Receipt(delivery.key)) if delivery.key in self.posts else NotSent("it is not there")


class Careless(Deliveries):
    """Posts all the same."""

    def begin_sending(self, delivery):
        try:
            return super().begin_sending(delivery)
        except StoreError:
            return replace(delivery, state="sending")


def prepare(folder: Path, kind: str) -> None:
    """A queue with one draft that is approved and due, never started yet."""
    folder.mkdir()
    with Database(f"sqlite:///{folder}/bot.db", Clock()) as database:
        drafts = Drafts(database)
        [draft] = drafts.add("metal", [judged(TEXT)])
        drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=[Outlet("place", "me", kind, TEXT)])
        Deliveries(database).schedule_now("metal")


def live(
    disk: ctypes.CDLL, folder: Path, at: int, until: int, error: int, store: type[Deliveries]
) -> Counter[str]:
    """One delivery on a disk whose writes fail from one to another; then the disk is mended."""
    clock, count = Clock(NOON), Counter[str]()
    with Database(f"sqlite:///{folder}/bot.db", clock) as database:
        lineage = Lineage(database, folder)
        deliveries = store(database, mark=lineage.mark)
        place = Place(disk, Deliveries(database))
        steady = {"steady": lambda: clock().timestamp()}
        courier = Courier(deliveries, place, lambda it: (), identify(), clock, **steady)

        def turn():
            lineage.examine()
            courier.deliver_due()

        disk.disk_fail(at, until, error)
        for _ in range(TURNS):
            try:
                turn()
            except StoreError:
                count["stopped"] += 1
            count["readable"] += [it.text for it in Drafts(database).list()] == [TEXT]
            clock.pass_by(120)
        count["met"] = disk.disk_calls() >= at
        disk.disk_fail(EVER, EVER, error)
        for _ in range(TURNS):
            clock.pass_by(3600)
            turn()
        [delivery] = deliveries.list()
    posts = sum(place.posts.values())
    count["undurable"], count["twice"] = place.undurable, max(0, posts - 1)
    count[delivery.state] += 1
    count["lost"] = delivery.state not in ("sent", "uncertain")
    count["false"] = delivery.state == "sent" and posts != 1
    return count


def main(folder: Path, kind: str, error: str, how: str, careless: str = "") -> None:
    disk, total = ctypes.CDLL(None), Counter[str]()
    prepare(folder / "before", kind)
    for at in range(1, 1000):
        shutil.copytree(folder / "before", folder / "now")
        until = at if how == "once" else EVER
        count = live(
            disk, folder / "now", at, until, getattr(errno, error), Careless if careless else Deliveries
        )
        if not count["met"]:
            break
        total += Counter(count | {"writes": 1, "turns": TURNS})
        shutil.rmtree(folder / "now")
    print(json.dumps(+total))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
