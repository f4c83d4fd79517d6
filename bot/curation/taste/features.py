"""What a taste is learned from: eight numbers of a draft, and the n-grams of its characters, hashed.

It knows no decision. What is unknown of a draft is not a number (nan), and counts as average later on.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.curation.keys import FACTOR, mix
from bot.curation.normal import normal_form
from bot.records import Draft, Evidence

Matrix = NDArray[np.float64]
Rows = NDArray[np.float32]
Hashes = NDArray[np.uint64]

NUMBERS = (
    "length",
    "words",
    "surprise",
    "distance of the surprise from 1",
    "alliteration",
    "a filter's question",
    "distance to the corpus",
    "share copied from it",
)
BUCKETS = 4096
LONGEST = 4  # characters of an n-gram
KEPT = 40  # bits of a hash: above them there is room for a text's number


def numbers(drafts: Sequence[Draft]) -> Matrix:
    """(drafts, NUMBERS), in their own units; nan is unknown."""
    return np.array([_numbers(draft) for draft in drafts], dtype=float).reshape(len(drafts), len(NUMBERS))


def _numbers(draft: Draft) -> tuple[float, ...]:
    words = draft.text.split()
    edited = draft.text != draft.candidate.text
    surprise = np.nan if edited else draft.candidate.surprise  # the model has not read the edit
    return (
        np.log1p(len(draft.text)),
        np.log1p(len(words)),
        surprise,
        abs(surprise - 1),
        _alliteration(words),
        float(any(verdict.outcome == "ask" for verdict in draft.verdicts)),
        *_novelty(draft.evidence),
    )


def _novelty(evidence: Evidence | None) -> tuple[float, float]:
    """Edits to the nearest training item over the characters, and the longest copied stretch as a share."""
    if evidence is None:
        return np.nan, np.nan
    away = np.nan if evidence.distance is None else evidence.distance / max(1, evidence.characters)
    return away, evidence.verbatim_share


def _alliteration(words: Sequence[str]) -> float:
    """The share of neighbouring words that begin with the same letter."""
    initials = [word[0].casefold() for word in words]
    same = sum(left == right for left, right in pairwise(initials))
    return same / max(1, len(initials) - 1)


def grams(texts: Sequence[str]) -> Rows:
    """(texts, BUCKETS): which n-grams of 1 to LONGEST characters a text has, each row of length 1.

    Each n-gram adds +1 or -1 to one bucket, by its hash, so that what shares a bucket cancels out in the mean
    (Weinberger et al. 2009, arXiv 0902.2206). A blank stands before and behind every word.
    """
    owners, hashes = _all_hashes(texts)
    bucket, sign = placed(hashes)
    summed = np.bincount(owners * BUCKETS + bucket, sign, len(texts) * BUCKETS)
    rows = summed.astype(np.float32).reshape(len(texts), BUCKETS)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return rows


def padded(text: str) -> str:
    return f" {' '.join(normal_form(text).split())} "


def cut(text: str) -> set[str]:
    """The n-grams of a text as they read."""
    form = padded(text)
    found = {form[i : i + n] for n in range(1, LONGEST + 1) for i in range(len(form) - n + 1)}
    return found - {" "}


def hash_of(gram: str) -> Hashes:
    """(1,): of one n-gram."""
    return _rolled(_codes(gram), len(gram))


def placed(hashes: Hashes) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The bucket and the sign of each."""
    sign = np.where(hashes >> np.uint64(KEPT - 1), 1.0, -1.0)
    return (hashes % np.uint64(BUCKETS)).astype(np.intp), sign


def _all_hashes(texts: Sequence[str]) -> tuple[NDArray[np.intp], Hashes]:
    """Which text, and the hash: each n-gram of a text once."""
    forms = [padded(text) for text in texts]
    owner = np.repeat(np.arange(len(forms), dtype=np.uint64), [len(form) for form in forms])
    codes = _codes("".join(forms))
    found = []
    for n in range(1, LONGEST + 1):
        inside = owner[: len(owner) - n + 1] == owner[n - 1 :]
        if n == 1:
            inside &= codes != ord(" ")
        found.append(owner[: len(inside)][inside] << np.uint64(KEPT) | _rolled(codes, n)[inside])
    keys = np.unique(np.concatenate(found))
    return (keys >> np.uint64(KEPT)).astype(np.intp), keys & np.uint64((1 << KEPT) - 1)


def _codes(form: str) -> Hashes:
    return np.frombuffer(form.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)


def _rolled(codes: Hashes, n: int) -> Hashes:
    """KEPT bits for each n characters in a row; FACTOR tells the same characters in another order apart."""
    count = max(0, len(codes) - n + 1)
    summed = np.full(count, n, dtype=np.uint64)
    for place in range(n):
        summed += codes[place : place + count] * FACTOR[place]
    return mix(summed) >> np.uint64(64 - KEPT)
