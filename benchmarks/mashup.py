"""How many texts are mash-ups, by the way a model of two sources goes from one to the other.

    python -m benchmarks.mashup FIRST SECOND [--steps 2400] [--count 500] [--folder DIR] [--json]

FIRST and SECOND are lists of titles, one a line. Two models of the same size are trained for the same steps:
one reads which source a title is from (`source_tags`), the other, the control, does not. A text is a mash-up
if the filters mash_up (words of both sources, in balance, counted in the two files), real_words (80 %) and
not_in_training let it pass. The floor: how many real titles that no model saw mash_up lets pass. Words are
real that stand in the files. With --folder the models are kept there, and a second run only samples.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import regex

from bot import Candidate
from bot.config import Choice, load
from bot.curation.chain import Chain, Context
from bot.curation.taste.measures import Share
from bot.house import House
from bot.pipeline import train
from bot.records import Sampling, Sources
from bot.text.corpus import split

SETTINGS = """
    corpus: {mix: {sources: {first: {lines: {path: first.txt}}, second: {lines: {path: second.txt}}}}}
    cell: gru
    hidden_size: 320
    embedding_size: 100
    training:
      max_steps: STEPS
      max_minutes: null
      batch_size: 64
      sequence_length: 160
      learning_rate: 0.004
      dropout: 0.1
      weight_dropout: 0.1
      schedule: cosine
      validation_share: 0.1
      patience: 0
      evaluate_every: 400
"""
MODELS = f"models:\n  tagged:\n    source_tags: true{SETTINGS}  plain:{SETTINGS}"
BOTH = "first", "second"
WAYS: dict[str, tuple[str, Sources | None]] = {
    "plain model": ("plain", None),
    "no tag": ("tagged", None),
    "first alone": ("tagged", Sources(("first",))),
    "second alone": ("tagged", Sources(("second",))),
    "blend": ("tagged", Sources(BOTH, blend=True)),
    "half, 20 characters": ("tagged", Sources(BOTH, half=20)),
    "switch 0.3": ("tagged", Sources(BOTH, 0.3)),
    "switch 0.6": ("tagged", Sources(BOTH, 0.6)),
    "every word": ("tagged", Sources(BOTH, 1.0)),
}
FILTERS = (
    Choice("mash_up", {"first_path": "first.txt", "second_path": "second.txt"}),
    Choice("real_words", {"min": 0.8}),
    Choice("not_in_training"),
)
WORD = regex.compile(r"[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*")


def prepared(first: Path, second: Path, folder: Path, steps: int) -> House:
    """Both models, trained where they are not yet."""
    shutil.copy(first, folder / "first.txt"), shutil.copy(second, folder / "second.txt")
    (folder / "config.yaml").write_text(MODELS.replace("STEPS", str(steps)))
    house = House(load(folder / "config.yaml"))
    for name in ("tagged", "plain"):
        before = time.process_time()
        train(house, name, lambda progress: None)
        print(f"{name}: trained in {time.process_time() - before:,.0f} s of CPU", flush=True)
    return house


def words(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


class Referee:
    """What the filters say, and how many words are words."""

    def __init__(self, house: House, model: str):
        place = house.checkpoint(model)
        context = Context(house.training_set(model, place), (), partial(house.profile, model, place))
        self._chain, self._context = Chain(house.made_filters(FILTERS), context), context
        files = (house.config.folder / name for name in ("first.txt", "second.txt"))
        self._known = {word for file in files for word in words(file.read_text(encoding="utf-8"))}

    def judged(self, candidates: Sequence[Candidate]) -> dict[str, Any]:
        verdicts = [self._chain.opinions(one) for one in candidates]
        passed = [all(it.outcome == "accept" for it in one[: len(FILTERS)]) for one in verdicts]
        both = [one[0].outcome == "accept" for one in verdicts]
        spoken = [word for one in candidates for word in words(one.text)]
        return {
            "rate": Share(sum(passed), len(passed)),
            "both": Share(sum(both), len(both)),
            "real_words": sum(word in self._known for word in spoken) / max(1, len(spoken)),
        }


def held_out(house: House) -> list[Candidate]:
    training = house.model("tagged").training
    _, real = split(house.corpus("tagged").documents, training.validation_share, training.seed)
    return [Candidate(it.text, it.text, "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", "") for it in real]


def measure(house: House, count: int, temperature: float, seed: int) -> dict[str, Any]:
    referees = {name: Referee(house, name) for name in ("tagged", "plain")}
    floor = referees["tagged"].judged(held_out(house))
    rows: dict[str, Any] = {"real titles": {**floor, "examples": []}}
    samplers = {name: house.sampler(name) for name in referees}
    for way, (model, sources) in WAYS.items():
        sampling = Sampling((temperature, temperature), 160, sources=sources)
        candidates = samplers[model].sample(sampling, seed, range(count))
        rows[way] = referees[model].judged(candidates) | {"examples": [one.text for one in candidates[:5]]}
    return rows


def show(rows: dict[str, Any]) -> None:
    floor = rows["real titles"]["both"].value
    print(f"{'way':22}{'mash-ups':>9}  {'95 % interval':16}{'over floor':>11}{'real words':>12}")
    for way, row in rows.items():
        told = row["both"] if way == "real titles" else row["rate"]
        low, high = told.interval
        over = "" if way == "real titles" else f"{told.value - floor:+.3f}"
        print(f"{way:22}{told.value:9.3f}  {low:.3f} to {high:.3f}  {over:>11}{row['real_words']:12.3f}")
    for way, row in rows.items():
        print("".join(f"\n  {text}" for text in (f"{way}:", *row["examples"])) if row["examples"] else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("first", type=Path, metavar="FIRST")
    parser.add_argument("second", type=Path, metavar="SECOND")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the models are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        house = prepared(chosen.first, chosen.second, folder, chosen.steps)
        rows = measure(house, chosen.count, chosen.temperature, chosen.seed)
    print(json.dumps(rows, default=lambda share: share.value)) if chosen.json else show(rows)


if __name__ == "__main__":
    main()
