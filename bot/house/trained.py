"""What the names of models, checkpoints, corpora, tokenizers and cells in config.yaml mean.

Only making a model loads torch.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import config as settings
from bot.curation.habits import Habit
from bot.curation.index_store import IndexStore
from bot.curation.novelty import FILE_NAME, HashedTrainingSet, TextTrainingSet
from bot.curation.profile import FILE_NAME as PROFILE
from bot.curation.profile import CorpusProfile
from bot.curation.taste import arms
from bot.curation.taste.measures import Share
from bot.errors import BotError, CheckpointError, CorpusError, PluginError
from bot.house.stores import Stores
from bot.interfaces import Constraint, Tokenizer
from bot.model import checkpoint
from bot.records import (
    Sampling,
)
from bot.registry import Registry
from bot.text.corpus import Corpus, gather, split

if TYPE_CHECKING:
    from bot.model.checkpoint import Meta
    from bot.model.counted import Model
    from bot.model.sampling import Sampler

log = logging.getLogger(__name__)
FUNNIEST = "funniest"  # the checkpoint whose drafts earned most approvals
MANY = 200_000  # texts; to index fewer takes seconds


class Trained(Stores):
    """What was trained, and what it was trained from."""

    @property
    def checkpoint_roots(self) -> list[Path]:
        """Where checkpoints are looked for: the configured folder, then the shipped one."""
        return [self.config.checkpoints_folder, settings.shipped() / "checkpoints"]

    def checkpoint(self, model: str, which: str = "best") -> Path:
        """Raises ConfigError for a name that is no model's, CheckpointError for one not yet trained."""
        if not self.has_checkpoint(model):
            self.model(model)
        return checkpoint.find(self.checkpoint_roots, model, which)

    def checkpoints_of(self, bot: str) -> list[Path]:
        """The checkpoints that a bot speaks with now, each once; what `funniest` is while that is undecided
        is the best one.
        """
        model, named = self.bot(bot).model, self.bot(bot).checkpoints
        meant = [self._funniest(bot, model) if which == FUNNIEST else which for which in named]
        return [*dict.fromkeys(self.checkpoint(model, which) for which in meant)]

    def _funniest(self, bot: str, model: str) -> str:
        earned: dict[str, list[Share]] = {}
        for arm, share in self.judgements.earned(bot).items():
            if arm.checkpoint.startswith(f"{model}/"):
                earned.setdefault(arm.checkpoint.removeprefix(f"{model}/"), []).append(share)
        found = arms.funniest({name: arms.joined(shares) for name, shares in earned.items()})
        there = [name for root in self.checkpoint_roots for name in checkpoint.names(root, model)]
        return found if found in there else "best"

    def owns(self, checkpoint_: Path) -> bool:
        """Whether it lies among the configuration's own, and did not come with the program."""
        return checkpoint_.is_relative_to(self.config.checkpoints_folder)

    def has_checkpoint(self, model: str) -> bool:
        """Whether there is any."""
        return any(checkpoint.names(root, model) for root in self.checkpoint_roots)

    def corpus(self, model: str) -> Corpus:
        """Raises CorpusError where there is none or it cannot be read, PluginError where its code fails."""
        choice = self.model(model).corpus
        if choice is None:
            msg = f"{self.config.file}: models.{model}: there is no `corpus:` to learn from"
            raise CorpusError(msg)
        documents = Registry(self._plugins, self._data).build("corpora", choice)
        try:
            return gather(documents, choice.name)
        except CorpusError as error:
            raise CorpusError(f"{choice.where()}: {error}") from error
        except BotError:
            raise
        except Exception as error:  # a factory is a generator mostly, so its code runs only here
            at = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(at.filename).name}, line {at.lineno}"
            msg = f"{choice.where()}: the corpus failed: {type(error).__name__}: {error} ({where})"
            raise PluginError(msg) from error

    def known_texts(self, folder: Path) -> HashedTrainingSet:
        """The checkpoint's novelty index: hashes of its corpus."""
        return HashedTrainingSet.open(folder / FILE_NAME)

    def training_set(self, model: str, folder: Path) -> HashedTrainingSet | TextTrainingSet:
        """The texts the model learned from, where they are kept or at hand; else hashes of them."""
        sha256 = str(checkpoint.read_meta(folder).corpus.get("sha256"))
        kept = self.texts.open(sha256)
        if kept is None and (corpus := self._very_corpus(model, folder)):
            if (count := len(corpus.documents)) >= MANY:  # it takes a while
                print(f"indexing the {count:,} texts of {model}, once ...", file=sys.stderr, flush=True)
            kept = self.texts.keep(sha256, corpus.documents)
        return self.known_texts(folder) if kept is None else TextTrainingSet(kept)

    @cached_property
    def texts(self) -> IndexStore:
        """The corpora that models have read, ready to be searched."""
        return IndexStore(self.config.folder / ".novelty")

    def _very_corpus(self, model: str, folder: Path) -> Corpus | None:
        """The corpus that a checkpoint has learned, if it is at hand."""
        try:
            corpus = self.corpus(model)
        except BotError:  # only training needs it; what is wrong with it, `bot doctor` says
            return None
        changed = corpus.sha256 != checkpoint.read_meta(folder).corpus.get("sha256")
        return None if changed else corpus  # one that has changed cannot vouch for what the model has read

    def profile(self, model: str, folder: Path) -> CorpusProfile:
        """The checkpoint's profile of its corpus; one made before there were profiles gets it here.

        Raises CheckpointError where it has none and the corpus is not at hand.
        """
        place = folder / PROFILE
        if place.exists():
            return CorpusProfile.open(place)
        corpus = self._very_corpus(model, folder)
        if corpus is None:
            msg = f"{place}: there is no profile of the corpus, which one of the filters needs: let "
            msg += f"models.{model}.corpus name the very corpus that was learned, or train again"
            raise CheckpointError(msg)
        made = CorpusProfile.of(*_parts(corpus, checkpoint.read_meta(folder)))
        with suppress(CheckpointError):  # a folder that may not be written to gets it each time
            checkpoint.write_atomically(place, made.packed())
        return made

    def usual(self, model: str, checkpoints: Sequence[str]) -> Callable[[Habit], float]:
        """The share of the corpus's items that have a habit, the greatest of several corpora's; 0.0 where no
        checkpoint has a profile.
        """
        profiles = []
        for name in checkpoints:
            with suppress(CheckpointError):
                profiles.append(CorpusProfile.open(self.checkpoint(model, name) / PROFILE))
        return lambda habit: max((profile.share(habit) for profile in profiles), default=0.0)

    def sampler(self, model: str, which: str = "best") -> "Sampler":
        """A checkpoint ready to sample; its meta.json, not the configuration, says what it is."""
        from bot.model.devices import put
        from bot.model.sampling import Sampler
        from bot.text.vocabulary import Vocabulary

        folder = self.checkpoint(model, which)
        meta = checkpoint.read_meta(folder)
        vocabulary = Vocabulary.load(folder / checkpoint.VOCABULARY)
        if len(vocabulary) != meta.vocabulary_size:
            place, ids = folder / checkpoint.VOCABULARY, len(vocabulary)
            msg = f"{place}: {ids} ids, the model has {meta.vocabulary_size}"
            raise CheckpointError(msg)
        return Sampler(
            put(self.load_model(folder, meta), self.config.device),
            vocabulary,
            self.tokenizer(meta.tokenizer),
            f"{model}/{folder.name}",
            meta.held_out_loss,
            constraint=lambda rule: self.constraint(settings.Choice(rule.name, rule.options)),
            sources=meta.sources,
        )

    def load_model(self, folder: Path, meta: "Meta") -> "Model":
        """A checkpoint's model, on the CPU. CheckpointError if it or the plugin of its cell is missing."""
        from bot.model.weights import load_model

        try:
            source = self.cell_source(meta.cell)
        except PluginError as error:
            msg = f"{folder.parent.name}/{folder.name} cannot be sampled: {error}"
            msg += (
                f" It was trained with {meta.cell_source['file']}: put that back" if meta.cell_source else ""
            )
            raise CheckpointError(msg) from error
        if meta.cell_source and source != meta.cell_source and folder not in self._doubted:
            self._doubted.add(folder)
            log.warning(
                "%s/%s was trained with another %s: what it samples may make no sense",
                *(folder.parent.name, folder.name, meta.cell_source["file"]),
            )
        return load_model(folder, meta, self.model_maker(meta.cell))

    def cell_source(self, choice: Any) -> dict[str, str]:
        """The file of a cell and its digest; {} for a shipped one. Raises PluginError if there is none."""
        return self.registry.source("cells", _choice(choice))

    def new_model(self, name: str, vocabulary_size: int, sources: int = 0) -> "Model":
        """An untrained model as configured. sources: how many it has tags for.

        A wrong cell is a ConfigError or PluginError with its line.
        """
        from bot.model.counted import CountedModel
        from bot.model.language_model import begin_evenly

        setting = self.model(name)
        model: Model = self.model_maker(setting.cell)(
            vocabulary_size=vocabulary_size,
            embedding_size=setting.embedding_size,
            hidden_size=setting.hidden_size,
            num_layers=setting.num_layers,
            head_norm=setting.head_norm,
            sources=sources,
            seed=setting.training.seed,
        )
        if setting.training.initial_range and not isinstance(model, CountedModel):
            begin_evenly(model, setting.training.initial_range, setting.training.seed)
        return model

    def constraint(self, choice: settings.Choice) -> Constraint:
        """Raises PluginError, ConfigError."""
        built: Constraint = self.registry.build("constraints", choice)
        steps = [getattr(built, name, None) for name in ("advance", "missing")]
        if not all(map(callable, steps)) or getattr(built, "start", None) is None:
            msg = f"{choice.where()}: the factory gave {built!r:.60}, no constraint"
            raise PluginError(msg)
        return built

    def asked(self, sampling: Sampling) -> Callable[[str], bool]:
        """Whether a text begins with the sampling's prefix and satisfies its constraints."""
        from bot.model.automaton import Together, allows

        rules = [self.constraint(settings.Choice(rule.name, rule.options)) for rule in sampling.constraints]
        together = Together(rules)
        return lambda text: text.startswith(sampling.prefix) and allows(together, text)

    def tokenizer(self, choice: Any) -> Tokenizer:
        tokenizer: Tokenizer = self.registry.build("tokenizers", _choice(choice))
        return tokenizer

    def model_maker(self, choice: Any) -> Callable[..., Any]:
        """make(vocabulary_size=..., embedding_size=..., ...) -> a new model of this cell."""
        from bot.model.counted import CountedModel
        from bot.model.language_model import build

        new = partial(self.registry.build, "cells", _choice(choice))

        def make(**sizes: Any) -> Any:
            kind = self.registry.look_up("cells", choice.name, _choice(choice).place)
            if isinstance(kind, type) and issubclass(kind, CountedModel):
                return new(vocabulary_size=sizes["vocabulary_size"])
            return build(lambda i, h: new(input_size=i, hidden_size=h), **sizes)

        return make


def _parts(corpus: Corpus, meta: checkpoint.Meta) -> Iterator[list[str]]:
    """The texts a checkpoint has learned, and those held out; of an imported one nobody knows which."""
    share = meta.settings.get("validation_share", settings.Training().validation_share)
    for part in split(corpus.documents, share, meta.seed):
        yield [document.text for document in part]


def _choice(choice: Any) -> settings.Choice:
    """The configuration's own, which knows its line, or what a checkpoint says."""
    if isinstance(choice, settings.Choice):
        return choice
    return settings.Choice(choice.name, dict(choice.options))
