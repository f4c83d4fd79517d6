"""An old copy of the database put in its place: nothing is posted again, whatever step it was taken at."""

import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import product

import pytest
from sqlalchemy import delete, update

from bot.errors import StoreError
from bot.posting.courier import Courier
from bot.posting.outcomes import NotSent, Outcome, Sent, Unknown
from bot.posting.owner import identify
from bot.records import Outlet, Receipt
from bot.store import Deliveries
from bot.store.backup_sqlite import back_up, restore
from bot.store.lineage import Lineage
from bot.store.mark import Mark
from bot.store.tables import attempts, deliveries, events, spent
from tests.queues import NOON, open_queue, open_url

KINDS = ("put", "key", "query", "opaque")
STEPS = ("queued", "approved", "due", "claimed", "sending", "posted", "put off", "in doubt", "sent")
WAYS = ("by hand", "by hand, without the mark", "restored", "restored elsewhere")
TEXT = "Crypt of Ash"


@dataclass
class Place:
    """A target of any kind, and its sender. It remembers keys for ever if it is a put, else not at all."""

    posts: Counter[str] = field(default_factory=Counter)
    times: set[str] = field(default_factory=set)  # at which posts were first tried, as they came with them
    answers: list[Outcome] = field(default_factory=list)
    after: object = None

    def check(self, delivery):
        return None

    def post(self, delivery):
        self.times.add(delivery.first_tried_at.isoformat())
        answer = self.answers.pop(0) if self.answers else Sent(Receipt(delivery.key))
        if not isinstance(answer, NotSent):
            self.posts[delivery.key] = 1 if delivery.kind == "put" else self.posts[delivery.key] + 1
        if self.after:
            self.after()
        return answer

    def find(self, delivery):
        if delivery.kind == "opaque":
            return Unknown("it cannot be asked")
        found = delivery.key in self.posts
        return Sent(Receipt(delivery.key, evidence="found")) if found else NotSent("it is not there")


class Copying(Deliveries):
    """Shows the database to `look` behind each of its steps."""

    look = staticmethod(lambda step: None)

    def claim(self, *args, **options):
        claimed = super().claim(*args, **options)
        if claimed:
            self.look("claimed")
        return claimed

    def begin_sending(self, delivery):
        sending = super().begin_sending(delivery)
        self.look("sending")
        return sending

    def settle(self, delivery, state, *args, **options):
        settled = super().settle(delivery, state, *args, **options)
        self.look({"planned": "put off", "uncertain": "in doubt"}.get(state, state))
        return settled


def approve(queue, kind):
    """The draft, approved if it is not and due if it can be."""
    [draft] = queue.drafts.list() or queue.add(TEXT)
    if draft.status == "pending":
        queue.approve(draft, Outlet("place", "me", kind, TEXT))
    queue.deliveries.schedule_now("metal")


def work(queue, folder, place, careful=True, look=lambda step: None, turns=8):
    """Post as `bot run` does, ten minutes a turn; what it says of the database at the start."""
    lineage = Lineage(queue.database, folder)
    said = lineage.examine() if careful else ""
    store = Copying(queue.database, mark=lineage.mark if careful else None)
    store.look = look
    steady = {"steady": lambda: queue.clock().timestamp()}
    courier = Courier(store, place, lambda it: (), identify(), queue.clock, dead=lambda owner: True, **steady)
    for _ in range(turns):
        courier.deliver_due()
        queue.clock.pass_by(600)
    return said


def lived(folder, kind, step):
    """A bot that has posted once; a copy of its database was made at a step of the way, the first time."""
    copy, place = folder / "copy.db", Place()
    answers = {"put off": NotSent("busy", 60), "in doubt": Unknown("no answer")}
    place.answers = [answers[step]] if step in answers else []

    def look(now):
        if now == step and not copy.exists():
            back_up(folder / "bot.db", copy)

    place.after = lambda: look("posted")
    with open_queue(folder) as queue:
        Lineage(queue.database, folder).examine()
        queue.add(TEXT)
        look("queued")
        queue.approve(queue.drafts.get(1), Outlet("place", "me", kind, TEXT))
        look("approved")
        queue.deliveries.schedule_now("metal")
        look("due")
        work(queue, folder, place, look=look)
    return place


