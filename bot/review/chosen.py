"""What was chosen to be read: a bot's approved drafts, each with its edits, its notes and its posts.

It only reads. What nobody approved, or a target refused, is not chosen, favourite or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.records import Decision, Draft, Listing, Status
from bot.store.drafts import Drafts
from bot.store.histories import Histories, History, Posted

APPROVED: tuple[Status, ...] = ("approved", "scheduled", "posting", "posted", "uncertain")


@dataclass(frozen=True)
class Chosen:
    """A draft as it reads now. starred, note: its own or a copy's; posts: its own and its copies'.

    approval: the one that stands. earlier: how it read before, the sampled text first.
    """

    draft: Draft
    approval: Decision
    starred: bool
    note: str
    earlier: tuple[str, ...]
    posts: tuple[Posted, ...]


def chosen(drafts: Drafts, histories: Histories, bot: str) -> list[Chosen]:
    """All that are approved, oldest first; copies that went out again count as the first one."""
    approved = sorted((draft for status in APPROVED for draft in drafts.list(status, bot)), key=_kin)
    known = histories.of(bot)
    families = ([draft for draft in same if draft.id in known] for _, same in groupby(approved, _kin))
    found = (_chosen(family, known) for family in families if family)
    return sorted(filter(None, found), key=lambda one: one.draft.id)


def _chosen(family: Sequence[Draft], known: Mapping[int, History]) -> Chosen | None:
    """None if it was decided on since it was listed."""
    first = min(family, key=lambda draft: draft.id)
    made = standing(known[first.id].decisions)
    approvals = [one for one in made if (one.verdict, one.revision_sha256) == ("approve", first.sha256)]
    if not approvals:
        return None
    return Chosen(
        draft=first,
        approval=approvals[-1],
        starred=any(draft.starred for draft in family),
        note=next((draft.note for draft in family if draft.note), ""),
        earlier=_earlier(first, made, known[first.id].texts),
        posts=tuple(post for draft in family for post in known[draft.id].posts),
    )


def best(found: Iterable[Chosen]) -> list[Chosen]:
    """The favourites; where there is none, all that a person approved.

    Those with a note first, then by how probably the owner likes them, then the oldest.
    """
    by_hand = [one for one in found if one.starred or not one.approval.policy]
    favourites = [one for one in by_hand if one.starred]
    return sorted(favourites or by_hand, key=_rank)


def favourites_left_out(drafts: Drafts, bot: str) -> list[int]:
    """The ids of favourites that are not approved."""
    starred = drafts.matching(Listing(status=None, bot=bot, starred=True))
    return sorted(draft.id for draft in starred if draft.status not in APPROVED)


def _kin(draft: Draft) -> tuple[int, str]:
    """The same of a draft and of copies that read as it does."""
    return draft.recycled_from or draft.id, draft.sha256


def _rank(one: Chosen) -> tuple[bool, float, int]:
    return not one.note, -(one.draft.score or 0.0), one.draft.id


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that were not undone: an undo takes the last one back that stands."""
    found = list[Decision]()
    for one in decisions:
        if one.verdict == "undo":
            found.pop()
        else:
            found.append(one)
    return found


def _earlier(draft: Draft, made: Iterable[Decision], texts: Mapping[str, str]) -> tuple[str, ...]:
    edited = [texts[one.revision_sha256] for one in made if one.verdict == "edit"]
    return tuple(text for text in dict.fromkeys([draft.candidate.text, *edited]) if text != draft.text)
