"""A decision, with the fixed gate asked first: no revision is approved that it has not seen.

It does not know who is at the desk, how a text was judged, or what becomes of a delivery.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.curation.gate import COPY
from bot.curation.similarity import nearest
from bot.errors import Conflict, GateError
from bot.records import Draft, Evidence, Outlet, Status, Verdict
from bot.review import reasons
from bot.review.reasons import REASONS as REASONS
from bot.store.drafts import Drafts
from bot.store.payload import sight

Gate = Callable[[str, str, int], Sequence[Verdict]]
LOOKED_AT = 5000  # pending drafts among which the nearest are looked for, the newest


@dataclass(frozen=True)
class Desk:
    """Where `actor` decides.

    gate: what the gate and the targets say of (bot, text, draft id). outlets: where (bot, text) goes once
    approved. evidence: of the novelty of (bot, text, draft id). opinions: what filters say of a new text.
    Every method raises NotFound, and Conflict, with the draft as it is now, if its status forbids the
    decision, if it no longer reads as `sha256` says or is no longer what it `was` when seen; without these,
    the draft as it is now is decided on.
    """

    drafts: Drafts
    gate: Gate
    outlets: Callable[[str, str], Sequence[Outlet]]
    actor: str
    evidence: Callable[[str, str, int], Evidence | None] = lambda bot, text, draft: None
    opinions: Callable[[Draft, str], Sequence[Verdict]] = lambda draft, text: ()

    def approve(
        self,
        id: int,
        sha256: str | None = None,
        override: bool = False,
        policy: str = "",
        seen: str = "",
        was: Status | None = None,
    ) -> Draft:
        """Approve the draft and plan its deliveries.

        override: approve it although it resembles the corpus or a recent post; recorded where it was needed.
        policy: its name, where no person decides; then what the gate only asks about is forbidden too.
        seen: `sight` of the outlets that were looked at; what would be posted otherwise is not approved.
        Raises GateError, StoreError if the bot has no target.
        """
        draft = self.drafts.get(id)
        verdicts = self.gate(draft.bot, draft.text, id)
        forbidden = {verdict.filter for verdict in verdicts if verdict.outcome == "reject"}
        if forbidden and not (override and forbidden == {COPY}):
            remedy = (
                ", or override if you mean it (--override; in the review: o)" if forbidden == {COPY} else ""
            )
            raise _forbid(f"draft {id} cannot be approved", verdicts, forbidden, f"Edit it{remedy}.")
        if policy and (asked := [verdict.reason for verdict in verdicts if verdict.outcome == "ask"]):
            msg = f"draft {id} needs a person: {' '.join(asked)}"
            raise GateError(msg, overridable=False)
        outlets = self.outlets(draft.bot, draft.text)
        if sha256 in (None, draft.sha256) and seen and seen != sight(outlets):
            msg = f"how draft {id} is posted, or what goes with it, has changed: look again, then decide"
            raise Conflict(msg)
        return self.drafts.decide(
            id,
            sha256 or draft.sha256,
            "approve",
            self.actor,
            policy,
            outlets,
            override=bool(forbidden),
            was=was,
        )

    def reject(
        self,
        id: int,
        sha256: str | None = None,
        reason: str = "",
        remark: str = "",
        was: Status | None = None,
    ) -> Draft:
        """Reject the draft; an approval that nothing has been posted of is withdrawn.

        reason: one of REASONS, or "". remark: why, in words. Raises BotError for a reason that is none.
        """
        reasons.check(reason)
        sha256 = sha256 or self.drafts.get(id).sha256
        return self.drafts.decide(
            id, sha256, "reject", self.actor, was=was, reason=reason, remark=remark.strip()
        )

    def edit(self, id: int, text: str, sha256: str | None = None, was: Status | None = None) -> Draft:
        """Give the draft another text, which needs an approval of its own. Raises GateError if none could."""
        draft = self.drafts.get(id)
        verdicts = self.gate(draft.bot, text, id)
        forbidden = {verdict.filter for verdict in verdicts if verdict.outcome == "reject"}
        if forbidden - {COPY}:
            raise _forbid(f"draft {id} cannot have this text", verdicts, forbidden, "It stays as it was.")
        said = (*self.opinions(draft, text), *verdicts)
        evidence = self.evidence(draft.bot, text, id)
        return self.drafts.edit(id, text, self.actor, said, sha256, evidence, was)

    def snooze(self, id: int, until: datetime, sha256: str | None = None, was: Status | None = None) -> Draft:
        """Put it off: until then nobody is asked about it. Raises BotError for a time that is past."""
        return self.drafts.snooze(id, until, self.actor, sha256, was)

    def star(self, id: int, starred: bool = True, sha256: str | None = None) -> Draft:
        """Make it a favourite, or none any more, whatever its status."""
        return self.drafts.star(id, starred, self.actor, sha256)

    def note(self, id: int, text: str, sha256: str | None = None) -> Draft:
        """Write beside the draft what persons shall read; "" takes it away."""
        return self.drafts.note(id, text.strip(), self.actor, sha256)

    def undo(self, id: int, sha256: str | None = None, was: Status | None = None) -> Draft:
        """Take the last decision on the draft back, if it is a day old at most."""
        return self.drafts.undo(id, self.actor, sha256, was)

    def undo_last(self) -> Sequence[Draft]:
        """Take the actor's own last decision back, on many drafts if it was one on many.

        It is looked for in the database: what was decided before a restart can be undone as well. Raises
        Conflict if there is none of the last day, or if nothing of it can be undone.
        """
        ids = self.drafts.last_of(self.actor)
        if not ids:
            msg = f"there is nothing to undo: {self.actor} has decided nothing in the last 24 hours"
            raise Conflict(msg)
        undone, refused = [], []
        for id in ids:
            try:
                undone.append(self.drafts.undo(id, self.actor))
            except Conflict as error:
                refused.append(error)
        if not undone:
            raise refused[0]
        return undone

    def like(self, draft: Draft, count: int = 10) -> Sequence[Draft]:
        """The pending drafts of its bot that are nearest to it, the nearest first."""
        pending = [it for it in self.drafts.newest_pending(draft.bot, LOOKED_AT) if it[0] != draft.id]
        found = nearest(draft.text, [text for _, text in pending], count)
        return [self.drafts.get(pending[number][0]) for number in found]


def _forbid(what: str, verdicts: Sequence[Verdict], forbidden: set[str], remedy: str) -> GateError:
    reasons = " ".join(verdict.reason for verdict in verdicts if verdict.filter in forbidden)
    return GateError(f"{what}: {reasons} {remedy}", overridable=forbidden == {COPY})
