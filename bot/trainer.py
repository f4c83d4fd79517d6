"""Trains a model of the configuration: corpus in, checkpoints out.

It brings together what the training loop must not know: texts, folders, the novelty index, the model card.
Whatever stops it, the checkpoints stay loadable and the run can be gone on with.
"""

import hashlib
import logging
import os
import platform
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fcntl import LOCK_EX, LOCK_NB, flock
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.config import Choice
from bot.curation.novelty import FILE_NAME, HashedTrainingSet, build_index
from bot.curation.profile import FILE_NAME as PROFILE
from bot.curation.profile import CorpusProfile
from bot.errors import CheckpointError, ConfigError, DeviceError, NoCheckpoint, StoreError, TrainingError
from bot.house import House
from bot.model import checkpoint
from bot.model.checkpoint import CARD, Meta, Plugin
from bot.model.counted import CountedModel, Model, count
from bot.model.devices import CPU, is_out_of_memory, moved, put
from bot.model.evaluation import evaluate
from bot.model.goal import NEXT_TOKEN, Goal
from bot.model.language_model import LanguageModel
from bot.model.layouts import lay_out
from bot.model.ngram import NGram
from bot.model.plan import Plan, make_plan
from bot.model.profiling import Profile, profile
from bot.model.sampling import Sampler, calibrate
from bot.model.tags import NO_TAGS, Tags, lay_out_tagged, word_ends
from bot.model.training import Result, train
from bot.model.training_state import Position, changes, load_position, shaping
from bot.model.watch import Measurement, as_csv
from bot.model.weights import pack
from bot.records import Document, Progress, Sampling
from bot.reports.card import model_card
from bot.reports.losses import draw_losses
from bot.text.corpus import MOST_SOURCES, Corpus
from bot.text.parts import Ids, Part, Parts, divide, of_documents, of_stream, texts
from bot.text.vocabulary import Vocabulary

log = logging.getLogger(__name__)

LOCK = ".lock"  # of who trains a model, beside its checkpoints
STATE = "run.safetensors"  # of the latest run, beside its checkpoints
FAILED = "failed.safetensors"  # the same of one that was given up
PICTURE = "losses.png"  # of the run, beside its checkpoints
EVALUATIONS = 8  # of a run at least, about
LIMITS = {  # a run may be given others
    *("max_steps", "max_epochs", "max_minutes", "evaluate_every", "patience", "rollbacks"),
    *("keep_checkpoints", "name_prefix"),
}
NETWORK = {"tokenizer", "cell", "embedding_size", "hidden_size", "num_layers", "head_norm"}
SMALLEST = 4  # ids of a vocabulary: the special ones and one more
SHOWN = Sampling((0.8, 0.8))


@dataclass(frozen=True)
class Trained:
    """How a training ended and where its best checkpoint lies.

    best: what was measured of this run's best weights. better: the model's `best` where that is an earlier
    run's; the folder then is this run's latest.
    """

    folder: Path
    meta: Meta
    result: Result
    best: Measurement
    better: Meta | None


@contextmanager
def opened(house: House, name: str, corpus: Corpus | None = None) -> Iterator["Trainer"]:
    """The trainer of a model; nobody else trains it meanwhile. Raises TrainingError where somebody does."""
    house.model(name)
    with alone(checkpoint.make_shelf(house.config.checkpoints_folder, name)):
        yield Trainer(house, name, corpus)


