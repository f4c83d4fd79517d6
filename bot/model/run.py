"""One training run: its steps, its evaluations, how it is stored, gone on with and rolled back.

It knows neither text nor where checkpoints lie: what to do with a model worth keeping is handed in.
`training.train` drives it.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from bot.errors import BotError, TrainingError
from bot.model import noise, training_state, watch
from bot.model.averaging import Average
from bot.model.batches import Batches
from bot.model.clipping import clip, norms
from bot.model.evaluation import evaluate
from bot.model.goal import NEXT_TOKEN, Goal
from bot.model.gradient import BackPropagation
from bot.model.language_model import LanguageModel, States
from bot.model.pace import Pace
from bot.model.reading import Reading
from bot.model.schedule import learning_rate, make_optimizer, share_done, share_that_counts
from bot.model.spans import Spans
from bot.model.tags import NO_TAGS, Tags, lay_out_tagged
from bot.model.training_state import Ids, Position, compare, fingerprint
from bot.model.watch import Measurement
from bot.records import Progress

MAX_SKIPPED = 5  # steps in a row that are not made before the run is rolled back
FEWEST = 20  # steps between two evaluations, however short the run is
GOOD = "good."  # before the names of tensors to go back to

Save = Callable[[LanguageModel, Sequence[Measurement]], None]
Sample = Callable[[LanguageModel], Sequence[str]]


class Run:
    """A run between two steps: what `train` drives, and what is stored and gone on with."""

    def __init__(
        self,
        model: LanguageModel,
        train_ids: Ids,
        held_out_ids: Ids,
        settings: Any,
        save: Save,
        state_file: Path,
        sample: Sample | None,
        evaluations: int,
        about: dict[str, Any],
        tags: Tags = NO_TAGS,
        goal: Goal = NEXT_TOKEN,
    ):
        if not train_ids or not held_out_ids:
            msg = f"nothing to learn from: {len(train_ids)} items to train on, {len(held_out_ids)} held out"
            raise TrainingError(msg)
        self._model, self._settings, self._save = model, settings, save
        self._train_ids, self._held_out_ids = train_ids, held_out_ids
        self._state_file, self._sample, self._evaluations = state_file, sample, evaluations
        self._device = model.embedding.weight.device
        self._goal = goal
        self._batches = self._laid_out(train_ids, tags.train, tags)
        self._held_out = self._laid_out(held_out_ids, tags.held_out, tags)
        shards = settings.shards if self._device.type == "cpu" else 1
        self._back_propagation = BackPropagation(model, shards, goal.loss)
        self._optimizer = make_optimizer(model, settings)
        self._average = Average(model, settings.averaging)
        self._carried: States | None = None
        goals = {} if goal is NEXT_TOKEN else {"goal": goal.name}  # older runs do not name theirs
        self._stand_at(Position(about | goals | fingerprint(model, train_ids, held_out_ids, settings)))
        self._loss = self._norm = self._reach = math.nan  # of the step just made, before it is clipped
        self._losses: list[float] = []  # of every step so far, not a number where none was made
        self.spans = Spans()
        self._measured: Measurement | None = None  # at the step just made
        self._samples: tuple[str, ...] = ()
        self._note = ""
        self.tokens = 0  # of the step just made

    def _laid_out(self, ids: Ids, told: Sequence[int], tags: Tags) -> Batches:
        """told: the tags of these texts, none where the model reads none."""
        if not told:
            return self._goal.lay_out(ids, self._settings)
        return lay_out_tagged(ids, told, self._settings, tags.ends)

    def begin(self) -> None:
        torch.manual_seed(self._settings.seed)
        self._store()

    def resume(self) -> None:
        position, tensors = training_state.load(self._state_file)
        compare(position.fingerprint, self._position.fingerprint, self._state_file)
        position.ended = ""
        self._stand_at(position)
        training_state.restore_weights(self._model, self._optimizer, tensors)
        self._average.restore(tensors)
        training_state.restore_random(tensors, self._device)
        self._carried = training_state.restore_carried(tensors, self._device)
        self._losses = training_state.losses(tensors)

    def _stand_at(self, position: Position) -> None:
        self._position, self._reading = position, Reading(self._batches, self._settings.seed, position)
        self._seconds_before = position.seconds  # in processes before this one

    @property
    def share_done(self) -> float:
        return share_done(self._settings, self._position.step, self._reading.epoch, self._position.seconds)

    @property
    def history(self) -> tuple[Measurement, ...]:
        """What every evaluation so far measured."""
        return tuple(self._position.history)

    @property
    def ended(self) -> bool:
        return bool(self.why_ended())

    def why_ended(self) -> str:
        """In plain words; "" while it goes on."""
        return why_ended(self._position, self._settings)

    @property
    def gave_up(self) -> bool:
        return bool(self._position.rollbacks > self._settings.rollbacks)

    @property
    def due(self) -> bool:
        """Whether the step just made is to be followed by an evaluation."""
        position = self._position
        since = position.step - position.evaluated[0]
        on_time = since >= self._settings.evaluate_every or (since >= FEWEST and self._is_late())
        return bool(position.updates) and (on_time or self.ended)

    def _is_late(self) -> bool:
        """Whether the run would have fewer evaluations than it should if the next came even later."""
        position = self._position
        now = share_that_counts(self._settings, position.step, self._reading.epoch, position.seconds)
        return (now - share_that_counts(self._settings, *position.evaluated)) * self._evaluations >= 1

    def step(self, seconds: float) -> None:
        """One update; none where the watch forbids it. seconds: trained so far in this process."""
        self._note, self._samples, self._measured = "", (), None
        self._position.seconds = self._seconds_before + seconds
        self.tokens = self._reading.tokens
        after = self._back_propagate()
        trouble = watch.trouble(self._loss, self._norm, self._position.level)
        self._losses.append(math.nan if trouble else self._loss)
        if trouble:
            self._skip(trouble)
        else:
            self._update(after)
        self._position.step += 1
        self._position.take_note(self._note)
        with self.spans("batches"):
            self._reading.take_next()

    def evaluate(self) -> None:
        """Measure; then keep what is worth keeping, or go back to it if the run has diverged."""
        position, row = self._position, self._measure()
        position.evaluated = position.step, self._reading.epoch, position.seconds
        if self._has_diverged(row):
            self._roll_back(f"diverged: the training loss is {median(position.latest):.4g}")
            return
        best = min((earlier.held_out_loss for earlier in position.history), default=math.inf)
        position.stale = 0 if row.held_out_loss < best else position.stale + 1
        position.history.append(row)
        position.ended = self.why_ended()
        position.clear_sums()
        self._measured, self._note = row, watch.remark(self.history, self._guessing) or self._note
        position.take_note(self._note)
        self._keep(self.history)
        self._store()
        self._samples = self._draw()

    def interrupt(self) -> None:
        """Store where the run stands, then measure and save the model as it is, outside the history.

        These weights are not known to be good: those that are stay beside them, to go back to.
        """
        self._store(self._last_good())
        if not self._position.updates:
            return  # nothing new since the last evaluation
        row = self._measure()
        if not self._has_diverged(row):
            self._keep((*self.history, row))

    def report(self, pace: Pace) -> Progress:
        row, position = self._measured, self._position
        return Progress(
            step=position.step,
            steps=round(position.step / self.share_done),
            epoch=self._reading.epoch,
            train_loss=row.train_loss if row else self._train_loss,
            validation_loss=row.held_out_loss if row else None,
            learning_rate=self._rate,
            tokens_per_second=pace.tokens_per_second,
            gradient_norm=self._norm,
            seconds_left=pace.seconds_left,
            samples=self._samples,
            note=self._note,
            steps_per_second=pace.steps_per_second,
        )

    @property
    def _rate(self) -> float:
        position = self._position
        rate = learning_rate(self._settings, position.step, self._reading.epoch, position.seconds)
        return rate * position.rate_factor

    @property
    def _train_loss(self) -> float:
        return self._position.loss_sum / max(1, self._position.loss_tokens)

    def _has_diverged(self, row: Measurement) -> bool:
        position, vocabulary_size = self._position, self._model.embedding.num_embeddings
        now = median(position.latest)
        return watch.has_diverged(now, row.held_out_loss, vocabulary_size, position.first_loss)

    @cached_property
    def _guessing(self) -> float:
        """The held-out loss of who knows only how frequent each token is."""
        return self._goal.guess(self._train_ids, self._held_out_ids)

    def _back_propagate(self) -> States:
        """Loss and gradient of the batch, and the gradient's norm; returns the state after it."""
        batch = self._reading.batch
        before = None if batch.fresh else self._carried
        with self.spans("noise"):
            left_out = noise.draw(self._model, batch.inputs.shape[1], self._settings, torch.default_generator)
        with self.spans("forward and backward"):
            self._loss, after = self._back_propagation(batch, before, left_out)
        with self.spans("clip"):
            self._norm, self._reach = norms(self._model)
        return after

    def _update(self, after: States) -> None:
        with self.spans("clip"):
            clip(self._model, self._norm, self._settings.gradient_clip, self._settings.clip_by)
        with self.spans("optimizer"):
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate
            self._optimizer.step()
            self._average.update(self._position.step + 1)
        usual = self._train_loss, self._position.loss_deviation
        if self._position.updates >= watch.SETTLED and watch.is_spike(self._loss, *usual):
            self._note = f"spike: a loss of {self._loss:.2f} after {self._train_loss:.2f} on average"
        self._carried = after
        self._position.add(self._loss, self.tokens, self._norm, self._reach)

    def _skip(self, trouble: str) -> None:
        """Leave the weights alone; a state that may not be finite is not carried on."""
        self._carried = None
        self._position.skipped += 1
        self._note = f"a step was skipped: {trouble}"
        if self._position.skipped >= MAX_SKIPPED:
            self._roll_back(f"{MAX_SKIPPED} steps in a row were skipped: {trouble}")

    def _roll_back(self, why: str) -> None:
        """Go on from the last good weights at half the rate; the position in the corpus stays."""
        position = self._position
        position.rollbacks += 1
        position.rate_factor /= 2
        position.skipped = 0
        position.clear_sums()
        tensors = self._last_good()
        training_state.restore_weights(self._model, self._optimizer, tensors)
        self._average.restore(tensors)
        self._carried = None
        self._note = f"{why}; back to the last good weights, at half the learning rate"
        if self.gave_up:
            self._note, position.ended = why, self.why_ended()
            position.take_note(why)
            self._store()  # what there is to tell of it, not to go on

    def _measure(self) -> Measurement:
        position, updates = self._position, max(1, self._position.updates)
        with self.spans("evaluation"), self._average.in_place():
            held_out_loss = evaluate(self._model, self._held_out, self._goal.loss)
        return Measurement(
            step=position.step,
            epoch=self._reading.epoch,
            learning_rate=self._rate,
            gradient_norm=position.norm_sum / updates,
            gradient_reach=position.reach_sum / updates,
            train_loss=self._train_loss,
            held_out_loss=held_out_loss,
        )

    def _keep(self, history: Sequence[Measurement]) -> None:
        with self.spans("saving"), self._average.in_place():
            self._save(self._model, history)

    def _draw(self) -> tuple[str, ...]:
        """Samples of the present weights; what they draw does not change the run."""
        if self._sample is None:
            return ()
        devices = [self._device] if self._device.type == "cuda" else []
        with self.spans("samples"), torch.random.fork_rng(devices=devices), self._average.in_place():
            try:
                return tuple(self._sample(self._model))
            except BotError as error:  # a look at the model, no more: training goes on
                self._note = self._note or str(error)
                return ()

    def _last_good(self) -> dict[str, Tensor]:
        """The tensors of the last evaluation, or of the beginning."""
        _, tensors = training_state.load(self._state_file)
        return training_state.under(GOOD, tensors) or tensors

    def _store(self, good: dict[str, Tensor] | None = None) -> None:
        """good: what to go back to, if not what is stored now."""
        tensors = training_state.gather(
            self._model, self._optimizer, self._carried, self._device, self._losses
        )
        beside = {GOOD + name: tensor for name, tensor in (good or {}).items()}
        with self.spans("saving"):
            training_state.store(self._state_file, self._position, tensors | self._average.tensors() | beside)


def why_ended(position: Position, settings: Any) -> str:
    """Why a run that stands there goes no further, in plain words; "" if it does."""
    if position.rollbacks > settings.rollbacks:
        lower = f" again after {settings.rollbacks} lower learning rates" if settings.rollbacks else ""
        return f"given up: the losses left all bounds{lower}"
    if settings.patience and position.stale >= settings.patience:
        return f"stopped early: no better held-out loss in {position.stale} evaluations"
    if position.step >= settings.max_steps:
        return f"all {position.step} steps done"
    if settings.max_epochs and position.epoch >= settings.max_epochs:
        return f"all {position.epoch} epochs done"
    if settings.max_minutes and position.seconds >= 60 * settings.max_minutes:
        minutes = settings.max_minutes
        shown = f"{minutes:.2g}" if minutes < 10 else f"{minutes:,.0f}"
        return f"all {shown} minutes used" if minutes != 1 else "the one minute used"
    return ""
