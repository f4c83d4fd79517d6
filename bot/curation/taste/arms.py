"""Ways to sample that compete: which earn approvals, and how the next batch is divided among them.

An arm is a checkpoint with a sampling. It is told what was decided, and knows no queue.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bot.curation.taste.measures import Share
from bot.records import Candidate, Judgement, Sampling

FLOOR = 0.1  # of a batch, for every arm: what seems bad may only have been unlucky, and tastes change
DRAWS = 4000


def checkpoint_of(candidate: Candidate) -> str:
    """Its name, without the model's."""
    return candidate.checkpoint.partition("/")[2]


def band_of(candidate: Candidate) -> str:
    """The band of surprise, or the temperatures."""
    low, high = candidate.sampling.temperature
    return candidate.sampling.band or (f"{low:g}" if low == high else f"{low:g} to {high:g}")


def sampler_of(candidate: Candidate) -> str:
    """What narrows the draw, "plain" if nothing does."""
    plain, ours = Sampling(), candidate.sampling
    told = {name: getattr(ours, name) for name in NARROWING}
    said = [f"{name} {value:g}" for name, value in told.items() if value != getattr(plain, name)]
    said += ["mirostat"] * (ours.mirostat is not None)
    return ", ".join(said) or "plain"


NARROWING = ("top_k", "top_p", "min_p", "typical_p", "eta")


def shares(judgements: Sequence[Judgement]) -> dict[tuple[str, str, str], Share]:
    """Approved of decided, by (checkpoint, band, sampler), the most decided first; edited texts left out."""
    counts: dict[tuple[str, str, str], list[bool]] = {}
    for one in judgements:
        if one.draft.revision == 1:
            sampled = one.draft.candidate
            arm = checkpoint_of(sampled), band_of(sampled), sampler_of(sampled)
            counts.setdefault(arm, []).append(one.approved)
    found = {arm: Share(sum(said), len(said)) for arm, said in counts.items()}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].total, pair[0])))


def chances(earned: Mapping[str, Share], seed: int) -> dict[str, float]:
    """How probable it is that each arm is the best one: Thompson's rule (1933), over many draws.

    An arm's share of approvals has a Beta distribution, even before anything was decided.
    """
    random = np.random.default_rng(seed)
    draws = np.array([random.beta(1 + it.count, 1 + it.total - it.count, DRAWS) for it in earned.values()])
    wins = np.bincount(draws.argmax(axis=0), minlength=len(earned)) / DRAWS
    return dict(zip(earned, map(float, wins), strict=True))


def parts(chances: Mapping[str, float]) -> dict[str, float]:
    """Each arm's share of the next batch: FLOOR for every one, or equal parts, the rest by chances."""
    floor = min(FLOOR, 1 / len(chances))
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