class Trainer:
    """One model's training. Making one reads the corpus; `run` trains. Raises CorpusError, ConfigError.

    corpus: the model's own, where it was read already.
    """

    def __init__(self, house: House, name: str, corpus: Corpus | None = None):
        self._house, self.name, self.setting = house, name, house.model(name)
        house.new_model(name, SMALLEST)  # what is wrong with its cell is told at once
        self.corpus = corpus or house.corpus(name)
        self._reader = self._learned(self.setting.tokenizer)
        self._tokenizer = house.registry.build("tokenizers", self._reader)
        self._parts = self._divided()
        self._vocabulary = self._parts.vocabulary
        self._parts = replace(self._parts, train=self._chosen(self._parts.train))
        self._train_ids, self._held_out_ids = self._parts.train.ids, self._parts.held_out.ids
        self._sources = self._tagged_sources()
        self.history: Sequence[Measurement] = ()  # what was measured, also before a run was gone on with

    @property
    def root(self) -> Path:
        return self._house.config.checkpoints_folder

    @property
    def train_documents(self) -> Sequence[Document]:
        return self._parts.train.documents

    @property
    def held_out(self) -> Sequence[Document]:
        return self._parts.held_out.documents

    @property
    def train_ids(self) -> Sequence[Sequence[int]]:
        return self._train_ids

    @property
    def held_out_ids(self) -> Sequence[Sequence[int]]:
        return self._held_out_ids

    @property
    def vocabulary(self) -> Vocabulary:
        return self._vocabulary

    def split(self, text: str) -> list[str]:
        """A text's tokens."""
        tokens: list[str] = self._tokenizer.split(text)
        return tokens

    def join(self, tokens: Sequence[str]) -> str:
        text: str = self._tokenizer.join(tokens)
        return text

    @property
    def parameters(self) -> int:
        """Numbers that the network learns; of a counted model none."""
        model = self._house.new_model(self.name, len(self._vocabulary), len(self._sources))
        return sum(weights.numel() for weights in model.parameters())

    @property
    def remark(self) -> str:
        """What is odd about the settings for this corpus, "" if nothing is."""
        training = self.setting.training
        rows = lay_out(self._train_ids, training).rows
        if rows >= training.batch_size or self.is_counted:
            return self._parts.remark
        return (
            f"batch_size {training.batch_size}: there are only {rows} rows, each step reads the whole corpus."
        )

    @property
    def vocabulary_size(self) -> int:
        return len(self._vocabulary)

    @property
    def is_counted(self) -> bool:
        """Whether its cell is counted, not trained."""
        return isinstance(self._house.new_model(self.name, SMALLEST), CountedModel)

    def plan(self, fresh: bool = False) -> Plan:
        """What `run` will do. Raises TrainingError for an unfinished run that was begun otherwise."""
        then = None if fresh else self._stored()
        plan = make_plan(self.name, then, self._about, self.setting.training)
        if then is None or plan.do != "nothing":
            return plan
        folder = self.own(then.history)
        if folder is None:
            return Plan("begin", "Beginning anew: the finished run's checkpoints are gone.")
        return plan if (folder / CARD).exists() else Plan("go on", "Finishing the run: its card is missing.")

    @cached_property
    def ngram_loss(self) -> float:
        """The baseline's held-out loss: a 5-gram model of the same split."""
        baseline = NGram(order=5)
        baseline.fit(texts(self._train_ids))
        return baseline.loss(texts(self._held_out_ids))

    def prepare(self) -> None:
        """Make what all checkpoints of this run have in common; a large corpus takes a while."""
        _ = self.ngram_loss, self._files

    def run(self, progress: Callable[[Progress], None], fresh: bool = False) -> Trained:
        """Do what `plan` says; an evaluation publishes a checkpoint."""
        model = self._new_model()
        if isinstance(model, CountedModel):
            return self._finish(self._count(model, progress))
        result = self._train(model, progress, resume=self.plan(fresh).do != "begin")
        if result.gave_up and self._state_file.exists():  # it would fail again: the next run begins anew
            self._state_file.replace(self._failed_file)
        return self._finish(result)  # stopped in here, the same command finishes

    def profile(self, steps: int = 50, goal: Goal = NEXT_TOKEN) -> Profile:
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
                evaluations=EVALUATIONS,
                steps=steps,
                tags=self._tags,
                goal=goal,
            )

    def _count(self, model: CountedModel, progress: Callable[[Progress], None]) -> Result:
        save = partial(self._save, self.root)
        return count(model, texts(self._train_ids), texts(self._held_out_ids), save=save, progress=progress)

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
                evaluations=EVALUATIONS,
                about=self._about,
                tags=self._tags,
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
        return self._train(moved(model, CPU), progress, resume=self._state_file.exists())

    @property
    def failure(self) -> str:
        """How a run begun just so has failed before, "" if none has."""
        if not self._failed_file.exists():
            return ""
        then = load_position(self._failed_file)
        same = not changes(then.fingerprint, self._about | shaping(self.setting.training))
        return then.ended if same else ""

    @property
    def _state_file(self) -> Path:
        return self.root / self.name / STATE

    @property
    def _failed_file(self) -> Path:
        return self.root / self.name / FAILED

    def _learned(self, tokenizer: Choice) -> Choice:
        """The tokenizer with what it has learned of the documents to learn from, if it is one that learns."""
        learn = getattr(self._house.registry.build("tokenizers", tokenizer), "learn", None)
        if learn is None:
            return tokenizer
        training = self.setting.training
        shares = training.validation_share, training.test_share
        train, _, _ = divide(self.corpus.documents, *shares, training.seed)
        return replace(tokenizer, options=tokenizer.options | learn(one.text for one in train))

    def _chosen(self, part: Part) -> Part:
        """Of the part to learn from what is. Raises ConfigError for sources that there are not."""
        shares, seed = self.setting.training.learn_from, self.setting.training.seed
        if not shares:
            return part
        if strange := shares.keys() - self.corpus.sources.keys():
            there = ", ".join(self.corpus.sources) or "none"
            where = f"models.{self.name}.training.learn_from"
            raise ConfigError(f"{where}: there is no source {sorted(strange)[0]!r} (there: {there})")
        draw = random.Random(f"sources {seed}")
        pairs = zip(part.documents, part.ids, strict=True)
        kept = [pair for pair in pairs if draw.random() < shares.get(pair[0].source, 0.0)]
        return Part(tuple(document for document, _ in kept), [ids for _, ids in kept])

    def _tagged_sources(self) -> tuple[str, ...]:
        """Whose tags the model reads. Raises ConfigError where the corpus has not several sources."""
        if not self.setting.source_tags:
            return ()
        if len(self.corpus.sources) < 2:
            msg = (
                f"models.{self.name}.source_tags: the corpus {self.corpus.name} has not 2 to {MOST_SOURCES} "
            )
            raise ConfigError(msg + "sources to tell apart; `mix` names some")
        return tuple(self.corpus.sources)

    @property
    def _tags(self) -> Tags:
        """Of each text to learn from and each held out: the place of its source, from 1."""
        if not self._sources:
            return NO_TAGS
        first, second = ([self._tag(one) for one in part] for part in (self.train_documents, self.held_out))
        return Tags(first, second, self._word_ends)

    @cached_property
    def _word_ends(self) -> NDArray[np.bool_]:
        decoded = (self._vocabulary.decode([id]) for id in range(len(self._vocabulary)))
        return word_ends([self._tokenizer.join(tokens) for tokens in decoded])

    def _tag(self, document: Document) -> int:
        return self._sources.index(document.source) + 1

    def _divided(self) -> Parts:
        training, documents = self.setting.training, self.corpus.documents
        shares = training.validation_share, training.test_share
        if training.layout == "stream":
            return of_stream(
                documents, self._tokenizer, *shares, training.batch_size, training.sequence_length
            )
        return of_documents(documents, self._tokenizer, *shares, training.seed)

    def _stored(self) -> Position | None:
        """Where the stored run stands; None if there is none or it has made no step."""
        if not self._state_file.exists():
            return None
        position = load_position(self._state_file)
        return position if position.step else None

    @cached_property
    def _about(self) -> dict[str, Any]:
        """What else of a run must stay as it was: what is read and by which network."""
        training = self.setting.training
        about: dict[str, Any] = {
            "corpus": self.corpus.sha256,
            "validation_share": training.validation_share,
        }
        if training.test_share:  # runs of before there was such a part can be gone on with
            about["test_share"] = training.test_share
        source = self._house.cell_source(self.setting.cell)
        if source:
            about[source["file"]] = source["sha256"]
        if self._sources:  # and of before there were tags
            about["source_tags"] = True
        for name in ("init_from", "learn_from"):
            if getattr(training, name):
                about[name] = getattr(training, name)
        return about | self.setting.model_dump(mode="json", include=NETWORK)

    def _new_model(self) -> Model:
        model: Model = self._house.new_model(self.name, len(self._vocabulary), len(self._sources))
        if self.setting.training.init_from:
            self._begin_with(model, self.setting.training.init_from)
        return put(model, self._house.config.device)

    def _begin_with(self, model: Model, what: str) -> None:
        """Take another's weights. Raises ConfigError where its vocabulary or its shape is another."""
        name, _, which = what.partition("/")
        folder = self._house.checkpoint(name, which or "best")
        where = f"models.{self.name}.training.init_from: {name}/{folder.name}"
        theirs = Vocabulary.load(folder / checkpoint.VOCABULARY)
        if theirs.tokens != self._vocabulary.tokens:
            other = set(theirs.tokens) ^ set(self._vocabulary.tokens)
            named = ", ".join(map(repr, sorted(other)[:5])) or "the same tokens in another order"
            raise ConfigError(f"{where} has another vocabulary ({named}): its weights mean other tokens")
        weights = self._house.load_model(folder, checkpoint.read_meta(folder)).state_dict()
        shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
        if {name: tensor.shape for name, tensor in weights.items()} != shapes:
            raise ConfigError(f"{where} has another shape: cell, sizes and num_layers must be the same")
        model.load_state_dict(weights)

    def loss_by_source(self, folder: Path) -> dict[str, float]:
        """The held-out loss of a checkpoint of this corpus and tokenizer, source by source."""
        meta = checkpoint.read_meta(folder)
        model = self._house.load_model(folder, meta)
        if isinstance(model, CountedModel):
            return {name: model.loss(texts(ids)) for name, (ids, _) in self._held_out_by_source().items()}
        return {
            name: evaluate(model, lay_out_tagged(ids, tags, self.setting.training, self._word_ends))
            for name, (ids, tags) in self._held_out_by_source().items()
        }

    def _held_out_by_source(self) -> dict[str, tuple[Ids, list[int]]]:
        """Ids, and tags where the model reads them."""
        found: dict[str, tuple[list[Sequence[int]], list[int]]] = {}
        for document, ids in zip(self.held_out, self._held_out_ids, strict=True):
            all_ids, tags = found.setdefault(document.source, ([], []))
            all_ids.append(ids)
            tags += [self._tag(document)] if self._sources else []
        return dict(found)

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
        if self.setting.training.keep_checkpoints:
            return
        bots = self._house.config.bots.values()
        named = {f"{bot.model}/{name}" for bot in bots for name in bot.checkpoints}
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
            tokenizer=Plugin(self._reader.name, dict(self._reader.options)),
            cell=Plugin(setting.cell.name, dict(setting.cell.options)),
            vocabulary_size=len(self._vocabulary),
            embedding_size=setting.embedding_size,
            hidden_size=setting.hidden_size,
            num_layers=setting.num_layers,
            head_norm=setting.head_norm,
            sources=self._sources,
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
            cell_source=self._house.cell_source(setting.cell),
            build={"torch": version("torch"), "python": platform.python_version()},
            created_at=self._house.clock().isoformat(timespec="seconds"),
        )
        return _without_layers(meta) if isinstance(model, CountedModel) else meta

    def _data(self) -> dict[str, Any]:
        """What the model has read, as its checkpoint tells it."""
        options = {} if self.setting.corpus is None else dict(self.setting.corpus.options)
        what = {"name": self.corpus.name, "options": options, "sha256": self.corpus.sha256}
        parts = {"train": len(self.train_documents), "held_out": len(self.held_out)}
        told = {"steps": dict(self.corpus.steps), "sources": self.corpus.sources}
        return what | self.corpus.counts | parts | {name: counts for name, counts in told.items() if counts}

    @cached_property
    def _run(self) -> str:
        """The run's name: the same corpus, shape and settings make the same run, however long it is."""
        what = f"{self.corpus.sha256} {self.setting.model_dump_json(exclude={'training': LIMITS})}"
        return hashlib.sha256(what.encode()).hexdigest()[:12]

    def own(self, rows: Sequence[Measurement]) -> Path | None:
        """This run's checkpoint, told by what was measured of it: `best`, `latest` or None."""
        measured = {(row.step, row.held_out_loss) for row in rows}
        for which in checkpoint.POINTERS if checkpoint.names(self.root, self.name) else ():
            folder = checkpoint.find([self.root], self.name, which)
            meta = checkpoint.read_meta(folder)
            if (meta.step, meta.held_out_loss) in measured:
                return folder
        return None

    def _finish(self, result: Result) -> Trained:
        """Calibrate this run's checkpoint and write its model card. Raises NoCheckpoint if there is none."""
        rows = self.history or result.history
        folder = self.own(rows)
        if folder is None:
            msg = f"model {self.name}: no checkpoint was made ({result.note})"
            raise NoCheckpoint(msg, result.note, failed=not result.interrupted)
        sampler = self._house.sampler(self.name, folder.name)
        meta = checkpoint.amend(folder, calibration=calibrate(sampler), test_loss=self._test_loss(folder))
        texts = [document.text for document in self.corpus.documents]
        file = self._house.config.file
        command = f"bot train {self.name} --config {file.name if file.is_absolute() else file}"
        known = HashedTrainingSet.open(folder / FILE_NAME)
        card = model_card(meta, command, self.setting.warning, sampler.sample, known, texts)
        checkpoint.write_atomically(folder / CARD, card.encode())
        best = checkpoint.find([self.root], self.name)
        better = checkpoint.read_meta(best) if best != folder else None
        return Trained(folder, meta, result, min(rows, key=lambda row: row.held_out_loss), better)

    def _test_loss(self, folder: Path) -> float | None:
        """Of a checkpoint, on what was kept apart; None where nothing was."""
        ids, meta = self._parts.test.ids, checkpoint.read_meta(folder)
        if not ids:
            return None
        model = self._house.load_model(folder, meta)
        if isinstance(model, CountedModel):
            return model.loss(texts(ids))
        tags = [self._tag(one) for one in self._parts.test.documents] if meta.sources else []
        return evaluate(model, lay_out_tagged(ids, tags, self.setting.training, self._word_ends))


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
    return replace(
        meta, embedding_size=0, hidden_size=0, num_layers=0, head_norm=False, sources=(), settings=settings
    )
