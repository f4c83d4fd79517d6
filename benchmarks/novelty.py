"""Is a text new: how many texts a second each question answers, and what it takes, as the corpus grows.

    python -m benchmarks.novelty [--lines 10000 1000000 10000000] [--texts 10000] [--json] [--figure FILE.svg]

The lines are names made of syllables from a seeded generator; half of the texts that are asked about are new
names, half are a line after none to four edits. Each size has a process of its own. Texts are counted a
second of CPU time, on one core; the controls stand beside: a Python set, rapidfuzz over all lines, and `in`
over one joined string. What the index answers is held against what they say, on some of the texts.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bot.config import Choice
from bot.curation.chain import Chain, Context
from bot.curation.index_store import IndexStore
from bot.curation.novelty import HashedTrainingSet, TextTrainingSet, build_index
from bot.curation.search import FAR
from bot.records import Candidate, Document, Sampling
from bot.registry import Registry

SIZES = (10_000, 1_000_000, 10_000_000)
CHECKED = 50  # texts that the slow controls answer
LONG = 40  # names joined to one long text
AT_ONCE = 100_000  # names drawn
ONSETS = [*"bcdfghjklmnprstvwz", "th", "kr", "gr", "st", "sk", "br", "dr", "bl"]
VOWELS = [*"aeiouy", "ae", "ou"]
CODAS = ["", "", "n", "r", "s", "th", "k", "l", "m", "x", "sh"]


def names(count: int, seed: int) -> Iterator[str]:
    """Two words of one to five of 400 syllables; few come twice."""
    every = [onset + vowel + coda for onset in ONSETS for vowel in VOWELS for coda in CODAS]
    syllables = random.Random(0).sample(every, 400)
    for at in range(0, count, AT_ONCE):
        yield from _names(min(AT_ONCE, count - at), np.random.default_rng([seed, at]), syllables)


def _names(count: int, chance: np.random.Generator, syllables: Sequence[str]) -> Iterator[str]:
    sizes = chance.choice([3, 4, 4, 5, 5, 6], count)
    cuts = (1 + chance.random(count) * (sizes - 1)).astype(int).tolist()
    chosen = chance.integers(len(syllables), size=(count, 6)).tolist()
    for size, cut, some in zip(sizes.tolist(), cuts, chosen, strict=True):
        parts = [syllables[i] for i in some[:size]]
        parts[cut - 1] += " "
        yield "".join(parts)


def asked(lines: int, count: int) -> list[str]:
    """Half new, half near a line."""
    chance = random.Random(2)
    chosen = set(chance.sample(range(lines), min(lines, count // 2)))
    near = [edited(name, chance) for at, name in enumerate(names(lines, 1)) if at in chosen]
    return [*near, *names(count - len(near), 3)]


def edited(name: str, chance: random.Random) -> str:
    """None to four edits."""
    letters = list(name)
    for _ in range(chance.randrange(5)):
        at, letter = chance.randrange(len(letters)), chr(97 + chance.randrange(26))
        match chance.randrange(3):
            case 0:
                letters[at] = letter
            case 1:
                letters.insert(at, letter)
            case 2 if len(letters) > 4:
                del letters[at]
    return "".join(letters)


def measure(lines: int, count: int) -> dict[str, Any]:
    """Everything about one size, in this process."""
    texts = asked(lines, count)
    found: dict[str, Any] = {"lines": lines, "texts": count}
    with tempfile.TemporaryDirectory() as folder:
        store = IndexStore(Path(folder, "kept"))
        seconds, index = timed(lambda: store.keep("0" * 64, (Document(name) for name in names(lines, 1))))
        found |= {"build_s": seconds, "build_peak_mib": peak(), "disk_mib": disk(Path(folder))}
        del index
        reset_peak()
        before, known = resident(), TextTrainingSet(store.open("0" * 64))
        found["texts_a_s"] = questions(known, texts)
        found |= {"resident_mib": resident()[0] - before[0], "own_mib": resident()[1] - before[1]}
        found["controls_a_s"] = controls(known, lines, texts)
    reset_peak()
    seconds, data = timed(lambda: build_index(names(lines, 1)))
    found |= {"hashed_build_s": seconds, "hashed_mib": len(data) / 2**20}
    hashed = HashedTrainingSet(data)
    found["texts_a_s"] |= {"hashes only: 1 edit, copied": rate(texts, lambda some: ask_hashes(hashed, some))}
    return found


def questions(known: TextTrainingSet, texts: Sequence[str]) -> dict[str, float]:
    """Texts a second, by what is asked of all of them at once."""
    asked_of = {"exact": 0, "within 1 edit": 1, "within 2 edits": 2, "within 3 edits": 3}
    found = {name: rate(texts, lambda some, k=k: nearest(known, some, k)) for name, k in asked_of.items()}
    found["longest stretch"] = rate(
        texts, lambda some: [known.longest(text) for text in expected(known, some)]
    )
    found["all evidence"] = rate(texts, known.evidence)
    found["chain: three filters, gate, evidence"] = rate(texts, lambda some: judged(known, some))
    long = [" ".join(texts[at : at + LONG]) for at in range(0, len(texts), LONG)]
    found[f"overlap of {2 * LONG} words"] = rate(long, lambda some: [known.overlap(text) for text in some])
    return found


def judged(known: TextTrainingSet, texts: Sequence[str]) -> None:
    """As a bot judges a batch, with every filter for novelty."""
    options = {"not_in_training": {"edits": 2}, "not_copied": {}, "not_seen_before": {"edits": 1}}
    registry = Registry(None, Path())
    filters = [(name, registry.build("filters", Choice(name, chosen))) for name, chosen in options.items()]
    candidates = [Candidate(text, text, "m/c", Sampling(), 1, 0, 0.8, 1.5, 1.0, "", "cpu") for text in texts]
    Chain(filters, Context(known)).judge(candidates)


def expected(known: TextTrainingSet, texts: Sequence[str]) -> Sequence[str]:
    known.expect(texts)
    return texts


def nearest(known: TextTrainingSet, texts: Sequence[str], edits: int) -> list[int | None]:
    """The distances."""
    matches = [known.nearest(text, edits) for text in expected(known, texts)]
    return [match and match.distance for match in matches]


def ask_hashes(hashed: HashedTrainingSet, texts: Sequence[str]) -> None:
    for text in texts:
        hashed.nearest(text, 1)
        hashed.copied(text)


def controls(known: TextTrainingSet, lines: int, texts: Sequence[str]) -> dict[str, float]:
    """Texts a second of the plain ways; what they say is held against what the index says."""
    chosen = random.Random(4).sample(texts, CHECKED)
    every = list(names(lines, 1))
    joined, found = "\n".join(every), {"exact: a set": in_a_set(known, every, texts)}
    seconds, distances = timed(lambda: [by_force(text, every) for text in chosen])
    found["nearest: rapidfuzz, all lines"] = CHECKED / seconds
    assert [k if k <= 3 else None for k in distances] == nearest(known, chosen, 3)
    seconds, sizes = timed(lambda: [longest(text, joined) for text in chosen[:5]])
    found["longest: `in`, one string"] = 5 / seconds
    assert sizes == [len(known.longest(text).text) for text in chosen[:5]]  # type: ignore[union-attr]
    pairs = zip(distances, known.evidence(chosen), strict=True)
    far = [(distance, evidence.distance) for distance, evidence in pairs if 3 < distance <= FAR]
    found["4 to 8 edits: texts"] = len(far)
    found["4 to 8 edits: nearest item missed"] = sum(near != distance for distance, near in far)
    return found


def in_a_set(known: TextTrainingSet, every: Sequence[str], texts: Sequence[str]) -> float:
    as_set = set(every)
    assert [text in as_set for text in texts] == [k == 0 for k in nearest(known, texts, 0)]
    return rate(texts, lambda some: [text in as_set for text in some])


def by_force(text: str, every: Sequence[str]) -> int:
    found = process.extractOne(text, every, scorer=Levenshtein.distance)
    assert found is not None
    return int(found[1])


def longest(text: str, joined: str) -> int:
    best = 0
    for start in range(len(text)):
        while start + best < len(text) and text[start : start + best + 1] in joined:
            best += 1
    return best


def rate(texts: Sequence[str], answer: Callable[[Sequence[str]], object]) -> float:
    """Texts a second of CPU time, the better of two goes: the first one has to read the pages."""
    return len(texts) / min(timed(lambda: answer(texts))[0] for _ in range(2))


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds, and what it gave."""
    before = time.process_time()
    made = act()
    return time.process_time() - before, made


