"""Trains a model of the configuration: corpus in, checkpoints out.

It brings together what the training loop must not know: texts, folders, the novelty index, the model card.
Whatever stops it, the checkpoints stay loadable and the run can be gone on with.
"""

import hashlib
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.curation.novelty import FILE_NAME, HashedTrainingSet, build_index
from bot.curation.profile import FILE_NAME as PROFILE
from bot.curation.profile import CorpusProfile
from bot.errors import CheckpointError, DeviceError, StoreError, TrainingError
from bot.house import House
from bot.model import checkpoint
from bot.model.checkpoint import Meta, Plugin
from bot.model.counted import CountedModel, Model, count
from bot.model.devices import CPU, is_out_of_memory, moved, put
from bot.model.language_model import LanguageModel
from bot.model.ngram import NGram
from bot.model.profiling import Profile, profile
from bot.model.sampling import Sampler, calibrate
from bot.model.training import Result, train
from bot.model.watch import Measurement, as_csv
from bot.model.weights import pack
from bot.records import Document, Progress, Sampling
from bot.reports.card import model_card
from bot.reports.losses import draw_losses
from bot.text.corpus import split
from bot.text.vocabulary import Vocabulary

log = logging.getLogger(__name__)

LOCK = ".lock"  # of who trains a model, beside its checkpoints
STATE = "run.safetensors"  # of an unfinished run, beside its checkpoints
PICTURE = "losses.png"  # of the run, beside its checkpoints
SMALLEST = {"vocabulary_size": 4, "embedding_size": 1, "hidden_size": 1, "num_layers": 1}
SHOWN = Sampling((0.8, 0.8))


@dataclass(frozen=True)
class Trained:
    """How a training ended and where its best checkpoint lies."""

    folder: Path
    meta: Meta
    result: Result


