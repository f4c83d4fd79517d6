"""How many sampled tunes are valid, with the constraint full_bars and, as its control, without it.

    python -m benchmarks.tunes MODEL [--config config.yaml] [--count 500] [--temperature 1.0] [--json]

MODEL has learned tunes in ABC notation with the tokenizer abc. By our own checker: bars that last as long as
the metre says, tunes without any fault. By another's, where it is installed: tunes of which abc2midi says no
warning and no error. The corpus's own tunes stand beside, and the renderer `score` is given every text.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from bot import BotError
from bot.config import Choice, load
from bot.house import House
from bot.notation.shares import shares
from bot.records import Rule, Sampling


def measure(texts: Sequence[str], render: Any) -> dict[str, Any]:
    found = shares(texts)
    return {
        "tunes": found.tunes,
        "bars_right": found.bars_right,
        "valid": found.valid / found.tunes,
        "abc2midi_clean": None if found.clean is None else found.clean / found.tunes,
        "foreign": found.foreign,
        "accidentals": found.accidentals,
        "pentatonic": found.pentatonic,
        "drawn": fmean(_is_drawn(text, render) for text in texts),
    }


def _is_drawn(text: str, render: Any) -> bool:
    """What cannot be drawn is told in words; anything else raised here is a crash."""
    try:
        return bool(render(text))
    except BotError:
        return False


def rows(house: House, model: str, count: int, temperature: float, seed: int) -> dict[str, Any]:
    render = house.registry.build("renderers", Choice("score", {"gives": ["svg"]}))
    sampler = house.sampler(model)
    real = [one.text for one in house.corpus(model).documents]
    found = {"the corpus": measure(real[: min(count, len(real))], render)}
    for name, rules in (("unconstrained", ()), ("full_bars", (Rule("full_bars"),))):
        sampling = Sampling((temperature, temperature), 600, constraints=rules)
        before = time.process_time()
        texts = [one.text for one in sampler.sample(sampling, seed, range(count))]
        seconds = time.process_time() - before
        found[name] = measure(texts, render) | {"cpu_seconds": round(seconds, 1), "example": texts[0]}
    return found


def show(found: dict[str, Any]) -> None:
    names = [name for name in found["the corpus"] if name != "tunes"]
    print(f"{'':16}{'tunes':>7}" + "".join(f"{name:>16}" for name in names) + f"{'CPU s':>8}")
    for way, row in found.items():
        cells = "".join("               -" if row[it] is None else f"{row[it]:16.1%}" for it in names)
        print(f"{way:16}{row['tunes']:7}{cells}{row.get('cpu_seconds', ''):>8}")
    print(f"\n{found['full_bars']['example']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = parser.parse_args()
    house = House(load(chosen.config))
    found = rows(house, chosen.model, chosen.count, chosen.temperature, chosen.seed)
    print(json.dumps(found)) if chosen.json else show(found)


if __name__ == "__main__":
    main()
