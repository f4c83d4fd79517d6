"""The model host on one core: bots that ask together beside the same bots one after the other, and how long a
first sample takes, of a warm host and of a cold process.

    python -m benchmarks.host [--rounds 5] [--json]

The shipped model, its bot's filters and the fixed gate. Samples are counted a CPU second, in this process and
interleaved round by round; first samples are timed by the clock on the wall, each beside its control.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.pairs import interleaved, parser, rows, show
from bot.config import load, shipped
from bot.host import ModelHost, Order, make_order, open_host
from bot.house import House

APART, TOGETHER = "one after the other", "together"
SHAPES = ((2, 8), (2, 32), (2, 256), (20, 8))  # bots, texts for each
SAMPLE = ["-m", "bot", "sample", "death_metal", "-n", "1"]
FIRST = "bot sample -n 1, nothing compiled yet"
COLD = {"python -c 'import torch'": ["-c", "import torch"], "bot sample -n 1": SAMPLE, FIRST: SAMPLE}


def orders(house: House, bots: int, count: int) -> list[Order]:
    """What so many bots of one model ask for, each with a seed of its own."""
    order = make_order(house, "metal", count)
    return [replace(order, seed=seed) for seed in range(bots)]


def answered(host: ModelHost, groups: Sequence[Sequence[Order]]) -> int:
    """How many texts came of these questions."""
    pieces = [piece for group in groups for piece in host(group)]
    return sum(len(piece) for piece in pieces if isinstance(piece, list))


def together(house: House, rounds: int) -> dict[tuple[int, int], dict[str, list[float]]]:
    """Texts a CPU second, by how many bots ask for how many texts each."""
    host, found = ModelHost(house.config), {}
    for shape in SHAPES:
        asked = orders(house, *shape)
        ways = {
            APART: partial(answered, host, [[order] for order in asked]),
            TOGETHER: partial(answered, host, [asked]),
        }
        found[shape] = interleaved(ways, rounds)
    return found


def warm(house: House, rounds: int) -> dict[str, list[float]]:
    """Milliseconds for one text of a host that has sampled before: sampled, judged and brought over."""
    [order] = orders(house, 1, 1)
    sampler = house.sampler(order.model, order.parts[0].checkpoint)
    with open_host(house.config) as host:
        ways = {
            "warm host, its decode alone": lambda: sampler.sample(order.parts[0].sampling, order.seed, [0]),
            "warm host, first sample": lambda: list(host.ask_all([order])),
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(4 * rounds + 1):
            for name, way in ways.items():
                before = time.perf_counter()
                way()
                if number:  # the first loads
                    found[name].append(1000 * (time.perf_counter() - before))
    return found


def cold(rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds of whole processes, on the wall and of CPU. One compiles its kernels too."""
    wall, spent = ({name: list[float]() for name in COLD} for _ in range(2))
    for _ in range(rounds):
        for name, arguments in COLD.items():
            with TemporaryDirectory() as empty:
                cache = {"XDG_CACHE_HOME": empty} if name == FIRST else {}
                before, cpu = time.perf_counter(), _children_seconds()
                _run([sys.executable, *arguments], cache)
                wall[name].append(1000 * (time.perf_counter() - before))
                spent[name].append(1000 * (_children_seconds() - cpu))
    return wall, spent


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(command: list[str], more: dict[str, str]) -> None:
    env = os.environ | {"OMP_NUM_THREADS": "1", "BOT_CONFIG": str(shipped() / "config.yaml")} | more
    subprocess.run(command, env=env, check=True, capture_output=True)


def main() -> None:
    chosen = parser(__doc__).parse_args()
    house = House(load(shipped() / "config.yaml"))
    rates = together(house, chosen.rounds)
    warm_wall = warm(house, chosen.rounds)
    cold_wall, cold_cpu = cold(chosen.rounds)
    wall = {name: median(times) for name, times in (warm_wall | cold_wall).items()}
    cpu = {name: median(times) for name, times in cold_cpu.items()}
    tables = {
        f"{bots} bots, {count} texts each": rows(found, APART) for (bots, count), found in rates.items()
    }
    if chosen.json:
        shapes = {title: [asdict(row) for row in table] for title, table in tables.items()}
        print(json.dumps({"texts_a_cpu_second": shapes, "wall_ms": wall, "cpu_ms": cpu}))
        return
    for title, table in tables.items():
        show(title, table, "texts/CPU-s", as_json=False)
    for name, milliseconds in wall.items():
        print(f"{name:44}{milliseconds:8,.0f} ms" + (f"{cpu[name]:8,.0f} ms of CPU" if name in cpu else ""))


if __name__ == "__main__":
    main()
