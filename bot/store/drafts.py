"""Drafts: what is queued, at which revision, and what was decided of it by whom.

It knows which decision each status permits; it judges no text and posts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256 as digest
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from bot.curation.normal import fingerprint
from bot.errors import Conflict, StoreError
from bot.records import Decision, DeliveryState, Draft, Evidence, Judged, Outlet, Status, Verdict
from bot.store.database import Database
from bot.store.deliveries import cancel, plan
from bot.store.rows import draft_rows, read_draft, read_drafts, status
from bot.store.tables import decisions, deliveries, drafts, revisions, slots

# What each status permits. Once a delivery was claimed nothing does, until all are settled.
OPEN: Mapping[str, tuple[Status, ...]] = {
    "approve": ("pending", "rejected", "refused"),
    "reject": ("pending", "approved", "scheduled"),
    "edit": ("pending", "approved", "scheduled", "rejected", "refused"),
    "undo": ("pending", "approved", "scheduled", "rejected"),
}
# Where to look for a status that comes from deliveries: not among all that were ever posted.
BORNE_BY: Mapping[Status, tuple[DeliveryState, ...]] = {
    "approved": ("planned",),
    "scheduled": ("planned",),
    "posting": ("planned", "claimed", "sending"),
    "uncertain": ("uncertain",),
}
PAST = {"approve": "approved", "reject": "rejected", "edit": "edited", "undo": "undone"}


class Drafts:
    """The queue. Every method is one transaction."""

    def __init__(self, database: Database):
        self._database = database

    def add(self, bot: str, judged: Iterable[Judged]) -> Sequence[Draft]:
        """Queue the kept ones as pending drafts; a sample that was queued before is passed over."""
        with self._database.write() as connection:
            ids = [self._insert(connection, bot, one) for one in judged if one.kept]
            return [read_draft(connection, id) for id in ids if id is not None]

    def get(self, id: int) -> Draft:
        """Raises NotFound."""
        with self._database.read() as connection:
            return read_draft(connection, id)

    def list(
        self, status: Status | None = None, bot: str | None = None, limit: int | None = None
    ) -> Sequence[Draft]:
        """Oldest first."""
        with self._database.read() as connection:
            return read_drafts(connection, _narrow(draft_rows(), status, bot).limit(limit))

    def count(self, status: Status, bot: str) -> int:
        """How many drafts of a bot have this status."""
        rows = _narrow(select(func.count()).select_from(drafts), status, bot)
        with self._database.read() as connection:
            return connection.scalar(rows) or 0

    def counts(self, bot: str | None = None) -> dict[Status, int]:
        """How many drafts have each status, the zeros too."""
        each = _narrow(select(status), None, bot).subquery()
        counts: dict[Status, int] = dict.fromkeys(get_args(Status), 0)
        with self._database.read() as connection:
            for name, count in connection.execute(
                select(each.c.status, func.count()).group_by(each.c.status)
            ):
                counts[name] = count
        return counts

    def seen(self, bot: str) -> frozenset[int]:
        """The fingerprints of every text ever queued for the bot, edits included."""
        rows = select(revisions.c.fingerprint).join(drafts, drafts.c.id == revisions.c.draft)
        with self._database.read() as connection:
            return frozenset(connection.scalars(rows.where(drafts.c.bot == bot)))

    def recent_texts(self, bot: str, limit: int = 20_000, besides: int | None = None) -> Sequence[str]:
        """What was queued for the bot, edits included, the newest first; without the draft `besides`."""
        rows = (
            select(revisions.c.text)
            .join(drafts, drafts.c.id == revisions.c.draft)
            .where(drafts.c.bot == bot, drafts.c.id != (besides or 0))
            .order_by(revisions.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(rows))

    def recent_posts(self, bot: str, limit: int = 1000, besides: int | None = None) -> Sequence[str]:
        """Texts that are public or may be, the newest first; without those of the draft `besides`."""
        public = deliveries.c.state.in_(["sending", "sent", "uncertain"])
        same = (revisions.c.draft == deliveries.c.draft) & (
            revisions.c.sha256 == deliveries.c.revision_sha256
        )
        rows = (
            select(revisions.c.text)
            .join(drafts, drafts.c.id == revisions.c.draft)
            .join(deliveries, same)
            .where(drafts.c.bot == bot, public, drafts.c.id != (besides or 0))
            .group_by(revisions.c.id, revisions.c.text)
            .order_by(func.max(deliveries.c.id).desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(rows))

    def decide(
        self,
        id: int,
        sha256: str,
        verdict: Literal["approve", "reject"],
        actor: str,
        policy: str = "",
        outlets: Sequence[Outlet] = (),
        override: bool = False,
    ) -> Draft:
        """Approve or reject exactly the revision `sha256`; an approval plans a delivery for each outlet.

        policy: its name when no person decided. override: a person approved against the gate.
        Raises Conflict if the draft has changed or its status forbids it, StoreError without an outlet.
        """
        with self._database.write() as connection:
            draft = _look_up(connection, id, verdict, sha256)
            if verdict == "approve":
                self._plan(connection, draft, outlets, actor)
            else:
                self._withdraw(connection, draft, actor)
            self._record(connection, draft, verdict, actor, policy=policy, override=override)
            return _set(connection, id, state=PAST[verdict])

    def edit(
        self,
        id: int,
        text: str,
        actor: str,
        verdicts: Sequence[Verdict],
        sha256: str | None = None,
        evidence: Evidence | None = None,
    ) -> Draft:
        """Make `text` the draft's current revision, pending; an approval is withdrawn first.

        verdicts, evidence: what is said of the new text. sha256: the revision that was edited, the current
        one if None.
        Raises Conflict as `decide` does. A text equal to the current one changes nothing.
        """
        with self._database.write() as connection:
            draft = _look_up(connection, id, "edit", sha256)
            if text == draft.text:
                return draft
            self._withdraw(connection, draft, actor)
            number = self._revise(connection, id, text, verdicts, evidence)
            edited = _set(connection, id, state="pending", revision=number)
            self._record(connection, edited, "edit", actor)
            return edited

    def undo(self, id: int, actor: str) -> Draft:
        """Take the last decision back, as if it had not been made; the next undo takes back the one before.

        Raises Conflict if there is none, or if a delivery was claimed already.
        """
        with self._database.write() as connection:
            draft = _look_up(connection, id, "undo")
            if not _standing(connection, id):
                msg = f"draft {id}: nothing has been decided, so there is nothing to undo"
                raise Conflict(msg)
            return self._take_back(connection, draft, actor)

    def decisions(self, id: int) -> Sequence[Decision]:
        """All that were made, in order, those undone too. Raises NotFound."""
        with self._database.read() as connection:
            read_draft(connection, id)
            rows = connection.execute(
                select(decisions).where(decisions.c.draft == id).order_by(decisions.c.id)
            )
            fields = Decision.__dataclass_fields__
            return [Decision(**{name: row._mapping[name] for name in fields}) for row in rows]

    def checkpoints_in_use(self) -> set[str]:
        """The checkpoints that a draft refers to: these must not be pruned."""
        with self._database.read() as connection:
            return set(connection.scalars(select(drafts.c.checkpoint).distinct()))

    def _insert(self, connection: Connection, bot: str, judged: Judged) -> int | None:
        sampled = asdict(judged.candidate)
        text = sampled.pop("text")
        origin = _origin(bot, judged)
        if connection.scalar(select(drafts.c.id).where(drafts.c.origin == origin)) is not None:
            return None
        id: int | None = connection.scalar(
            insert(drafts)
            .values(sampled)
            .values(
                bot=bot,
                state="pending",
                revision=1,
                attempt_group=0,
                origin=origin,
                created_at=self._database.now(),
            )
            .returning(drafts.c.id)
        )
        assert id is not None
        self._revise(connection, id, text, judged.verdicts, judged.evidence)
        return id

    def _revise(
        self,
        connection: Connection,
        id: int,
        text: str,
        verdicts: Sequence[Verdict],
        evidence: Evidence | None,
    ) -> int:
        """The number of the revision with this text: a new one, or the old one if it read so before."""
        mine = revisions.c.draft == id
        same = select(revisions.c.number).where(mine, revisions.c.sha256 == _sha256(text))
        if (found := connection.scalar(same)) is not None:
            return int(found)
        number = 1 + (connection.scalar(select(func.max(revisions.c.number)).where(mine)) or 0)
        connection.execute(
            insert(revisions).values(
                draft=id,
                number=number,
                sha256=_sha256(text),
                text=text,
                fingerprint=fingerprint(text),
                verdicts=[asdict(verdict) for verdict in verdicts],
                evidence=evidence and asdict(evidence),
                created_at=self._database.now(),
            )
        )
        return number

    def _plan(self, connection: Connection, draft: Draft, outlets: Sequence[Outlet], actor: str) -> None:
        if not outlets:
            msg = (
                f"draft {draft.id}: bot {draft.bot!r} has no target, so an approved draft would never be "
                f"posted. Give it one in bots.{draft.bot}.targets"
            )
            raise StoreError(msg)
        connection.execute(update(slots).where(slots.c.draft == draft.id).values(draft=None))
        plan(connection, draft, outlets, actor, self._database.now())

    def _withdraw(self, connection: Connection, draft: Draft, actor: str) -> None:
        """Take an approval back that another decision is about to replace."""
        if draft.status in ("approved", "scheduled"):
            self._take_back(connection, draft, actor)

    def _take_back(self, connection: Connection, draft: Draft, actor: str) -> Draft:
        *before, last = _standing(connection, draft.id)
        self._record(connection, draft, "undo", actor, undoes=last.id)
        cancel(connection, draft.id, actor, f"{last.verdict} undone", self._database.now())
        edits = [row.revision_sha256 for row in before if row.verdict == "edit"]
        which = revisions.c.sha256 == edits[-1] if edits else revisions.c.number == 1
        number = connection.scalar(select(revisions.c.number).where(revisions.c.draft == draft.id, which))
        state = {"approve": "approved", "reject": "rejected"}.get(
            before[-1].verdict if before else "", "pending"
        )
        return _set(connection, draft.id, state=state, revision=number)

    def _record(self, connection: Connection, draft: Draft, verdict: str, actor: str, **values: Any) -> None:
        row = {"policy": "", "override": False} | values
        row |= {"draft": draft.id, "revision_sha256": draft.sha256, "verdict": verdict, "actor": actor}
        connection.execute(insert(decisions).values(row | {"at": self._database.now()}))


def _narrow(rows: Select[Any], wanted: Status | None, bot: str | None) -> Select[Any]:
    if wanted is not None:
        state = wanted if wanted in ("pending", "rejected") else "approved"
        rows = rows.where(drafts.c.state == state, status == wanted)
    if wanted is not None and wanted in BORNE_BY:
        bearing = select(deliveries.c.draft).where(deliveries.c.state.in_(BORNE_BY[wanted]))
        rows = rows.where(drafts.c.id.in_(bearing))
    return rows if bot is None else rows.where(drafts.c.bot == bot)


def _look_up(connection: Connection, id: int, verdict: str, sha256: str | None = None) -> Draft:
    """The draft, if its status permits the decision and it still reads as when it was looked at."""
    draft = read_draft(connection, id)
    if sha256 not in (None, draft.sha256):
        msg = f"draft {id} has changed since you looked at it: look again, then decide"
        raise Conflict(msg)
    if draft.status not in OPEN[verdict]:
        already = " already" if draft.status == PAST[verdict] else f": it cannot be {PAST[verdict]}"
        msg = f"draft {id} is {draft.status}{already}"
        raise Conflict(msg)
    return draft


def _standing(connection: Connection, id: int) -> list[Row[Any]]:
    """The decisions that have not been undone, in order."""
    undone = select(decisions.c.undoes).where(decisions.c.draft == id, decisions.c.undoes.is_not(None))
    rows = (
        select(decisions)
        .where(decisions.c.draft == id, decisions.c.verdict != "undo", decisions.c.id.not_in(undone))
        .order_by(decisions.c.id)
    )
    return list(connection.execute(rows))


def _set(connection: Connection, id: int, **values: Any) -> Draft:
    connection.execute(update(drafts).where(drafts.c.id == id).values(values))
    return read_draft(connection, id)


def _sha256(text: str) -> str:
    return digest(text.encode()).hexdigest()


def _origin(bot: str, judged: Judged) -> str:
    """What makes a sample the same in every copy of the database."""
    sampled = judged.candidate
    return _sha256(
        "\n".join([bot, sampled.checkpoint, str(sampled.seed), str(sampled.index), sampled.raw_text])
    )
