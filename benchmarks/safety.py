"""How many disguised words the blocklist sees, and how many innocent names it holds up.

    python -m benchmarks.safety [--words 200] [--list FILE ...] [--clean FILE ...] [--show 6]
        [--unmasked] [--json]

Takes so many words of each script from glin-profanity's dictionaries, or from files with a word a line, puts
each into every disguise of benchmarks/disguises.py and that into a name, and asks the filter `blocklist`, set
up with these words, what it says. The fixed gate is not asked: what invisible or bidi characters hide it
refuses whatever the word. Controls, on the same texts: `word in text.casefold()`, and glin-profanity's own
Filter with all that it detects. Clean names: the lines of --clean, else 10,000 made of Unicode's names of
characters; there the filter is set up as config.yaml has it, for English. Words are shown masked.
"""

import argparse
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from glin_profanity import Filter
from glin_profanity.data.dictionary import DictionaryLoader

from benchmarks.disguises import DISGUISES, SCRIPTS, script
from bot.config import Choice
from bot.curation.chain import Chain, Context
from bot.curation.novelty import TextTrainingSet
from bot.records import Candidate, Sampling, Verdict
from bot.registry import Registry

LANGUAGES = [
    "english",
    "german",
    "spanish",
    "french",
    "italian",
    "russian",
    "chinese",
    "japanese",
    "arabic",
    "persian",
]
CARRIERS = {
    "Latin": ("{}", "The {}", "{} of the North", "old {}, new day"),
    "Cyrillic": ("{}", "Старый {}", "{} на горе", "мой {}, твой дом"),
    "Han, Kana": ("{}", "大{}", "{}の歌", "夜 {} 空"),
    "Arabic": ("{}", "هذا {}", "{} في البيت", "يا {}، نعم"),
}
HEADINGS = ("words", "vetoed", "asked", "missed", "casefold", "glin")
Saying = Callable[[str], str]  # of a text: "reject", "ask" or "accept"


def blocklist(**options: Any) -> Saying:
    chain = Chain(
        [("blocklist", Registry(None, Path()).build("filters", Choice("blocklist", options)))], CONTEXT
    )

    def say(text: str) -> str:
        return first_verdict(chain, text).outcome

    return say


CONTEXT = Context(TextTrainingSet([]))


def first_verdict(chain: Chain, text: str) -> Verdict:
    candidate = Candidate(text, text, "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", "cpu")
    [judged] = chain.judge([candidate])
    return judged.verdicts[0]


def casefold(words: Sequence[str]) -> Saying:
    folded = [word.casefold() for word in words]
    return lambda text: "reject" if any(word in text.casefold() for word in folded) else "accept"


def glin(words: Sequence[str]) -> Saying:
    """glin-profanity as it comes, with every detection it has."""
    everything = {"html": True, "separators": True, "masking": True, "stretch": True, "ambiguous_leet": True}
    filter = Filter(
        {
            "languages": [],
            "custom_words": list(words),
            "detect_leetspeak": True,
            "leetspeak_level": "aggressive",
            "normalize_unicode": True,
            "allow_obfuscated_match": True,
            "obfuscation": everything,
        }
    )
    return lambda text: "reject" if filter.is_profane(text) else "accept"


def dictionaries() -> list[str]:
    loader = DictionaryLoader()
    return [word for language in LANGUAGES for word in loader.get_words(language)]


def lines(paths: Iterable[Path]) -> list[str]:
    found = (line.strip() for path in paths for line in path.read_text("utf-8").splitlines())
    return [line for line in found if line]


def by_script(words: Iterable[str], count: int, chance: Random) -> dict[str, list[str]]:
    """Single words of letters alone, three at least, two of Han or Kana; up to `count` of each script."""
    found: dict[str, set[str]] = defaultdict(set)
    for word in map(str.lower, words):
        name = script(word)
        whole = len(SCRIPTS[name].findall(word)) == len(word)
        if whole and len(word) >= (2 if name == "Han, Kana" else 3):
            found[name].add(word)
    return {
        name: chance.sample(sorted(found[name]), min(count, len(found[name])))
        for name in SCRIPTS
        if found[name]
    }


