"""Block models of a lab: trained stage by stage, each stage measured and kept, so that none is trained twice.

It does not know how a network learns; what is said of the stages, the step knows.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from bot.errors import TrainingError
from bot.model.blocks import AT_ONCE, BlockBatches, block_goal, go_on, predict
from bot.model.checkpoint import make_folder, write_atomically
from bot.model.counted import CountedModel
from bot.model.language_model import LanguageModel
from bot.model.training import Result, train
from bot.model.training_state import load_position
from bot.model.watch import Measurement
from bot.records import Progress
from bot.reproduction.lab import Interrupted, Lab, interrupted
from bot.trainer import EVALUATIONS, Trainer

FOLDER = "blocks"  # of a recipe's, for their states and what was measured
TOKENS = 30_000  # that are predicted from what was read, some 5,000 words
OWN = 20  # blocks that it goes on with what it has written itself


@dataclass(frozen=True)
class Task:
    """ahead: how much later the block that is predicted begins, None where the other ends.

    temperature: of what is drawn by chance, beside the likeliest tokens.
    """

    ahead: int | None = None
    temperature: float = 1.0


@dataclass(frozen=True)
class Stage:
    """A block model after so many epochs. asked: for these. cut: whether time or losses ended it before.

    vocabulary: entries that the loss is summed over. right, right_held_out: how often the likeliest token is
    the right one, place by place. guess: the held-out loss of who knows only frequencies; commonest: how
    often such a one is right. text: the likeliest tokens, predicted from what was read. drawn: others,
    by chance. own: the likeliest from what it wrote itself.
    """

    asked: int
    epochs: float
    cut: bool
    note: str
    seconds: float
    vocabulary: int
    history: list[Measurement]
    guess: float
    commonest: float
    right: list[float]
    right_held_out: list[float]
    text: str
    drawn: str
    own: str

    @property
    def last(self) -> Measurement | None:
        """What was measured at its end; None where it failed before anything was."""
        return self.history[-1] if self.history else None


@dataclass
class Kept:
    """The stages of one model so far. key: of all that shapes it. minutes: what it might take."""

    key: str
    begun: bool = False
    minutes: float | None = None
    stages: list[Stage] = field(default_factory=list)

    def save(self, file: Path) -> None:
        make_folder(file.parent)
        write_atomically(file, json.dumps(asdict(self), ensure_ascii=False).encode())


_KEPT = TypeAdapter(Kept)


def trained(lab: Lab, name: str, epochs: Sequence[int], task: Task) -> list[Stage]:
    """The stages of a model, up to one that was cut. Raises Interrupted, TrainingError."""
    file, key = lab.folder / FOLDER / f"{name}.json", f"{lab.key(name)} {task}"
    kept, minutes = _load(file, key), lab.house.model(name).training.max_minutes
    there = _same(kept.stages, epochs)
    whole = [one for one in there if not one.cut]
    is_cut = len(there) > len(whole) and kept.minutes == minutes  # and would be again
    if len(whole) < len(epochs) and not is_cut:
        kept.minutes, kept.stages = minutes, whole
        with lab.opened(name) as trainer:
            _Work(lab, trainer, file, kept, task).run(epochs[len(whole) :])
        there = kept.stages
    last = there[-1]
    if last.cut:
        lab.short[name] = min(1.0, last.epochs / epochs[-1]), f"{epochs[-1]} epochs"
    return there


def _same(stages: Sequence[Stage], epochs: Sequence[int]) -> list[Stage]:
    """Those that are asked for again, up to the first that is not."""
    pairs = zip(stages, epochs, strict=False)
    return [stage for stage, _ in takewhile(lambda pair: pair[0].asked == pair[1], pairs)]


def pace(trainer: Trainer, steps: int) -> float:
    """Seconds that the whole of a training will take, by so many steps."""
    profile = trainer.profile(steps, block_goal())  # how far ahead does not count
    return profile.seconds * profile.steps


class _Work:
    """Trains the stages of one model that are not there yet."""

    def __init__(self, lab: Lab, trainer: Trainer, file: Path, kept: Kept, task: Task):
        self._lab, self._trainer, self._file, self._kept = lab, trainer, file, kept
        self._training, self._task, self._goal = trainer.setting.training, task, block_goal(task.ahead)
        self._state = file.with_suffix(".safetensors")
        self._is_begun = _load(file, kept.key).begun and self._state.exists()

    def run(self, epochs: Sequence[int]) -> None:
        kept = self._kept
        for asked in epochs:
            self._lab.tell(f"Training {self._trainer.name}, blocks, to {asked} epochs ...")
            model = self._new_model()
            result = self._train(model, asked)
            if result.interrupted:
                raise Interrupted(interrupted(self._trainer.name))
            kept.stages.append(self._measured(model, result, asked))
            kept.save(self._file)
            if kept.stages[-1].cut:
                return

    def _new_model(self) -> LanguageModel:
        model = self._lab.house.new_model(self._trainer.name, self._trainer.vocabulary_size)
        if isinstance(model, CountedModel):
            msg = f"{self._trainer.name}: what is counted, not trained, predicts no blocks"
            raise TrainingError(msg)
        return model

    def _train(self, model: LanguageModel, asked: int) -> Result:
        resume = self._is_begun and load_position(self._state).epoch <= asked  # no run goes back
        self._is_begun = True
        self._kept.begun = True
        self._kept.save(self._file)
        return train(
            model,
            self._trainer.train_ids,
            self._trainer.held_out_ids,
            self._training.model_copy(update={"max_epochs": asked}),
            save=lambda *_: None,  # its state is all there is to keep
            progress=self._show,
            state_file=self._state,
            resume=resume,
            evaluations=EVALUATIONS,
            goal=self._goal,
        )

    def _show(self, progress: Progress) -> None:
        if progress.validation_loss is not None:
            losses = f"training loss {progress.train_loss:.4f}, held-out loss {progress.validation_loss:.4f}"
            self._lab.tell(f"  epoch {progress.epoch:,.1f}: {losses}")

    def _measured(self, model: LanguageModel, result: Result, asked: int) -> Stage:
        trainer, position = self._trainer, load_position(self._state)
        block = self._training.sequence_length
        read, unread = (
            BlockBatches(ids, AT_ONCE, block, self._task.ahead, TOKENS // block)
            for ids in (trainer.train_ids, trainer.held_out_ids)
        )
        blocks = read.inputs.tolist()
        likely, unseen = predict(model, blocks), predict(model, unread.inputs.tolist())
        commonest = np.bincount(read.inputs.ravel()).argmax()
        epochs = result.history[-1].epoch if result.history else 0.0
        return Stage(
            asked=asked,
            epochs=epochs,
            cut=epochs < asked,
            note=result.note,
            seconds=position.seconds,
            vocabulary=trainer.vocabulary_size,
            history=list(result.history),
            guess=self._goal.guess(trainer.train_ids, trainer.held_out_ids),
            commonest=float((unread.targets == commonest).mean()),
            right=(np.array(likely) == read.targets).mean(0).tolist(),
            right_held_out=(np.array(unseen) == unread.targets).mean(0).tolist(),
            text=self._text(likely),
            drawn=self._text(predict(model, blocks, self._task.temperature)),
            own=self._own(model, blocks[0]),
        )

    def _own(self, model: LanguageModel, block: Sequence[int]) -> str:
        """Block after block from what it wrote itself; "" where none follows the one that is read."""
        if self._task.ahead is not None:
            return ""
        return self._text([go_on(model, block, OWN)])

    def _text(self, blocks: Sequence[Sequence[int]]) -> str:
        tokens = [token for block in blocks for token in self._trainer.vocabulary.decode(block)]
        return self._trainer.join(tokens)


def _load(file: Path, key: str) -> Kept:
    """What was kept of the same model; else nothing."""
    try:
        kept = _KEPT.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return Kept(key)
    return kept if kept.key == key else Kept(key)
