"""From which probability on a policy may approve by itself, so that the owner would agree often enough.

It is found from what was foretold and what the owner then decided, never from a fit to the same decisions.
"""

import math

import numpy as np

from bot.curation.taste.logistic import Vector
from bot.curation.taste.measures import Share, tail

LEVEL = 0.05  # how probable an error may be: that the true precision is below what is asked for
SETTLED = 50  # decisions whose scores are too early to count
WIDER = 1.25  # from one set that is tried to the next
PAUSE = 10  # decisions between two thresholds of a policy that is only imagined


def threshold(scores: Vector, labels: Vector, precision: float) -> float:
    """The lowest score that may be approved; infinity if there is none yet.

    The highest scores are tried in ever larger sets, and the search ends at the first whose precision is not
    shown to be high enough (one-sided binomial test): so a set that is not good enough passes with a
    probability of LEVEL at most, however many are tried (fixed sequence testing: Angelopoulos et al. 2021,
    arXiv 2110.01052). That supposes that what waits resembles what was decided on.
    scores: of decisions in order, nan where none was foretold.
    """
    usable = np.isfinite(scores) & (np.arange(len(scores)) >= SETTLED)
    order = np.argsort(-scores[usable], kind="stable")
    ranked, found = scores[usable][order], math.inf
    hits = np.cumsum(labels[usable][order])
    size = math.ceil(math.log(LEVEL) / math.log(precision))  # the fewest that can show it, if all are right
    while size <= len(ranked) and tail(int(hits[size - 1]), size, precision) <= LEVEL:
        found = float(ranked[size - 1])
        size = math.ceil(size * WIDER)
    return found


def imagined(scores: Vector, labels: Vector, asked: Vector, precision: float) -> Share:
    """What the policy would have approved, each by the threshold known before it, and what the owner did.

    asked: where a filter wanted a person to look, so that the policy would not have decided.
    """
    would = np.zeros(len(scores), dtype=bool)
    for begin in range(SETTLED, len(scores), PAUSE):
        block = slice(begin, begin + PAUSE)
        limit = threshold(scores[:begin], labels[:begin], precision)
        would[block] = (scores[block] >= limit) & (asked[block] == 0)
    return Share(int(labels[would].sum()), int(would.sum()))
