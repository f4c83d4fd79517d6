"""Drafts: what is queued, at which revision, and what was decided of it by whom.

It knows which decision each status permits; it judges no text and posts nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256 as digest
from typing import Literal

from sqlalchemy import Connection, func, insert, select, true

from bot.curation.normal import fingerprint
from bot.errors import BotError, Conflict
from bot.records import Decision, Draft, Evidence, Favourite, Judged, Listing, Outlet, Page, Status, Verdict
from bot.store import listing, recycling
from bot.store.database import Database
from bot.store.deciding import (
    UNDONE_WITHIN,
    change,
    decide,
    last_of,
    look_at,
    look_up,
    mark,
    record,
    standing,
    take_back,
    withdraw,
)
from bot.store.rows import draft_rows, moment, read_draft, read_drafts
from bot.store.tables import decisions, deliveries, drafts, revisions


class Drafts:
    """The queue. Every method is one transaction."""

    def __init__(self, database: Database):
        self._database = database

    def now(self) -> datetime:
        """The present, by the database's clock."""
        return self._database.now()

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
            return read_drafts(connection, listing.narrow(draft_rows(), status, bot).limit(limit))

    def page(self, wanted: Listing, after: str = "", limit: int = 50) -> Page:
        """A page of a listing, however long that is. after: the `next` of the page before.

        Raises BotError for a mark that no page gave.
        """
        with self._database.read() as connection:
            return listing.page(connection, wanted, after, limit)

    def matching_ids(self, wanted: Listing) -> Sequence[int]:
        with self._database.read() as connection:
            return list(connection.scalars(listing.matching(wanted), moment(connection)))

    def matching(self, wanted: Listing) -> Sequence[Draft]:
        """All drafts of a listing, as they are now."""
        with self._database.read() as connection:
            rows = draft_rows().where(drafts.c.id.in_(listing.matching(wanted)))
            return read_drafts(connection, rows)

    def count(self, status: Status, bot: str) -> int:
        """How many drafts of a bot have this status."""
        rows = listing.narrow(select(func.count()).select_from(drafts), status, bot)
        with self._database.read() as connection:
            return connection.scalar(rows, moment(connection)) or 0

    def counts(self, bot: str | None = None) -> dict[Status, int]:
        """How many drafts have each status, the zeros too."""
        with self._database.read() as connection:
            return listing.counts(connection, bot)

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

    def newest_pending(self, bot: str, limit: int) -> Sequence[tuple[int, str]]:
        """Ids and texts of the bot's pending drafts, the newest first."""
        rows = listing.narrow(select(drafts.c.id, revisions.c.text), "pending", bot).join(
            revisions, (revisions.c.draft == drafts.c.id) & (revisions.c.number == drafts.c.revision)
        )
        with self._database.read() as connection:
            found = connection.execute(rows.order_by(drafts.c.id.desc()).limit(limit), moment(connection))
            return [(row.id, row.text) for row in found]

    def recent_posts(self, bot: str, limit: int = 1000, besides: int | None = None) -> Sequence[str]:
        """Texts that are public or may be, the newest first.

        Without those of the draft `besides`, of what it is a copy of, and of that one's other copies.
        """
        public = deliveries.c.state.in_(["sending", "sent", "uncertain"])
        same = (revisions.c.draft == deliveries.c.draft) & (
            revisions.c.sha256 == deliveries.c.revision_sha256
        )
        rows = (
            select(revisions.c.text)
            .join(drafts, drafts.c.id == revisions.c.draft)
            .join(deliveries, same)
            .where(drafts.c.bot == bot, public, true() if besides is None else recycling.is_no_kin(besides))
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
        was: Status | None = None,
        reason: str = "",
        remark: str = "",
    ) -> Draft:
        """Approve or reject exactly the revision `sha256`; an approval plans a delivery for each outlet.

        policy: its name when no person decided. override: a person approved against the gate.
        was: the status it had when it was looked at, any if None. reason: the name of why it was rejected,
        remark: in words.
        Raises Conflict if the draft has changed or its status forbids it, StoreError without an outlet.
        """
        with self._database.write() as connection:
            draft = look_up(connection, id, verdict, sha256, was)
            said = {"policy": policy, "override": override, "reason": reason, "remark": remark}
            return decide(connection, draft, verdict, actor, outlets, **said)

    def decide_many(
        self,
        chosen: Sequence[tuple[Draft, Sequence[Outlet]]],
        verdict: Literal["approve", "reject"],
        actor: str,
        reason: str = "",
        remark: str = "",
        batch: str = "",
    ) -> tuple[Sequence[int], Sequence[tuple[int, str]]]:
        """Decide on drafts as they were looked at, each with its outlets, in one transaction.

        batch: the same for all that are to be undone together. Returns the ids of those decided on, and of
        those that have changed, with what forbids it.
        """
        decided, left = list[int](), list[tuple[int, str]]()
        with self._database.write() as connection:
            for seen, outlets in chosen:
                try:
                    draft = look_up(connection, seen.id, verdict, seen.sha256, seen.status)
                    decide(
                        connection, draft, verdict, actor, outlets, reason=reason, remark=remark, batch=batch
                    )
                except Conflict as error:
                    left.append((seen.id, str(error)))
                else:
                    decided.append(seen.id)
        return decided, left

    def edit(
        self,
        id: int,
        text: str,
        actor: str,
        verdicts: Sequence[Verdict],
        sha256: str | None = None,
        evidence: Evidence | None = None,
        was: Status | None = None,
    ) -> Draft:
        """Make `text` the draft's current revision, pending; an approval is withdrawn first.

        verdicts, evidence: what is said of the new text. sha256: the revision that was edited, the current
        one if None.
        Raises Conflict as `decide` does. A text equal to the current one changes nothing.
        """
        with self._database.write() as connection:
            draft = look_up(connection, id, "edit", sha256, was)
            if text == draft.text:
                return draft
            withdraw(connection, draft, actor)
            number = self._revise(connection, id, text, verdicts, evidence)
            edited = change(connection, id, state="pending", revision=number, snoozed_until=None)
            record(connection, edited, "edit", actor)
            return edited

    def snooze(
        self,
        id: int,
        until: datetime,
        actor: str,
        sha256: str | None = None,
        was: Status | None = None,
    ) -> Draft:
        """Put a pending draft off; at `until` it is pending again. Raises Conflict as `decide` does."""
        if until <= self._database.now():
            msg = f"draft {id}: it cannot be put off until {until:%Y-%m-%d %H:%M %Z}, which is past"
            raise BotError(msg)
        with self._database.write() as connection:
            draft = look_up(connection, id, "snooze", sha256, was)
            record(connection, draft, "snooze", actor, until=until)
            return change(connection, id, snoozed_until=until)

    def star(self, id: int, starred: bool, actor: str, sha256: str | None = None) -> Draft:
        """Make it a favourite, or none any more, whatever its status. Raises Conflict if it has changed."""
        with self._database.write() as connection:
            draft = look_at(connection, id, sha256)
            if draft.starred != starred:
                mark(connection, draft, "star" if starred else "unstar", "", actor)
            return change(connection, id, starred=starred)

    def note(self, id: int, text: str, actor: str, sha256: str | None = None) -> Draft:
        """Write beside it what persons shall read; "" takes it away. Raises Conflict if it has changed."""
        with self._database.write() as connection:
            draft = look_at(connection, id, sha256)
            if draft.note != text:
                mark(connection, draft, "note", text, actor)
            return change(connection, id, note=text)

    def favourites(self, bot: str) -> Sequence[Favourite]:
        """The bot's starred posts of which no copy is under way, that of the longest silence first."""
        with self._database.read() as connection:
            return recycling.favourites(connection, bot)

    def recycle(self, id: int) -> Draft:
        """A pending copy of a draft that has been posted, at its current revision."""
        with self._database.write() as connection:
            return recycling.copied(connection, id)

    def undo(self, id: int, actor: str, sha256: str | None = None, was: Status | None = None) -> Draft:
        """Take the last decision back, as if it had not been made; the next undo takes back the one before.

        Raises Conflict if there is none, if it was made more than a day ago, if a delivery was claimed
        already, and as `decide` does.
        """
        with self._database.write() as connection:
            draft = look_up(connection, id, "undo", sha256, was)
            made = standing(connection, id)
            if not made:
                msg = f"draft {id}: nothing has been decided, so there is nothing to undo"
                raise Conflict(msg, draft)
            if made[-1].at < self._database.now() - UNDONE_WITHIN:
                msg = f"draft {id} was decided on more than a day ago: decide anew instead"
                raise Conflict(msg, draft)
            return take_back(connection, draft, actor)

    def last_of(self, actor: str) -> Sequence[int]:
        """The drafts of the actor's last decision that can be undone: several if it was one on many.

        It is a day old at most, stands, and nobody has decided on the draft since; [] if there is none.
        """
        with self._database.read() as connection:
            return last_of(connection, actor)

    def texts(self, id: int) -> dict[str, str]:
        """Of each of a draft's revisions the text, by its SHA-256."""
        rows = select(revisions.c.sha256, revisions.c.text).where(revisions.c.draft == id)
        with self._database.read() as connection:
            return {row.sha256: row.text for row in connection.execute(rows)}

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
                folded=text.casefold(),
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


def _sha256(text: str) -> str:
    return digest(text.encode()).hexdigest()


def _origin(bot: str, judged: Judged) -> str:
    """What makes a sample the same in every copy of the database."""
    sampled = judged.candidate
    return _sha256(
        "\n".join([bot, sampled.checkpoint, str(sampled.seed), str(sampled.index), sampled.raw_text])
    )