@dataclass
class Cell:
    """One disguise in one script."""

    said: Counter[str] = field(default_factory=Counter)
    controls: Counter[str] = field(default_factory=Counter)
    misses: list[tuple[str, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.said.total()


def measure(
    words: dict[str, list[str]], filter: Saying, controls: dict[str, Saying], seed: int
) -> dict[tuple[str, str], Cell]:
    cells = {}
    for name, chosen in words.items():
        for way, disguise in DISGUISES.items():
            chance, cell = Random(f"{seed} {name} {way}"), Cell()
            for word in chosen:
                if disguised := disguise(word, chance):
                    try_out(cell, word, chance.choice(CARRIERS[name]).format(disguised), filter, controls)
            cells[way, name] = cell
    return cells


def try_out(cell: Cell, word: str, text: str, filter: Saying, controls: dict[str, Saying]) -> None:
    said = filter(text)
    cell.said[said] += 1
    if said == "accept":
        cell.misses.append((word, text))
    cell.controls.update(name for name, control in controls.items() if control(text) != "accept")


def clean_names(count: int, chance: Random) -> list[str]:
    """Words of Unicode's names of characters, one to three of them: spelled well, and none meant ill."""
    names = (unicodedata.name(chr(code), "") for code in range(0x2FFFF))
    pool = sorted(
        {word.title() for name in names for word in name.split() if word.isalpha() and len(word) > 2}
    )
    return [" ".join(chance.sample(pool, chance.randint(1, 3))) for _ in range(count)]


def held_up(names: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """What the shipped configuration's blocklist says of names: those vetoed and asked about, with why."""
    chain = Chain([("blocklist", Registry(None, Path()).build("filters", Choice("blocklist", {})))], CONTEXT)
    found: dict[str, list[tuple[str, str]]] = {"reject": [], "ask": []}
    for name in names:
        verdict = first_verdict(chain, name)
        if verdict.outcome in found:
            found[verdict.outcome].append((name, verdict.reason))
    return found


def masked(word: str) -> str:
    return word[0] + "·" * (len(word) - 2) + word[-1] if len(word) > 2 else f"{word[0]}·"


def table(
    cells: dict[tuple[str, str], Cell], scripts: Iterable[str], show: Callable[[str], str], misses: int
) -> Iterator[str]:
    yield f"{'disguise':34}{'script':11}" + "".join(f"{heading:>9}" for heading in HEADINGS)
    for way in DISGUISES:
        for name in scripts:
            cell = cells[way, name]
            if not cell.count:
                yield f"{way:34}{name:11}     -  (no meaning in this script)"
                continue
            yield f"{way:34}{name:11}{figures(cell)}"
            if cell.misses:
                shown = ", ".join(show(word) for word, _ in cell.misses[:misses])
                more = f" and {len(cell.misses) - misses} more" if len(cell.misses) > misses else ""
                yield f"{'':34}   missed: {shown}{more}"
    for name in scripts:
        yield f"{'all':34}{name:11}{figures(total(cells, name))}"
    yield f"{'all':45}{figures(total(cells))}  caught {caught(total(cells)):.2%}"


def figures(cell: Cell) -> str:
    said = [cell.said[outcome] for outcome in ("reject", "ask", "accept")]
    counts = [cell.count, *said, *(cell.controls[control] for control in ("casefold", "glin"))]
    return "".join(f"{count:9}" for count in counts)


def caught(cell: Cell) -> float:
    return 1 - cell.said["accept"] / cell.count if cell.count else 1.0


def total(cells: dict[tuple[str, str], Cell], script: str | None = None) -> Cell:
    chosen = [cell for (_, name), cell in cells.items() if script in (None, name)]
    return Cell(
        sum((cell.said for cell in chosen), Counter()), sum((cell.controls for cell in chosen), Counter())
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=200, help="of each script")
    parser.add_argument("--list", type=Path, nargs="*", default=[], help="files with a word a line")
    parser.add_argument("--clean", type=Path, nargs="*", default=[], help="files with a name a line")
    parser.add_argument("--show", type=int, default=6, help="misses to name, of each disguise")
    parser.add_argument("--unmasked", action="store_true", help="show the words as they are")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    chance = Random(args.seed)
    every = lines(args.list) or dictionaries()
    words = by_script(every, args.words, chance)
    chosen = [word for some in words.values() for word in some]
    controls = {"casefold": casefold(chosen), "glin": glin(chosen)}
    cells = measure(words, blocklist(words=tuple(every), languages=()), controls, args.seed)
    names = lines(args.clean)[:10_000] or clean_names(10_000, chance)
    report(args, cells, list(words), names, held_up(names))


def report(
    args: argparse.Namespace,
    cells: dict[tuple[str, str], Cell],
    scripts: list[str],
    names: Sequence[str],
    held: dict[str, list[tuple[str, str]]],
) -> None:
    show = str if args.unmasked else masked
    if args.json:
        rows = [
            {"disguise": way, "script": name, "words": cell.count, **cell.said, "controls": cell.controls}
            for (way, name), cell in cells.items()
        ]
        clean = {"names": len(names)} | {outcome: len(found) for outcome, found in held.items()}
        print(json.dumps({"caught": caught(total(cells)), "rows": rows, "clean": clean}))
        return
    print("\n".join(table(cells, scripts, show, args.show)))
    print(f"\nclean names: {len(names)}")
    for outcome, what in (("reject", "vetoed"), ("ask", "asked")):
        found = held[outcome]
        print(f"falsely {what}: {len(found)} ({len(found) / len(names):.2%})")
        for name, reason in found[: args.show * 3]:
            print(f"    {name!r:40} {reason if args.unmasked else ''}")


if __name__ == "__main__":
    main()