class Trainer:
    """One model's training. Making one reads the corpus; `run` trains. Raises CorpusError, ConfigError."""

    def __init__(self, house: House, name: str):
        self._house, self.name, self.setting = house, name, house.model(name)
        house.model_maker(self.setting.cell)(**SMALLEST)  # what is wrong with it is told at once
        self.corpus = house.corpus(name)
        self._tokenizer = house.registry.build("tokenizers", self.setting.tokenizer)
        training = self.setting.training
        self.train_documents, self.held_out = split(
            self.corpus.documents, training.validation_share, training.seed
        )
        documents = (*self.train_documents, *self.held_out)  # of a text cut in two, words may be cut too
        tokens = [self._tokenizer.split(document.text) for document in documents]
        self._vocabulary = Vocabulary.build(tokens, self._tokenizer.vocabulary_size)
        self._train_ids, self._held_out_ids = self._ids(self.train_documents), self._ids(self.held_out)
        self.history: Sequence[Measurement] = ()  # what was measured, also before a run was gone on with

    @property
    def root(self) -> Path:
        return self._house.config.checkpoints_folder

    @property
    def unfinished(self) -> bool:
        """Whether a run was begun and can be gone on with."""
        return self._state_file.exists()

    @cached_property
    def ngram_loss(self) -> float:
        """The baseline's held-out loss: a 5-gram model of the same split."""
        baseline = NGram(order=5)
        baseline.fit(self._train_ids)
        return baseline.loss(self._held_out_ids)

    def prepare(self) -> None:
        """Make what all checkpoints of this run have in common; a large corpus takes a while."""
        _ = self.ngram_loss, self._files

    def run(self, progress: Callable[[Progress], None], fresh: bool = False) -> Trained:
        """Train, or go on with the unfinished run unless `fresh`; an evaluation publishes a checkpoint."""
        model = self._new_model()
        with alone(checkpoint.make_shelf(self.root, self.name)):
            if isinstance(model, CountedModel):
                return self._finish(self._count(model, progress))
            result = self._train(model, progress, resume=self.unfinished and not fresh)
            if not result.interrupted and result.best is None:
                self._state_file.unlink()  # nothing came of it: the next run begins anew
            trained = self._finish(result)  # stopped in here, the same command finishes
            if not result.interrupted:
                self._state_file.unlink(missing_ok=True)
            return trained

    def profile(self, steps: int = 50) -> Profile:
        """Where the time of a training goes; nothing is kept. Raises TrainingError if it has no steps."""
        model = self._new_model()
        if isinstance(model, CountedModel):
            msg = (
                f"models.{self.name}: cell {self.setting.cell.name} is counted, there are no steps to look at"
            )
            raise TrainingError(msg)
        shelf = checkpoint.make_shelf(self.root, self.name)
        with tempfile.TemporaryDirectory(
            dir=shelf, prefix=f"{checkpoint.UNFINISHED}{os.getpid()}-"
        ) as folder:
            return profile(
                model,
                self._train_ids,
                self._held_out_ids,
                self.setting.training,
                save=partial(self._save, Path(folder)),
                state_file=Path(folder) / STATE,
                sample=self._samples,
                steps=steps,
            )

    def _count(self, model: CountedModel, progress: Callable[[Progress], None]) -> Result:
        save = partial(self._save, self.root)
        return count(model, self._train_ids, self._held_out_ids, save=save, progress=progress)

    def _train(self, model: LanguageModel, progress: Callable[[Progress], None], resume: bool) -> Result:
        """Where memory runs out on another device, the run goes on on the CPU from where it was stored."""
        try:
            return train(
                model,
                self._train_ids,
                self._held_out_ids,
                self.setting.training,
                save=partial(self._save, self.root),
                progress=progress,
                state_file=self._state_file,
                sample=self._samples,
                resume=resume,
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            lack = str(error).partition("\n")[0][:200]
            if model.embedding.weight.device.type == "cpu":
                msg = f"there is not enough memory to train {self.name} ({lack})"
                msg += "; a smaller batch_size, sequence_length or hidden_size would help"
                raise DeviceError(msg) from error
            log.warning("training %s goes on on the CPU: %s", self.name, lack)
        return self._train(moved(model, CPU), progress, resume=self.unfinished)

    @property
    def _state_file(self) -> Path:
        return self.root / self.name / STATE

    def _new_model(self) -> Model:
        setting = self.setting
        model: Model = self._house.model_maker(setting.cell)(
            vocabulary_size=len(self._vocabulary),
            embedding_size=setting.embedding_size,
            hidden_size=setting.hidden_size,
            num_layers=setting.num_layers,
            head_norm=setting.head_norm,
            seed=setting.training.seed,
        )
        return put(model, self._house.config.device)

    def _ids(self, documents: Sequence[Document]) -> list[list[int]]:
        return [self._vocabulary.encode(self._tokenizer.split(document.text)) for document in documents]

    def _samples(self, model: Model) -> Sequence[str]:
        sampler = Sampler(model, self._vocabulary, self._tokenizer, self.name, held_out_loss=1.0)
        return [one.text for one in sampler.sample(SHOWN, self.setting.training.seed, range(5))]

    @cached_property
    def _files(self) -> dict[str, bytes]:
        """What lies beside the weights of every checkpoint of this run."""
        train, held_out = ([one.text for one in part] for part in (self.train_documents, self.held_out))
        return {
            FILE_NAME: build_index(document.text for document in self.corpus.documents),
            PROFILE: CorpusProfile.of(train, held_out).packed(),
            checkpoint.VOCABULARY: self._vocabulary.encoded(),
        }

    def _save(self, root: Path, model: Model, history: Sequence[Measurement]) -> None:
        """Publish the model as the latest and, if it is, as the best; drop what this run has outgrown."""
        files = self._files | {checkpoint.HISTORY: as_csv(history)}
        weights = pack(model, self.setting.training.precision)
        checkpoint.settle(checkpoint.publish(root, self._meta(model, history[-1]), weights, files))
        self._prune(root)
        self.history = history
        picture = draw_losses(self.name, history, self.ngram_loss).png()
        checkpoint.write_atomically(root / self.name / PICTURE, picture)

    def _prune(self, root: Path) -> None:
        """Drop what this run has outgrown, but for what a draft refers to or the configuration names."""
        bots = self._house.config.bots.values()
        named = {f"{bot.model}/{bot.checkpoint}" for bot in bots}
        try:
            in_use = named | self._house.drafts.checkpoints_in_use()
        except StoreError as error:  # a training goes on without the queue
            log.warning("no checkpoint is removed: %s", error)
        else:
            checkpoint.prune(root, self.name, self._run, in_use.__contains__)

    def _meta(self, model: Model, now: Measurement) -> Meta:
        setting = self.setting
        meta = Meta(
            model=self.name,
            tokenizer=Plugin(setting.tokenizer.name, dict(setting.tokenizer.options)),
            cell=Plugin(setting.cell.name, dict(setting.cell.options)),
            vocabulary_size=len(self._vocabulary),
            embedding_size=setting.embedding_size,
            hidden_size=setting.hidden_size,
            num_layers=setting.num_layers,
            head_norm=setting.head_norm,
            precision=setting.training.precision,
            step=now.step,
            epoch=now.epoch,
            train_loss=now.train_loss,
            held_out_loss=now.held_out_loss,
            ngram_loss=self.ngram_loss,
            corpus=self._data(),
            settings=setting.training.model_dump(mode="json"),
            seed=setting.training.seed,
            run=self._run,
            build={"torch": version("torch"), "python": platform.python_version()},
            created_at=self._house.clock().isoformat(timespec="seconds"),
        )
        return _without_layers(meta) if isinstance(model, CountedModel) else meta

    def _data(self) -> dict[str, Any]:
        """What the model has read, as its checkpoint tells it."""
        options = {} if self.setting.corpus is None else dict(self.setting.corpus.options)
        what = {"name": self.corpus.name, "options": options, "sha256": self.corpus.sha256}
        return (
            what | self.corpus.counts | {"train": len(self.train_documents), "held_out": len(self.held_out)}
        )

    @cached_property
    def _run(self) -> str:
        """The run's name: the same corpus, shape and settings make the same run."""
        what = f"{self.corpus.sha256} {self.setting.model_dump_json()}"
        return hashlib.sha256(what.encode()).hexdigest()[:12]

    def _finish(self, result: Result) -> Trained:
        """Calibrate the best checkpoint and write its model card. Raises TrainingError if there is none."""
        if not checkpoint.names(self.root, self.name):  # one that was shipped is not ours to write to
            msg = f"model {self.name}: no checkpoint was made ({result.note})"
            raise TrainingError(msg)
        folder = self._house.checkpoint(self.name)
        sampler = self._house.sampler(self.name)
        meta = checkpoint.amend(folder, calibration=calibrate(sampler))
        texts = [document.text for document in self.corpus.documents]
        file = self._house.config.file
        command = f"bot train {self.name} --config {file.name if file.is_absolute() else file}"
        known = HashedTrainingSet.open(folder / FILE_NAME)
        card = model_card(meta, command, self.setting.warning, sampler.sample, known, texts)
        checkpoint.write_atomically(folder / "README.md", card.encode())
        return Trained(folder, meta, result)


@contextmanager
def alone(shelf: Path) -> Iterator[None]:
    """Nobody else trains this model meanwhile; the lock ends with the process, however that ends.

    Raises TrainingError where somebody does, CheckpointError where the folder cannot be written to.
    """
    try:
        lock = (shelf / LOCK).open("w")
    except OSError as error:
        raise CheckpointError(f"{shelf}: cannot be written: {error.strerror}") from error
    with lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except OSError as error:
            msg = f"{shelf.name} is being trained by another process: wait for it, or stop it with Ctrl-C"
            raise TrainingError(msg) from error
        yield


def _without_layers(meta: Meta) -> Meta:
    """What is true of a counted model: it has no sizes, and of the settings only the split concerns it."""
    settings = {name: meta.settings[name] for name in ("validation_share", "seed")}
    return replace(meta, embedding_size=0, hidden_size=0, num_layers=0, head_norm=False, settings=settings)
