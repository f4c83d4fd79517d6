"""What persons decided, as examples of a taste; why a draft was shown; how batches were divided.

It knows which decisions count. It learns nothing from them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, Text, and_, bindparam, case, cast, func, insert, select, true, update

from bot.curation.taste.arms import Arm, arm_of, joined
from bot.curation.taste.measures import Share
from bot.records import Draft, Judgement, Reason
from bot.store.database import Database
from bot.store.parked import FAULTS, read_all
from bot.store.rows import as_draft, draft_rows, moment, read_sampling
from bot.store.tables import allocations, decisions, drafts, revisions, showings


class Allotment(NamedTuple):
    """What an arm was given of a batch, and how probable it seemed that it is the best one."""

    samples: int
    chance: float


class Judgements:
    """Every method is one transaction."""

    def __init__(self, database: Database):
        self._database = database

    def list(self, bot: str, limit: int | None = None) -> Sequence[Judgement]:
        """The bot's, oldest first; limit: the latest ones.

        One a draft: the last approval or rejection by a person that stands, of the revision it was given.
        What was undone does not count, nor what a policy decided; skipping and editing are no judgement.
        """
        with self._database.read() as connection:
            latest = _judged(bot).order_by(decisions.c.id.desc()).limit(limit)
            found = read_all(connection, latest, drafts.c.id, _judgement, moment(connection))
            return list(reversed(found))

    def earned(self, bot: str) -> dict[Arm, Share]:
        """Approved of decided, by the arm that sampled it. Edited texts are left out: no arm wrote them."""
        judged = _judged(bot).where(revisions.c.number == 1).subquery()
        way = judged.c.checkpoint, cast(judged.c.sampling, Text)
        approved = func.sum(case((judged.c.verdict == "approve", 1), else_=0))
        rows = select(*way, approved, func.count()).group_by(*way)
        earned: dict[Arm, list[Share]] = {}
        with self._database.read() as connection:
            for name, sampling, count, total in connection.execute(rows, moment(connection)):
                try:
                    arm = arm_of(name, read_sampling(json.loads(sampling)))
                except FAULTS:  # nobody knows how these were sampled
                    continue
                earned.setdefault(arm, []).append(Share(count, total))
        return {arm: joined(shares) for arm, shares in earned.items()}

    def show(self, draft: Draft, reason: Reason, propensity: float) -> None:
        """Note that a draft was picked to be decided on."""
        row = {"draft": draft.id, "revision_sha256": draft.sha256, "reason": reason}
        with self._database.write() as connection:
            connection.execute(
                insert(showings).values(row | {"propensity": propensity, "at": self._database.now()})
            )

    def score(self, scores: Mapping[int, float]) -> None:
        """Store with drafts, by id, how probably their owner approves them."""
        if not scores:
            return
        mine = drafts.c.id == bindparam("draft")
        rows = [{"draft": id, "probability": score} for id, score in scores.items()]
        with self._database.write() as connection:
            connection.execute(update(drafts).where(mine).values(score=bindparam("probability")), rows)

    def divide(self, bot: str, parts: Mapping[str, Allotment]) -> None:
        """Note how a batch was divided among arms."""
        rows = [{"arm": arm, **part._asdict()} for arm, part in parts.items()]
        batch = {"bot": bot, "at": self._database.now()}  # one moment: by it they are found together
        with self._database.write() as connection:
            connection.execute(insert(allocations), [row | batch for row in rows])

    def last_division(self, bot: str) -> dict[str, Allotment]:
        """How the bot's latest batch was divided; empty if none was."""
        latest = select(func.max(allocations.c.at)).where(allocations.c.bot == bot).scalar_subquery()
        rows = select(allocations).where(allocations.c.bot == bot, allocations.c.at == latest)
        with self._database.read() as connection:
            found = connection.execute(rows.order_by(allocations.c.id))
            return {row.arm: Allotment(row.samples, row.chance) for row in found}


def _judged(bot: str) -> Select[Any]:
    """The drafts as they were judged, with the verdict and the showing that came before it."""
    undone = select(decisions.c.undoes).where(decisions.c.undoes.is_not(None))
    standing = (
        select(func.max(decisions.c.id))
        .where(decisions.c.verdict.in_(["approve", "reject"]), decisions.c.id.not_in(undone))
        .group_by(decisions.c.draft)
    )
    shown = (
        select(func.max(showings.c.id))
        .where(
            showings.c.draft == decisions.c.draft,
            showings.c.revision_sha256 == decisions.c.revision_sha256,
            showings.c.at <= decisions.c.at,
        )
        .correlate(decisions)
        .scalar_subquery()
    )
    about = and_(decisions.c.draft == drafts.c.id, decisions.c.revision_sha256 == revisions.c.sha256)
    return (
        draft_rows(true())
        .add_columns(decisions.c.verdict, decisions.c.at, showings.c.reason, showings.c.propensity)
        .join(decisions, about)
        .outerjoin(showings, showings.c.id == shown)
        .where(drafts.c.bot == bot, decisions.c.id.in_(standing), decisions.c.policy == "")
        .order_by(None)
    )


def _judgement(row: Row[Any]) -> Judgement:
    return Judgement(as_draft(row), row.verdict == "approve", row.at, row.reason or "", row.propensity)
