"""The whole chain: 10,000 candidates against a corpus of a million lines, all filters on.

    python -m benchmarks.chain [--candidates 10000] [--lines 1000000] [--text] [--control 20] [--json]

Corpus and candidates are made up of syllables by a seed, lines of one to four words. Of the candidates a
tenth are items, a tenth are one edit from one, a tenth are letters at random; the rest are new lines of the
same kind. The clock runs from an open index and profile to the judged candidates, evidence included; what
building and opening take is printed beside it. The index is of hashes; --text has the corpus at hand too, so
that evidence names items.

Control: the naive way to find one item within one edit, rapidfuzz over all lines, for --control candidates,
and what that makes for all. Seconds of the wall clock, and of CPU for the whole: on a busy machine the first
says little. A filter's own: the time it took in all.
"""

import argparse
import json
import random
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.config import Choice
from bot.curation import gate
from bot.curation.chain import Chain, Context
from bot.curation.normal import normal_form
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index
from bot.curation.profile import CorpusProfile
from bot.interfaces import Filter, FilterContext
from bot.records import Candidate, Judged, Sampling
from bot.registry import Registry

HELD_OUT = 2000  # lines
SYLLABLES = [a + b + c for a in "bdfgklmnprstvw" for b in "aeiou" for c in ("", "n", "r", "l", "s", "th")]
FILTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("length", {"min": 3, "max": 80}),
    ("not_in_training", {"edits": 1}),
    ("not_seen_before", {}),
    ("blocklist", {}),
    ("temperature_band", {"min": 0.5, "max": 1.5}),
    ("name_like", {"min": -4.0}),
    ("balanced", {}),
    ("real_words", {"min": 0.1}),
    ("language", {"languages": ["en"], "letters": 1000}),
)


def lines(count: int, seed: int) -> list[str]:
    """Distinct, of words drawn more or less often."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(60_000)]
    made: dict[str, None] = {}
    while len(made) < count:
        chosen = (words[int(len(words) * draw.random() ** 2)] for _ in range(draw.randint(1, 4)))
        made[" ".join(chosen).title()] = None
    return [*made]


def candidates(corpus: Sequence[str], count: int, seed: int) -> Iterator[Candidate]:
    draw, new = random.Random(seed), lines(count, seed)
    for index, fresh in enumerate(new):
        text = (draw.choice(corpus), _edited(draw.choice(corpus), draw), _noise(draw))[
            index % 10 : index % 10 + 1
        ]
        said = text[0] if text else fresh
        yield Candidate(said, said, "m/c", Sampling(), 1, index, 0.8, 2.0, 0.7 + draw.random(), "b", "cpu")


def _edited(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(string.ascii_lowercase) + text[at + draw.randint(0, 1) :]


def _noise(draw: random.Random) -> str:
    return "".join(draw.choices(string.ascii_lowercase + " ()", k=draw.randint(4, 24)))


class Timed:
    """A filter, and how long it took in all."""

    def __init__(self, filter: Filter):
        self._filter, self.seconds = filter, 0.0

    def __call__(self, candidate: Candidate, context: FilterContext) -> Candidate:
        before = time.perf_counter()
        try:
            return self._filter(candidate, context)
        finally:
            self.seconds += time.perf_counter() - before


def seconds(act: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> tuple[float, Any]:
    before = clock()
    made = act()
    return clock() - before, made


def measure(count: int, size: int, with_text: bool, control: int) -> dict[str, Any]:
    corpus = lines(size, 1)
    indexing, index = seconds(lambda: HashedTrainingSet(build_index(corpus)))
    profiling, profile = seconds(lambda: CorpusProfile.of(corpus[HELD_OUT:], corpus[:HELD_OUT]))
    opening, training_set = seconds(lambda: TextTrainingSet(corpus) if with_text else index)
    filters = {name: Timed(Registry(None, Path()).build("filters", Choice(name, o))) for name, o in FILTERS}
    given = list(candidates(corpus, count, 2))
    chain = Chain([*filters.items()], Context(training_set, (), lambda: profile))
    total, (cpu, judged) = seconds(lambda: seconds(lambda: chain.judge(given), time.process_time))
    kept = [one for one in judged if one.kept]
    return {
        "candidates": count,
        "lines": size,
        "characters": sum(map(len, corpus)),
        "text_at_hand": with_text,
        "seconds": round(total, 2),
        "cpu_seconds": round(cpu, 2),
        "filters": {name: round(timed.seconds, 2) for name, timed in filters.items()},
        "gate": round(_gate(kept, training_set), 2),
        "evidence": round(seconds(lambda: training_set.evidence([it.candidate.text for it in kept]))[0], 2),
        "dropped": dict(Counter(one.verdicts[-1].filter for one in judged if not one.kept)),
        "kept": len(kept),
        "building": {
            "index": round(indexing, 1),
            "profile": round(profiling, 1),
            "opening": round(opening, 1),
        },
        "control": _naive(corpus, given[:: max(1, count // max(1, control))][:control], count),
    }


def _gate(kept: Sequence[Judged], training_set: HashedTrainingSet | TextTrainingSet) -> float:
    """What it takes for the kept ones, asked once more."""
    return seconds(lambda: [gate.judge(one.candidate.text, training_set, ()) for one in kept])[0]


def _naive(corpus: Sequence[str], some: Sequence[Candidate], count: int) -> dict[str, float]:
    forms = list(map(normal_form, corpus))

    def look() -> None:
        for one in some:
            process.extractOne(
                normal_form(one.text), forms, scorer=Levenshtein.distance, score_cutoff=1, processor=None
            )

    took, _ = seconds(look)
    return {"candidates": len(some), "seconds": round(took, 2), "for_all": round(took / len(some) * count)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--text", action="store_true", help="with the corpus at hand, not its hashes alone")
    parser.add_argument("--control", type=int, default=20, metavar="N", help="candidates of the naive way")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    found = measure(chosen.candidates, chosen.lines, chosen.text, chosen.control)
    if chosen.json:
        print(json.dumps(found))
        return
    print(
        f"{found['candidates']:,} candidates, {found['lines']:,} lines of {found['characters']:,} characters:"
    )
    print(f"  {'the whole chain':20}{found['seconds']:8.2f} s   ({found['cpu_seconds']:.2f} s of CPU)")
    for name, took in found["filters"].items():
        print(f"    {name:18}{took:8.2f} s   {found['dropped'].get(name, 0):,} dropped")
    print(f"    {'gate':18}{found['gate']:8.2f} s\n    {'evidence':18}{found['evidence']:8.2f} s")
    print(f"    {'kept':18}{found['kept']:8,}")
    naive, cost = found["control"], f"{found['control']['for_all']:8,} s"
    print(f"  {'naive, one edit':20}{cost}   ({naive['seconds']} s for {naive['candidates']})")
    print("  before it:", ", ".join(f"{name} {took} s" for name, took in found["building"].items()))


if __name__ == "__main__":
    main()
