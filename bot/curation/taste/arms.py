"""Ways to sample that compete: which earn approvals, and how the next batch is divided among them.

An arm is a checkpoint with a band and a sampler. It is told what was decided, and knows no queue.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, TypeVar

import numpy as np

from bot.curation.taste.measures import Share
from bot.records import Judgement, Sampling

FLOOR = 0.1  # of a batch, for every arm: what seems bad may only have been unlucky, and tastes change
EXPLORED = 0.5  # of a batch, for all floors together: with very many arms something must be left to divide
DRAWS = 4000

Key = TypeVar("Key")


class Arm(NamedTuple):
    """A way to sample, in words that tell it from all others."""

    checkpoint: str  # MODEL/NAME
    band: str  # of surprise, or the temperatures
    sampler: str  # what else shapes the draw, "plain" if nothing does


def arm_of(checkpoint: str, sampling: Sampling) -> Arm:
    """The arm that samples so."""
    low, high = sampling.temperature
    band = sampling.band or (f"{low:g}" if low == high else f"{low:g} to {high:g}")
    return Arm(checkpoint, band, _sampler(sampling))


def _sampler(sampling: Sampling) -> str:
    """All but the temperature that is not as a plain sampling has it."""
    plain, ours = asdict(Sampling()), asdict(sampling)
    said = [(name, value) for name, value in ours.items() if value != plain[name]]
    return ", ".join(f"{name} {_told(value)}" for name, value in said if name not in WARMTH) or "plain"


WARMTH = ("temperature", "band")


def _told(value: Any) -> str:
    match value:
        case {"name": name, "options": options}:  # a rule
            return f"{name} {_told(options)}" if options else str(name)
        case dict():
            return " ".join(f"{key} {_told(item)}" for key, item in value.items())
        case list() | tuple():
            return " and ".join(map(_told, value))
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def shares(judgements: Sequence[Judgement]) -> dict[Arm, Share]:
    """Approved of decided, by arm, the most decided first; edited texts left out."""
    counts: dict[Arm, list[bool]] = {}
    for one in judgements:
        if one.draft.revision == 1:
            sampled = one.draft.candidate
            counts.setdefault(arm_of(sampled.checkpoint, sampled.sampling), []).append(one.approved)
    found = {arm: Share(sum(said), len(said)) for arm, said in counts.items()}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].total, pair[0])))


def compared(competing: Sequence[Arm], earned: Mapping[Arm, Share]) -> dict[Arm, Share]:
    """What each competing arm has earned: all drafts count that are like it in what tells the arms apart.

    Where only bands compete, say, the drafts of every checkpoint count for their band.
    """
    apart = _apart(competing)
    return {
        arm: joined(it for other, it in earned.items() if all(other[n] == arm[n] for n in apart))
        for arm in competing
    }


def names(competing: Sequence[Arm]) -> dict[Arm, str]:
    """Each competing arm by what tells it from the others; the only one by all it is."""
    apart = _apart(competing) or range(len(Arm._fields))
    return {arm: ", ".join(_short(arm)[n] for n in apart) for arm in competing}


def _apart(competing: Sequence[Arm]) -> list[int]:
    """The fields in which they differ."""
    return [n for n, field in enumerate(zip(*competing, strict=True)) if len(set(field)) > 1]


def _short(arm: Arm) -> Arm:
    return arm._replace(checkpoint=arm.checkpoint.rpartition("/")[2])


def chances(earned: Mapping[Key, Share], seed: int) -> dict[Key, float]:
    """How probable it is that each arm is the best one: Thompson's rule (1933), over many draws.

    An arm's share of approvals has a Beta distribution, even before anything was decided.
    """
    random = np.random.default_rng(seed)
    draws = np.array([random.beta(1 + it.count, 1 + it.total - it.count, DRAWS) for it in earned.values()])
    wins = np.bincount(draws.argmax(axis=0), minlength=len(earned)) / DRAWS
    return dict(zip(earned, map(float, wins), strict=True))


def parts(chances: Mapping[Key, float]) -> dict[Key, float]:
    """Each arm's share of the next batch: FLOOR for every one, of many less, the rest by chances."""
    floor = min(FLOOR, EXPLORED / len(chances))
    return {arm: floor + (1 - floor * len(chances)) * chance for arm, chance in chances.items()}


def funniest(earned: Mapping[str, Share]) -> str:
    """The arm whose drafts were surely approved most often; "" while that is undecided.

    The one with the highest lower bound, if that lies above what all others taken together have reached.
    """
    if len(earned) < 2:
        return ""
    best = max(earned, key=lambda arm: (earned[arm].interval[0], arm))
    rest = joined(share for arm, share in earned.items() if arm != best)
    return best if rest.total and earned[best].interval[0] > rest.value else ""


def joined(shares: Iterable[Share]) -> Share:
    """Of all of them together."""
    each = list(shares)
    return Share(sum(it.count for it in each), sum(it.total for it in each))
