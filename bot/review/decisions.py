"""A decision, with the fixed gate asked first: no revision is approved that it has not seen.

It does not know who is at the desk, how a text was judged, or what becomes of a delivery.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.curation.gate import COPY
from bot.errors import Conflict, GateError
from bot.records import Draft, Evidence, Outlet, Verdict
from bot.store.drafts import Drafts
from bot.store.payload import sight

Gate = Callable[[str, str, int], Sequence[Verdict]]


@dataclass(frozen=True)
class Desk:
    """Where `actor` decides.

    gate: what the gate and the targets say of (bot, text, draft id). outlets: where (bot, text) goes once
    approved. evidence: of the novelty of (bot, text, draft id). opinions: what filters say of a new text.
    Every method raises NotFound, and Conflict if the draft's status forbids the decision or if it no longer
    reads as `sha256` says; without one, the draft as it is now is decided on.
    """

    drafts: Drafts
    gate: Gate
    outlets: Callable[[str, str], Sequence[Outlet]]
    actor: str
    evidence: Callable[[str, str, int], Evidence | None] = lambda bot, text, draft: None
    opinions: Callable[[Draft, str], Sequence[Verdict]] = lambda draft, text: ()

    def approve(
        self, id: int, sha256: str | None = None, override: bool = False, policy: str = "", seen: str = ""
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
            id, sha256 or draft.sha256, "approve", self.actor, policy, outlets, override=bool(forbidden)
        )

    def reject(self, id: int, sha256: str | None = None) -> Draft:
        """Reject the draft; an approval that nothing has been posted of is withdrawn."""
        sha256 = sha256 or self.drafts.get(id).sha256
        return self.drafts.decide(id, sha256, "reject", self.actor)

    def edit(self, id: int, text: str, sha256: str | None = None) -> Draft:
        """Give the draft another text, which needs an approval of its own. Raises GateError if none could."""
        draft = self.drafts.get(id)
        verdicts = self.gate(draft.bot, text, id)
        forbidden = {verdict.filter for verdict in verdicts if verdict.outcome == "reject"}
        if forbidden - {COPY}:
            raise _forbid(f"draft {id} cannot have this text", verdicts, forbidden, "It stays as it was.")
        said = (*self.opinions(draft, text), *verdicts)
        return self.drafts.edit(id, text, self.actor, said, sha256, self.evidence(draft.bot, text, id))

    def undo(self, id: int) -> Draft:
        """Take the last decision on the draft back."""
        return self.drafts.undo(id, self.actor)


def _forbid(what: str, verdicts: Sequence[Verdict], forbidden: set[str], remedy: str) -> GateError:
    reasons = " ".join(verdict.reason for verdict in verdicts if verdict.filter in forbidden)
    return GateError(f"{what}: {reasons} {remedy}", overridable=forbidden == {COPY})