def resident() -> tuple[float, float]:
    """MiB in memory, and those of them that are not mapped from files."""
    fields = dict(
        line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    all_of_it, own = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
    return all_of_it, own


def peak() -> float:
    """The most MiB since the last `reset_peak`."""
    fields = dict(
        line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    return int(fields["VmHWM"].split()[0]) / 1024


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def disk(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def show(found: Sequence[dict[str, Any]]) -> None:
    print(f"{'':44}" + "".join(f"{one['lines']:>14,} lines" for one in found))
    for key in (
        "build_s",
        "build_peak_mib",
        "disk_mib",
        "resident_mib",
        "own_mib",
        "hashed_build_s",
        "hashed_mib",
    ):
        print(f"{key:44}" + "".join(f"{one[key]:>20,.1f}" for one in found))
    for kind in ("texts_a_s", "controls_a_s"):
        for name in found[0][kind]:
            print(f"{name:44}" + "".join(f"{shown(one[kind][name]):>20}" for one in found))


def shown(value: Any) -> str:
    return (
        f"{value:,.1f}"
        if isinstance(value, float) and value < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


def draw(found: Sequence[dict[str, Any]], place: Path) -> None:
    """Texts a second against lines, each question a curve, the controls dashed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log", xlabel="lines", ylabel="texts a second of one core")
    lines = [one["lines"] for one in found]
    for kind, style in (("texts_a_s", "o-"), ("controls_a_s", "s--")):
        for name, value in found[0][kind].items():
            if isinstance(value, float):
                axes.plot(lines, [one[kind][name] for one in found], style, label=name)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", frameon=False)
    axes.grid(alpha=0.3)
    figure.savefig(place, metadata={"Date": None})


def apart(lines: int, texts: int) -> dict[str, Any]:
    """One size in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.novelty", "--one", str(lines), "--texts", str(texts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, nargs="+", default=SIZES)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one, chosen.texts)))
        return
    found = [apart(lines, chosen.texts) for lines in chosen.lines]
    if chosen.figure:
        draw(found, chosen.figure)
    if chosen.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()