def put_back(folder):
    """What a person does who knows no `bot restore`."""
    for name in ("bot.db-wal", "bot.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(folder / "copy.db", folder / "bot.db")


def cases():
    """Every kind, step and way; those by command, which go through the same, at few steps in `make test`."""
    for way, kind, step in product(WAYS, KINDS, STEPS):
        if (kind, step) != ("put", "in doubt"):  # of a put nothing is
            seldom = way.startswith("restored") and step not in ("queued", "claimed")
            yield pytest.param(way, kind, step, marks=pytest.mark.proof if seldom else [])


@pytest.mark.parametrize(("way", "kind", "step"), list(cases()))
def test_nothing_is_posted_again(tmp_path, kind, step, way):
    """Of each kind, from a copy of each step: once it was posted, and once it stays, also if approved anew.

    Where the target can be asked, or knows the key for ever, it comes out as sent; else a person decides.
    """
    place = lived(tmp_path, kind, step)
    if way in ("by hand, without the mark", "restored elsewhere"):
        [mark] = tmp_path.glob("*.mark")
        mark.unlink()
    if way.startswith("by hand"):
        put_back(tmp_path)
    else:
        restore(tmp_path / "copy.db", tmp_path / "bot.db", NOON)

    with open_queue(tmp_path) as queue:
        queue.clock.pass_by(30 * 3600)
        approve(queue, kind)
        work(queue, tmp_path, place)
        [delivery] = queue.deliveries.list()

    assert list(place.posts.values()) == [1]
    assert delivery.state == ("uncertain" if kind == "opaque" and step != "sent" else "sent")


@pytest.mark.parametrize("kind", ["key", "query", "opaque"])
@pytest.mark.parametrize("step", ["queued", "approved", "due", "claimed", "put off"])
def test_who_does_not_look_posts_again(tmp_path, kind, step):
    """The control: without mark and epoch the same copies post twice, so the test above can fail."""
    place = lived(tmp_path, kind, step)
    put_back(tmp_path)
    with open_queue(tmp_path) as queue:
        queue.clock.pass_by(30 * 3600)
        approve(queue, kind)
        work(queue, tmp_path, place, careful=False)

    assert list(place.posts.values()) == [2]


def test_a_put_is_posted_again_as_the_very_same(tmp_path):
    """With the time of its first attempt, which only the mark knows."""
    place = lived(tmp_path, "put", "approved")
    put_back(tmp_path)
    with open_queue(tmp_path) as queue:
        queue.clock.pass_by(30 * 3600)
        approve(queue, "put")
        work(queue, tmp_path, place)

    assert len(place.times) == 1


def test_it_is_told_what_happened_and_only_once(tmp_path):
    """One line says what is missing and what becomes of it; the next start has nothing to say."""
    place = lived(tmp_path, "query", "approved")
    put_back(tmp_path)
    with open_queue(tmp_path) as queue:
        said = work(queue, tmp_path, place, turns=0)
        again = work(queue, tmp_path, place, turns=0)
        past = Lineage(queue.database, tmp_path).past()

    assert "1 attempt to post, from 2026-03-01 12:00 UTC on, are not in it" in said
    assert "\n" not in said
    assert again == ""
    assert (past.epoch, past.attempts, past.doubted) == (1, 1, 0)


def test_a_postgresql_database_that_was_restored_by_hand_is_doubted(tmp_path, postgres):
    """What this machine has tried shows that it is an older one; what others have posted nobody knows."""
    place, url = Place(), postgres.fresh()
    with open_url(url) as queue:
        queue.add(TEXT, "Bone")
        approve_all(queue)
        work(queue, tmp_path, place, turns=1)
        with queue.database.write() as connection:  # as it was before
            connection.execute(delete(events))
            connection.execute(delete(attempts))
            connection.execute(delete(spent))
            connection.execute(update(deliveries).values(state="planned", fence=0, remote_id=None))
        said = work(queue, tmp_path, place)

        assert "every draft up to 2 is looked for" in said
        assert [it.state for it in queue.deliveries.list()] == ["sent", "sent"]
    assert list(place.posts.values()) == [1, 1]


def approve_all(queue):
    for draft in queue.drafts.list():
        queue.approve(draft, Outlet("place", draft.text, "query", draft.text))
        queue.deliveries.schedule_now("metal")


def test_what_was_never_restored_is_not_doubted(tmp_path):
    """Killed, started again, moved with its mark: nothing is said, and nothing held back."""
    place = lived(tmp_path, "opaque", "sent")
    (tmp_path / "moved").mkdir()
    for file in [tmp_path / "bot.db", *tmp_path.glob("*.mark")]:
        shutil.move(file, tmp_path / "moved")
    with open_queue(tmp_path / "moved") as queue:
        [draft] = queue.add("Bone", bot="other")
        queue.approve(draft, Outlet("place", "me", "opaque", "Bone"))
        queue.deliveries.schedule_now("other")

        assert work(queue, tmp_path / "moved", place) == ""
        assert [it.state for it in queue.deliveries.list()] == ["sent", "sent"]


def test_what_was_made_after_the_restore_is_not_doubted(tmp_path):
    """A draft that the copy has not known cannot have been posted."""
    lived(tmp_path, "opaque", "approved")
    [mark] = tmp_path.glob("*.mark")
    mark.unlink()
    restore(tmp_path / "copy.db", tmp_path / "bot.db", NOON)
    with open_queue(tmp_path) as queue:
        [draft] = queue.add("Bone", bot="other")
        queue.approve(draft, Outlet("place", "you", "opaque", "Bone"))
        queue.deliveries.schedule_now("other")
        work(queue, tmp_path, Place())

        assert queue.deliveries.list()[-1].state == "sent"


def test_a_mark_that_does_not_reach_back_proves_nothing(tmp_path):
    """Begun on a new machine, it says nothing of what the old one has posted: an older copy is doubted."""
    place = lived(tmp_path, "query", "approved")
    [mark] = tmp_path.glob("*.mark")
    mark.unlink()
    for _ in range(2):  # the first time nothing is beside it, the second time the mark that was begun then
        restore(tmp_path / "copy.db", tmp_path / "bot.db", NOON)
        with open_queue(tmp_path) as queue:
            queue.clock.pass_by(30 * 3600)
            approve(queue, "query")
            work(queue, tmp_path, place)

    assert list(place.posts.values()) == [1]


def test_a_line_that_was_cut_short_counts_for_nothing(tmp_path):
    """The power failed while it was written, so nothing had been sent; lines after it are read."""
    lived(tmp_path, "query", "sent")
    [path] = tmp_path.glob("*.mark")
    [tried] = Mark(path).tried()
    with path.open("a") as file:
        file.write(f"? {tried.key} 7")
    with open_queue(tmp_path) as queue:
        mark, delivery = Mark(path), queue.deliveries.get(1)
        mark.confirm(mark.reserve(replace(delivery, fence=8), NOON))

    assert [(one.key, one.fence) for one in mark.tried()] == [(tried.key, 1), (tried.key, 8)]


def test_nothing_is_posted_while_the_mark_cannot_be_written(tmp_path):
    """The attempt is not even begun, so the delivery is as it was when it can be written again."""
    place = Place()
    with open_queue(tmp_path) as queue:
        queue.add(TEXT)
        approve(queue, "opaque")
        lineage = Lineage(queue.database, tmp_path)
        lineage.examine()
        lineage.mark.path.rename(tmp_path / "away")
        with pytest.raises(StoreError, match=r"bot\.db\.\w+\.mark: it cannot be written .*nothing is posted"):
            work_without_looking(queue, lineage, place)
        assert (queue.deliveries.get(1).attempts, place.posts) == (0, {})
        (tmp_path / "away").rename(lineage.mark.path)
        work(queue, tmp_path, place)

        assert queue.deliveries.get(1).state == "sent"


def work_without_looking(queue, lineage, place):
    store = Deliveries(queue.database, mark=lineage.mark)
    Courier(store, place, lambda it: (), identify(), queue.clock).deliver_due()
