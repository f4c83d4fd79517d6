"""What the kills of tests/test_saving.py kill: processes that train, or save without end.

    python -m tests.saving resume FOLDER          kill at every step, each time resume; prints how each ended
    python -m tests.saving kill FOLDER COUNT      kill while saving; prints how often nothing could be loaded
    python -m tests.saving kill-naive FOLDER COUNT

All are forked off one process that has loaded torch and computes nothing: a fork takes no threads along.
"""

import hashlib
import json
import os
import random
import select
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any

import torch

from bot.errors import CheckpointError
from bot.model import checkpoint, training_state
from bot.model.language_model import LanguageModel, build
from bot.model.training import train
from bot.model.training_state import Position
from bot.model.weights import load_model, pack
from tests.checkpoints import META
from tests.models import cell_makers, small_model, training_settings

STEPS = 12
TEXTS = [[3 + (step * step) % 17 for step in range(60)], [3 + (5 * step) % 17 for step in range(45)]]
MOST = 0.03  # seconds from the beginning of a save to the kill: what one takes on an idle machine, or more
UNLOADABLE = 2
STATE = "run.safetensors"


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def forked(act: Callable[[], None]) -> int:
    """Do it in a child; its exit code, 1 if it failed, minus the signal that killed it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        act()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


# killed at every step


def learn(folder: Path, place: str = "", step: int = 0, resume: bool = False) -> None:
    """A small run, carried states and noise and all, that dies at one place of one step; what it reached."""
    model = small_model()
    passes = count(1)
    if place == "in the pass":
        model.head.register_forward_hook(
            lambda *_: die() if torch.is_grad_enabled() and next(passes) == step else None
        )
    result = train(
        model,
        TEXTS,
        TEXTS[:1],
        training_settings(weight_dropout=0.3, averaging=0.1, shards=1, max_steps=STEPS),
        save=lambda _, history: die() if place == "while saving" and history[-1].step == step else None,
        progress=lambda now: die() if place == "after the step" and now.step == step else None,
        state_file=folder / STATE,
        resume=resume,
    )
    (folder / "reached").write_text(f"{hashlib.sha256(pack(model)).hexdigest()} {result.history}")


def kill_and_resume(folder: Path) -> None:
    """One line a kill: the place, the step, the signal, and what the resumed run reached."""
    kills = [("", 0), *(("in the pass", step) for step in range(1, STEPS + 1))]
    for place, step in [*kills, *product(("while saving", "after the step"), (4, 8, STEPS))]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        died = forked(lambda place=place, step=step: learn(folder, place, step))
        assert not died or forked(lambda: learn(folder, resume=True)) == 0, (place, step)
        print(json.dumps([place, step, died, (folder / "reached").read_text()]))


# killed while saving

SIZES: dict[str, Any] = {"vocabulary_size": 8000, "embedding_size": 64, "hidden_size": 8, "num_layers": 1}
SHAPE = replace(META, cell=checkpoint.Plugin("gru"), **SIZES)  # 2 MB, quickly made


def save(folder: Path, model: LanguageModel, number: int) -> None:
    """As a training does at an evaluation: a checkpoint, the pointers, what is outgrown, the run's state."""
    torch.nn.init.constant_(model.head.bias, number)
    meta = replace(SHAPE, held_out_loss=2 + random.random(), step=number)
    settled = checkpoint.publish(folder, meta, pack(model), {checkpoint.VOCABULARY: b"[]"})
    checkpoint.settle(settled)
    checkpoint.prune(folder, meta.model, meta.run, in_use=lambda name: False)
    training_state.store(folder / STATE, Position(step=number), dict(model.named_parameters()))


def save_naively(folder: Path, model: LanguageModel, number: int) -> None:
    """The control: the same files, each written where it lies."""
    weights = pack(model)
    meta = replace(SHAPE, step=number, weights_sha256=hashlib.sha256(weights).hexdigest())
    place = folder / meta.model / "only"
    place.mkdir(parents=True, exist_ok=True)
    (place / checkpoint.WEIGHTS).write_bytes(weights)
    (place / checkpoint.META).write_bytes(checkpoint._encode(meta))
    (folder / meta.model / "best").write_text("only")
    (folder / meta.model / "latest").write_text("only")


def save_for_ever(folder: Path, life: int, naive: bool) -> None:
    """Save one model after another; a byte down the pipe before each."""
    model = build(cell_makers()["gru"], **SIZES)
    for number in count():
        os.write(life, b".")
        (save_naively if naive else save)(folder, model, number)


def load(folder: Path, naive: bool) -> None:
    """Both pointers lead to a model that loads, and the run can be gone on with; else UNLOADABLE."""
    try:
        for pointer in checkpoint.POINTERS:
            place = checkpoint.find([folder], META.model, pointer)
            load_model(place, checkpoint.read_meta(place), partial(build, cell_makers()["gru"]))
        if not naive:
            training_state.load(folder / STATE)
    except CheckpointError:
        os._exit(UNLOADABLE)


def kill_while_saving(folder: Path, kills: int, naive: bool) -> None:
    """Kill that often, each time at another moment of another save, and look what is left."""
    random.seed(kills)
    ends = []
    first = build(cell_makers()["gru"], **SIZES)
    assert forked(lambda: (save_naively if naive else save)(folder, first, 0)) == 0
    for _ in range(kills):
        kill_one(folder, naive)
        ends.append(forked(lambda: load(folder, naive)))
    assert set(ends) <= {0, UNLOADABLE}
    print(json.dumps({"kills": kills, "unloadable": ends.count(UNLOADABLE)}))


def kill_one(folder: Path, naive: bool) -> None:
    """Kill a process that saves without end, at a random moment of one of the first four."""
    life, sign = os.pipe()
    child = os.fork()
    if not child:
        save_for_ever(folder, sign, naive)
    os.close(sign)
    for _ in range(random.randint(1, 4)):
        os.read(life, 1)
    select.select([], [], [], random.uniform(0, MOST))
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    os.close(life)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1)], lr=1)  # the first optimizer imports for seconds: once, before the forks
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "resume":
        kill_and_resume(where)
    else:
        kill_while_saving(where, int(sys.argv[3]), naive=what == "kill-naive")
