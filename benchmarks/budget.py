"""Networks trained on a file of the user's for equal budgets, each outcome kept the moment it is there.

A run that was interrupted goes on where it stopped. It does not know what is compared.
"""

import argparse
import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.quality import baseline, windowed
from bot.config import Training
from bot.model.batches import ItemBatches
from bot.model.evaluation import evaluate
from bot.model.language_model import LanguageModel
from bot.model.threads import one_thread
from bot.model.training import train
from bot.text.vocabulary import Vocabulary

TESTED = 0.1  # share of a file that is only tested on
WATCHED = 0.01  # share that the training loop measures itself by; nothing is chosen by it here
RUNS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wormhorn" / "runs"

T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # of Student's distribution, by the number of seeds

Ids = list[list[int]]


@dataclass(frozen=True)
class Corpus:
    """A file in ids. test: the loss of a model on the tested part, nats per character."""

    name: str
    digest: str
    characters: int
    vocabulary_size: int
    train: Ids
    watched: Ids
    test: Callable[[LanguageModel], float]
    ngram: float  # the loss of a 5-gram


@dataclass(frozen=True)
class Contest:
    """One run. labels: its `cell` and what else tells it from others; make: a new model, always the same."""

    labels: dict[str, Any]
    make: Callable[[], LanguageModel]
    settings: Training


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    labels: dict[str, Any]
    loss: float
    parameters: int
    steps: int
    epochs: float
    day: str


def read(path: Path, items: bool) -> Corpus:
    """As one text: the last tenth is tested in windows of 256 characters, each from the initial state.
    As items, one a line, in a random order, always the same: the last tenth is tested."""
    content = path.read_text(encoding="utf-8")
    texts = sorted({line.strip() for line in content.splitlines()} - {""}) if items else [content]
    random.Random(0).shuffle(texts)
    vocabulary = Vocabulary.build(texts)
    ids = [vocabulary.encode(text) for text in texts]
    whole: list[Any] = ids if items else ids[0]
    watched, tested = (int(len(whole) * (1 - share)) for share in (TESTED + WATCHED, TESTED))
    parts = whole[:watched], whole[watched:tested], whole[tested:]
    train, watch, test = parts if items else ([part] for part in parts)

    def loss(model: LanguageModel) -> float:
        with one_thread():
            return evaluate(model, ItemBatches(test, 256, 128)) if items else windowed(model, test[0])

    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    ngram = baseline(train + watch, test)
    return Corpus(path.name, digest, len(content), len(vocabulary), train, watch, loss, ngram)


def hold(contests: Sequence[Contest], corpus: Corpus, runs: Path) -> list[Outcome]:
    """The outcome of each. Ctrl-C ends the program; the same command then goes on from there."""
    outcomes: list[Outcome] = []
    with _screen() as screen:
        task = screen.add_task("", total=len(contests))
        for number, contest in enumerate(contests):
            name = " ".join(map(str, contest.labels.values()))
            screen.update(task, description=f"{number + 1} of {len(contests)}: {name}")

            def show(share: float, before: int = number) -> None:
                screen.update(task, completed=before + share)

            outcome = _outcome(contest, corpus, runs, show)
            if outcome is None:
                raise SystemExit("interrupted; the same command goes on from here")
            outcomes.append(outcome)
            show(1.0)
            screen.print(f"{name}: {outcome.loss:.4f}")
    return outcomes


def beside(losses: Sequence[float], control: Sequence[float]) -> dict[str, float]:
    """Mean loss, and how much worse than the control's, seed by seed, with its 95 % interval."""
    worse = [loss - reference for loss, reference in zip(losses, control, strict=True)]
    margin = T_95[len(worse)] * stdev(worse) / len(worse) ** 0.5
    return {"loss": mean(losses), "worse": mean(worse), "margin": margin}


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A command line with what names a corpus and keeps runs."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    made.add_argument("--corpus", type=Path, required=True, metavar="FILE", help="a text of your own")
    made.add_argument("--items", action="store_true", help="each line is an item of its own")
    made.add_argument("--runs", type=Path, default=RUNS, metavar="FOLDER", help="where runs are kept")
    made.add_argument("--seeds", type=int, choices=range(2, 6), default=3)
    made.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return made


def _outcome(contest: Contest, corpus: Corpus, runs: Path, show: Callable[[float], None]) -> Outcome | None:
    """Kept or new; None if it was interrupted."""
    name = _name(contest, corpus)
    kept, state = runs / f"{name}.json", runs / f"{name}.safetensors"
    if kept.exists():
        return Outcome(**json.loads(kept.read_text()))
    runs.mkdir(parents=True, exist_ok=True)
    model = contest.make()
    ended = train(
        model,
        corpus.train,
        corpus.watched,
        contest.settings,
        save=lambda *_: None,
        progress=lambda row: show(row.step / row.steps),
        state_file=state,
        resume=state.exists(),
        clock=time.process_time,
    )
    if ended.interrupted:
        return None
    last = ended.history[-1]
    count = sum(parameter.numel() for parameter in model.parameters())
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    outcome = Outcome(contest.labels, corpus.test(model), count, last.step, last.epoch, day)
    _write(kept, json.dumps(asdict(outcome)))
    state.unlink()
    return outcome


def _name(contest: Contest, corpus: Corpus) -> str:
    """Of all that shapes the outcome."""
    parts = [contest.labels, contest.settings.model_dump(), corpus.digest, len(corpus.train)]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
    return f"{contest.labels['cell']}_{digest}"


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _screen() -> Progress:
    """On stderr, and seldom: what it costs counts as training."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), refresh_per_second=1)
