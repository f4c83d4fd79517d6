"""Where the steps of a recipe work: its models, trained when first asked for and never twice.

It knows how to train and to sample; what is done with that, the steps know.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.config import Config, Model
from bot.config.recipe import Recipe
from bot.errors import BotError, TrainingError
from bot.house import House
from bot.model.checkpoint import names, read_meta
from bot.model.language_model import count_parameters
from bot.model.run import why_ended
from bot.model.schedule import share_done
from bot.model.training_state import load_losses, load_position
from bot.model.watch import Measurement
from bot.records import Progress
from bot.reproduction import kept
from bot.reproduction.data import located, placed
from bot.reproduction.kept import Kept
from bot.reproduction.recording import Clock, Recording
from bot.text.corpus import Corpus
from bot.trainer import FAILED, LIMITS, STATE, Trainer, opened

if TYPE_CHECKING:
    from bot.model.sampling import Sampler


class Interrupted(BotError):
    """Ctrl-C was pressed; everything up to there is stored."""


class Screen(Protocol):
    """How a person is told."""

    def tell(self, line: str) -> None: ...

    def training(self, trainer: Trainer) -> AbstractContextManager[Callable[[Progress], None]]: ...


@dataclass(frozen=True)
class Outcome:
    """A training and what came of it. note: how it ended. remarks: what the watch said, by step.

    share: how much of what the recipe asks for was done; below 1 the run is partial. checkpoint: None where
    the run failed before it had one. seconds: wall time; cpu_seconds: of all threads.
    """

    model: str
    setting: Model
    history: tuple[Measurement, ...]
    seconds: float
    cpu_seconds: float
    parameters: int
    ngram_loss: float | None
    note: str
    failed: bool
    remarks: tuple[tuple[int, str], ...]
    samples: tuple[tuple[int, tuple[str, ...]], ...]
    share: float
    checkpoint: Path | None

    @property
    def best(self) -> Measurement | None:
        """The measurement with the lowest held-out loss."""
        return min(self.history, key=lambda row: row.held_out_loss, default=None)

    @property
    def goal(self) -> str:
        """What the recipe asks for: `3 epochs`, `20,000 steps`."""
        training = self.setting.training
        if training.max_epochs:
            return f"{training.max_epochs} epochs"
        return f"{training.max_steps:,} steps"


@dataclass(frozen=True)
class Written:
    """Texts that a step had written by no model of the lab's. The losses are its writer's."""

    texts: tuple[str, ...]
    train_loss: float
    held_out_loss: float


class Lab:
    """One recipe at one scale. data: where its files lie. folder: where everything made is kept.

    Raises CorpusError where a file is missing.
    """

    def __init__(
        self, recipe: Recipe, data: Path, folder: Path, screen: Screen, clock: Clock = time.process_time
    ):
        self.recipe, self.folder, self._screen, self._clock = recipe, folder, screen, clock
        self.scale, self._data = recipe.scale, data
        self.found = located(recipe.data, data)
        self.models: dict[str, Model] = {}
        self.written: dict[str, Written] = {}  # by steps, for others to measure
        self.short: dict[str, tuple[float, str]] = {}  # what steps trained a share of only, and of what
        self.add(recipe.models)
        self._minutes: dict[str, float] = {}
        self._corpora: dict[str, Corpus] = {}
        self._done: dict[str, Outcome] = {}

    def tell(self, line: str) -> None:
        """A line for who watches."""
        self._screen.tell(line)

    def add(self, models: Mapping[str, Model]) -> None:
        """More models, as a step makes them of the recipe's: with other seeds or settings."""
        for name, model in models.items():
            corpus = None if model.corpus is None else placed(model.corpus, self.found)
            self.models[name] = model.model_copy(update={"corpus": corpus})
        self.__dict__.pop("house", None)

    def allow(self, minutes: Mapping[str, float]) -> None:
        """How long each training may take at most, beside what its settings say."""
        self._minutes |= minutes
        self.__dict__.pop("house", None)

    @cached_property
    def house(self) -> House:
        """The rooms of these models; plugins of one's own stand beside the recipe."""
        models = {name: self._limited(name) for name in self.models}
        database = f"sqlite:///{self.folder.absolute()}/bot.db"
        config = Config(database=database, models=models)
        config._file, config._folder = self.recipe.file, self.folder
        return House(config, data=self._data, plugins=self.recipe.file.absolute().parent / "plugins")

    def _limited(self, name: str) -> Model:
        model, minutes = self.models[name], self._minutes.get(name)
        if minutes is None:
            return model
        least = min(minutes, model.training.max_minutes or minutes)
        training = model.training.model_copy(update={"max_minutes": least})
        return model.model_copy(update={"training": training})

    def corpus(self, model: str) -> Corpus:
        """What a model learns from; read once, however many models do."""
        choice = self.house.model(model).corpus
        key = repr(choice and (choice.name, choice.options))
        if key not in self._corpora:
            self._corpora[key] = self.house.corpus(model)
        return self._corpora[key]

    def opened(self, model: str) -> AbstractContextManager[Trainer]:
        """Its trainer, as `bot.trainer.opened` has it; the corpus is read no second time."""
        return opened(self.house, model, self.corpus(model))

    def parameters(self, model: str, vocabulary_size: int, hidden_size: int | None = None) -> int:
        """How many numbers it learns; with another hidden size, how many it would."""
        setting = self.models[model]
        units = {"hidden_size": hidden_size or setting.hidden_size}
        house = self.house.having({model: setting.model_copy(update=units)})
        return count_parameters(lambda: house.new_model(model, vocabulary_size))

    def vocabulary_size(self, model: str) -> int:
        """Of its tokenizer on its corpus."""
        with self.opened(model) as trainer:
            return trainer.vocabulary_size

    def losses(self, model: str) -> list[float]:
        """Of each step of its training, not a number where none was made; [] if there was none."""
        failed = self.trained(model).failed
        file = self._shelf(model) / (FAILED if failed else STATE)
        return load_losses(file)[1] if file.exists() else []

    def trained(self, model: str) -> Outcome:
        """Train a model, go on with it, or say what came of it. Raises Interrupted, TrainingError."""
        if model not in self._done:
            self._done[model] = self._outcome(model, self._train(model))
        return self._done[model]

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all that was trained so far."""
        return list(self._done.values())

    def checkpoint(self, model: str) -> Path:
        """The best one of the training. Raises TrainingError where it failed before it had one."""
        outcome = self.trained(model)
        if outcome.checkpoint is None:
            msg = f"{model} has no checkpoint: {outcome.note}"
            raise TrainingError(msg)
        return outcome.checkpoint

    def checkpoints(self, model: str) -> list[Path]:
        """Those of its training that are kept, in the order that they were made in."""
        root = self.house.config.checkpoints_folder
        measured = {(row.step, row.held_out_loss) for row in self.trained(model).history}
        found: dict[int, Path] = {}
        for folder in (root / model / name for name in names(root, model)):
            meta = read_meta(folder)
            if (meta.step, meta.held_out_loss) in measured:
                found[meta.step] = folder
        return [found[step] for step in sorted(found)]

    def sampler(self, model: str) -> "Sampler":
        return self.house.sampler(model, self.checkpoint(model).name)

    def _file(self, model: str) -> Path:
        return self.folder / "runs" / f"{model}.json"

    def key(self, model: str, *besides: str) -> str:
        """Of all that shapes a training but how long it may be, and but these settings of it."""
        setting = self.house.model(model)
        what = setting.model_dump_json(exclude={"corpus": True, "training": LIMITS | set(besides)})
        return hashlib.sha256(f"{self.corpus(model).sha256} {what}".encode()).hexdigest()[:16]

    def _train(self, model: str) -> Kept:
        then, key = kept.load(self._file(model)), self._whole_key(model)
        training = self.house.model(model).training
        limits = training.model_dump(mode="json", include=LIMITS)
        if then is not None and then.key == key and then.note:
            there = then.failed or (self._shelf(model) / then.checkpoint).is_dir()
            if there and then.limits == limits:
                return then
        now = then if then is not None and then.key == key else Kept(key)
        now.limits, now.note, now.failed = limits, "", False
        with self.opened(model) as trainer:
            if then is not None and then.key != key and self._plan(trainer) == "nothing":
                (self._shelf(model) / STATE).unlink()  # it began with another checkpoint
            return self._go_on(trainer, now)

    def _whole_key(self, model: str) -> str:
        """What it begins with counts too, and is trained first."""
        begins, key = self.house.model(model).training.init_from, self.key(model)
        return f"{key} {self.checkpoint(begins).name}" if begins in self.models else key

    def loss_by_source(self, model: str, of: str) -> dict[str, float]:
        """The held-out loss of a model's checkpoint on each source of another's corpus."""
        folder = self.checkpoint(model)
        with self.opened(of) as trainer:
            return trainer.loss_by_source(folder)

    def _go_on(self, trainer: Trainer, now: Kept) -> Kept:
        plan = self._plan(trainer)
        if plan == "nothing":
            return self._finished(trainer, now)
        if plan == "begin":
            now.remarks, now.samples, now.seconds, now.cpu_seconds = [], [], 0.0, 0.0
        self._screen.tell(self._title(trainer))
        trainer.prepare()
        now.parameters, now.ngram_loss = self._size(trainer), trainer.ngram_loss
        recording = Recording(now, self._file(trainer.name), trainer, self._clock)
        with self._screen.training(trainer) as show:
            recording.run(show)
        if not now.note:
            raise Interrupted(interrupted(trainer.name))
        return now

    def _plan(self, trainer: Trainer) -> str:
        try:
            return trainer.plan().do
        except TrainingError as error:
            told = str(error).partition("; set that back")[0]
            msg = f"{told}; set that back to go on, or remove {self._shelf(trainer.name)} to begin anew"
            raise TrainingError(msg) from error

    def _finished(self, trainer: Trainer, now: Kept) -> Kept:
        """What the training's own files say of a run that has ended, where ours did not know it."""
        position = load_position(self._shelf(trainer.name) / STATE)
        now.history, now.seconds = position.history, position.seconds
        now.note = why_ended(position, trainer.setting.training)
        now.parameters, now.ngram_loss = self._size(trainer), trainer.ngram_loss
        folder = trainer.own(position.history)
        now.checkpoint = folder.name if folder else ""
        now.save(self._file(trainer.name))
        return now

    def _size(self, trainer: Trainer) -> int:
        return self.parameters(trainer.name, trainer.vocabulary_size)

    def _title(self, trainer: Trainer) -> str:
        number, count = list(self.models).index(trainer.name) + 1, len(self.models)
        setting = trainer.setting
        shape = f"{setting.num_layers} x {setting.cell.name} of {setting.hidden_size}"
        return f"Training {trainer.name} ({number} of {count}): {shape}"

    def _shelf(self, model: str) -> Path:
        return self.house.config.checkpoints_folder / model

    def _outcome(self, model: str, run: Kept) -> Outcome:
        asked, last = self.models[model], run.history[-1] if run.history else None
        share = 1.0
        if last and model in self._minutes and run.note.endswith(" used"):
            share = share_done(asked.training, last.step, last.epoch, run.seconds)
        return Outcome(
            model=model,
            setting=asked,
            history=even(run.history),
            seconds=run.seconds,
            cpu_seconds=run.cpu_seconds,
            parameters=run.parameters,
            ngram_loss=run.ngram_loss,
            note=run.note,
            failed=run.failed,
            remarks=tuple(run.remarks),
            samples=tuple((step, tuple(texts)) for step, texts in run.samples),
            share=share,
            checkpoint=self._shelf(model) / run.checkpoint if run.checkpoint else None,
        )


def even(history: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """With training losses over stretches that compare: one that a stop cut short is joined to those before.

    Two or three batches tell little, the less where texts of one length stand together.
    """
    pairs = pairwise((0, *(row.step for row in history)))
    steps = [max(1, after - before) for before, after in pairs]
    least = max(steps, default=0) / 2
    found = []
    for at, row in enumerate(history, start=1):
        first = at - 1
        while first and sum(steps[first:at]) < least:
            first -= 1
        joined = zip(steps[first:at], history[first:at], strict=True)
        loss = sum(count * one.train_loss for count, one in joined) / sum(steps[first:at])
        found.append(replace(row, train_loss=loss))
    return tuple(found)


def interrupted(model: str) -> str:
    """What is told of it."""
    return f"interrupted while {model} was trained; the same command goes on from there"
