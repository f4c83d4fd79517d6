"""How much memory training takes, by size, beside nn.LSTM of the same size; and whether it grows.

    python -m benchmarks.memory [--sizes 128 512 1024] [--cells lstm gru] [--rounds 3] [--json]
    python -m benchmarks.memory --growth 10000 [--leak 4096] [--json]

Each figure is of a process of its own. Peaks: two layers, B 64, T 100, AdamW, 3 updates, an evaluation and a
saved state; the most that the process ever held (VmHWM), median of the rounds, and what of it is not torch
itself. Ours computes a batch in one part or, as is usual, in two, a thread each. The control is a plain loop
around nn.LSTM. Growth: the slope of a straight line through the memory held after each step of a training,
evaluations and saved states among them, without its first fifth; --leak keeps so many bytes a step, to show
that they are seen. Linux only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bot.records import Progress

MB = 1 << 20
VOCABULARY, EMBEDDING, LAYERS, ROWS, STEPS, UPDATES = 100, 64, 2, 64, 100, 3
CONTROL = "nn.LSTM"
SETTLING = 0.2  # share of the steps in which memory still finds its size


def child(*words: object) -> dict[str, Any]:
    """What a process of its own found."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", *map(str, words)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def peaks(sizes: Sequence[int], cells: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    """Bytes by size and way, interleaved round by round; `control` is what nn.LSTM takes beyond torch."""
    ways = [(CONTROL, 0), *((cell, parts) for cell in cells for parts in (1, 2))]
    places = [(size, *way) for size in sizes for way in ways]
    found = [[child(way, size, parts) for size, way, parts in places] for _ in range(rounds)]
    rows = []
    for (size, way, parts), measured in zip(places, zip(*found, strict=True), strict=True):
        peak, torch = (median(row[name] for row in measured) for name in ("peak", "torch"))
        rows.append({"hidden_size": size, "way": way, "parts": parts, "peak": peak, "torch": torch})
    controls = {row["hidden_size"]: row["peak"] - row["torch"] for row in rows if row["way"] == CONTROL}
    return [row | {"control": controls[row["hidden_size"]]} for row in rows]


def growth(updates: int, leak: int = 0) -> dict[str, float]:
    """Bytes a step, and bytes held at first and last, of so many steps."""
    held = np.array(child("growth", updates, leak)["held"], float)
    kept = np.arange(len(held)) >= SETTLING * len(held)
    slope, _ = np.polyfit(np.flatnonzero(kept), held[kept], 1)
    return {"steps": updates, "bytes_a_step": slope, "first": held[kept][0], "last": held[-1]}


# in the child


def held(what: str) -> int:
    """VmRSS or VmHWM, bytes. ru_maxrss would count the parent that was forked."""
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith(f"{what}:")]
    return 1024 * int(line.split()[1])


def measure(what: str, *words: str) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the first optimizer loads a good deal more of torch
    if what == "growth":
        return {"held": grow(*map(int, words))}
    before = held("VmRSS")
    control(int(words[0])) if what == CONTROL else ours(what, *map(int, words))
    return {"torch": before, "peak": held("VmHWM")}


def ours(cell: str, hidden_size: int, parts: int) -> None:
    import torch

    rows = torch.randint(3, VOCABULARY, (2, ROWS * STEPS * UPDATES // 2)).tolist()
    run(cell, hidden_size, LAYERS, rows, lambda progress: None, max_steps=UPDATES, evaluate_every=UPDATES,
        batch_size=ROWS, sequence_length=STEPS, shards=parts)  # fmt: skip


def grow(updates: int, leak: int) -> list[int]:
    """Bytes held after every step; items of all lengths, so that every batch has a size of its own."""
    random, kept, seen = np.random.default_rng(1), [], np.full(updates, -1)
    rows = [random.integers(3, VOCABULARY, length).tolist() for length in random.integers(1, 32, 2000)]

    def look(progress: Progress) -> None:
        kept.append(bytes(leak))
        seen[progress.step - 1] = held("VmRSS")

    run("lstm", 64, 1, rows, look, max_steps=updates, evaluate_every=max(1, updates // 20), batch_size=16,
        sequence_length=32, patience=0)  # fmt: skip
    return [int(now) for now in seen]


def run(cell: str, hidden_size: int, layers: int, rows: list[list[int]], look: Any, **settings: Any) -> None:
    """A training of ours, as `bot train` makes one."""
    from bot.config.settings import Choice, Training
    from bot.model.language_model import build
    from bot.model.training import train
    from bot.model.weights import pack
    from bot.registry import Registry

    registry = Registry(None, Path())
    model = build(
        lambda i, h: registry.build("cells", Choice(cell, {}), input_size=i, hidden_size=h),
        vocabulary_size=VOCABULARY,
        embedding_size=EMBEDDING,
        hidden_size=hidden_size,
        num_layers=layers,
    )
    with tempfile.TemporaryDirectory() as folder:
        train(
            model,
            rows,
            rows[:1],
            Training(max_minutes=None, **settings),
            save=lambda model, _: pack(model),
            progress=look,
            state_file=Path(folder) / "run",
        )


def control(hidden_size: int) -> None:
    """The same updates with torch's own module."""
    import torch
    from torch import nn

    embedding, head = nn.Embedding(VOCABULARY, EMBEDDING), nn.Linear(hidden_size, VOCABULARY)
    lstm = nn.LSTM(EMBEDDING, hidden_size, LAYERS)
    parameters = [*embedding.parameters(), *lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, fused=True)
    for _ in range(UPDATES):
        ids = torch.randint(VOCABULARY, (STEPS + 1, ROWS))
        logits = head(lstm(embedding(ids[:-1]))[0])
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits.flatten(0, 1), ids[1:].flatten()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()


# what is printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 512, 1024])
    parser.add_argument("--cells", nargs="+", default=["lstm", "gru", "mi_lstm"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=int, metavar="STEPS", help="look whether it grows in so many steps")
    parser.add_argument("--leak", type=int, default=0, metavar="BYTES", help="keep so many a step")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(measure(*chosen.child)))
    elif chosen.growth:
        show_growth(growth(chosen.growth, chosen.leak), chosen.json)
    else:
        show_peaks(peaks(chosen.sizes, chosen.cells, chosen.rounds), chosen.json)


def show_growth(found: dict[str, float], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found))
        return
    print(f"{found['steps']:,} steps: {found['bytes_a_step']:+,.0f} bytes a step;", end=" ")
    print(f"{found['first'] / MB:,.1f} MB after the first fifth, {found['last'] / MB:,.1f} MB at the end")


def show_peaks(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"layers": LAYERS, "rows": ROWS, "steps": STEPS, "peaks": rows}))
        return
    print(f"{LAYERS} layers, B {ROWS}, T {STEPS}, AdamW: MB at most; without torch itself; beside {CONTROL}")
    for row in rows:
        way = f"{row['way']} in {row['parts']}" if row["parts"] else row["way"]
        own = row["peak"] - row["torch"]
        print(f"  H {row['hidden_size']:<5} {way:14}", end="")
        print(f"{row['peak'] / MB:8,.0f} {own / MB:8,.0f}   x{own / row['control']:.2f}")


if __name__ == "__main__":
    main()
