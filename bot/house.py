"""The rooms wired together for one config.yaml: here names become objects, each made when first asked for.

It decides nothing. Only making a model loads torch, so that reviewing and posting start fast.
"""

import json
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from bot import config as settings
from bot.config.places import alternatives
from bot.curation import gate
from bot.curation.chain import Chain, Context
from bot.curation.earlier import Earlier
from bot.curation.habits import Habit
from bot.curation.index_store import IndexStore
from bot.curation.novelty import FILE_NAME, HashedTrainingSet, TextTrainingSet
from bot.curation.profile import FILE_NAME as PROFILE
from bot.curation.profile import CorpusProfile
from bot.curation.taste import arms
from bot.curation.taste.measures import Share
from bot.errors import BotError, CheckpointError, ConfigError, CorpusError, PluginError
from bot.interfaces import Constraint, Filter, Renderer, Target, Tokenizer, TrainingSet
from bot.model import checkpoint
from bot.posting import fit
from bot.records import (
    Candidate,
    Delivery,
    Draft,
    Evidence,
    Halt,
    Judged,
    Kind,
    Limits,
    Measure,
    Outlet,
    Rendered,
    Sampling,
    Secret,
    Verdict,
)
from bot.registry import Registry
from bot.rendering import Renderings
from bot.review.decisions import Desk
from bot.review.liking import Liking
from bot.review.outgoing import Outgoing
from bot.review.shortlist import Shortlist
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.drafts import Drafts
from bot.store.judgements import Judgements
from bot.store.lineage import Lineage
from bot.store.media import MediaStore
from bot.store.overview import Overview
from bot.store.payload import payload
from bot.store.switches import Switches
from bot.text.corpus import Corpus, gather, split

if TYPE_CHECKING:
    from bot.model.checkpoint import Meta
    from bot.model.counted import Model
    from bot.model.sampling import Sampler

log = logging.getLogger(__name__)

RENDERED = "renderers"  # the filter of the verdict on what they made
FUNNIEST = "funniest"  # the checkpoint whose drafts earned most approvals
STOP = "STOP"  # the file that stops all bots
MANY = 200_000  # texts; to index fewer takes seconds
TRIAL = Candidate("A text.", "A text.", "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", "")  # for filters

Thing = TypeVar("Thing")


def utc_now() -> datetime:
    return datetime.now(UTC)


class House:
    """One configuration's rooms. data: where relative paths of corpora begin, if not beside config.yaml."""

    def __init__(
        self,
        config: settings.Config,
        clock: Callable[[], datetime] = utc_now,
        data: Path | None = None,
    ):
        self.config, self.clock = config, clock
        self.registry = Registry(config.folder / "plugins", config.folder)
        self._data = data or config.folder
        self._likings: dict[str, Liking] = {}
        self._doubted: set[Path] = set()  # checkpoints whose cell has changed, which was told

    @cached_property
    def database(self) -> Database:
        return Database(self.config.database_url, self.clock)

    @cached_property
    def drafts(self) -> Drafts:
        return Drafts(self.database)

    @cached_property
    def judgements(self) -> Judgements:
        return Judgements(self.database)

    @cached_property
    def lineage(self) -> Lineage:
        return Lineage(self.database, self.config.folder)

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.database, self.limits, self.switches, self.lineage.mark)

    @cached_property
    def switches(self) -> Switches:
        """What stops posting: this switch, and the file STOP beside config.yaml."""
        return Switches(self.database, self.config.folder / STOP)

    def halts(self, bot: str) -> Sequence[Halt]:
        """What stops the bot now, or one of the accounts it posts to."""
        found = self.switches.in_force()
        accounts = self.accounts(bot) if any(halt.scope == "account" for halt in found) else ()
        names: dict[str, Sequence[str]] = {"all": ("",), "bot": (bot,), "account": accounts}
        return [halt for halt in found if halt.name in names[halt.scope]]

    def accounts(self, bot: str) -> Sequence[str]:
        """Where the bot posts, and where it has anything left to post."""
        try:
            now = [target.account for target in self.targets(bot).values()]
        except BotError:  # what is wrong with them, `bot doctor` says
            now = []
        waiting = self.deliveries.list(state="planned", bot=bot)
        return sorted({*now, *(delivery.account for delivery in waiting)})

    def limits(self, bot: str) -> Limits:
        """Those of a bot that is gone are the built-in ones."""
        chosen = self.config.bots[bot].limits if bot in self.config.bots else settings.Limits()
        return Limits(chosen.per_hour, chosen.per_day, chosen.usd_per_month)

    @cached_property
    def overview(self) -> Overview:
        return Overview(self.database)

    def bot(self, name: str) -> settings.Bot:
        return _named(self.config.bots, name, "bot", self.config.file)

    def model(self, name: str) -> settings.Model:
        return _named(self.config.models, name, "model", self.config.file)

    # what was trained

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
        documents = Registry(self.config.folder / "plugins", self._data).build("corpora", choice)
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

    def evidence(self, bot: str, text: str, draft: int | None = None) -> Evidence:
        """How near a text comes to what the bot's model has read. draft: the one it belongs to."""
        known = self._known(self.bot(bot).model, self._checkpoint_for(bot, draft))
        earlier = Earlier(
            self.drafts.recent_texts(bot, besides=draft), self.drafts.recent_posts(bot, besides=draft)
        )
        [evidence], [match] = known.evidence([text]), earlier.nearest_of_all([text])
        return replace(evidence, earlier=match)

    @cached_property
    def _known(self) -> Callable[[str, Path], TrainingSet]:
        return cache(self.training_set)

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

    def new_model(self, name: str, vocabulary_size: int) -> "Model":
        """An untrained model as configured. A wrong cell is a ConfigError or PluginError with its line."""
        setting = self.model(name)
        model: Model = self.model_maker(setting.cell)(
            vocabulary_size=vocabulary_size,
            embedding_size=setting.embedding_size,
            hidden_size=setting.hidden_size,
            num_layers=setting.num_layers,
            head_norm=setting.head_norm,
            seed=setting.training.seed,
        )
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

    # what is chosen

    def filters(self, bot: str) -> list[tuple[str, Filter]]:
        built = [(choice, self.registry.build("filters", choice)) for choice in self.bot(bot).filters]
        for choice, filter in built:
            if not callable(filter):
                msg = f"{choice.where()}: the factory gave {filter!r:.60}, no filter"
                raise PluginError(msg)
        return [(choice.name, filter) for choice, filter in built]

    def gate(self, bot: str, text: str, draft: int | None = None) -> tuple[Verdict, ...]:
        """The fixed check of one text, by all corpora that the bot's models have read.

        draft: the one it belongs to, whose own posts do not count.
        """
        posts = self.drafts.recent_posts(bot, besides=draft)
        folders = self.checkpoints_of(bot)
        corpora = {str(checkpoint.read_meta(folder).corpus.get("sha256")): folder for folder in folders}
        said = [gate.judge(text, self.known_texts(folder), posts) for folder in corpora.values()]
        return next((verdicts for verdicts in said if verdicts[1].outcome == "reject"), said[0])

    def _checkpoint_for(self, bot: str, draft: int | None) -> Path:
        """Whose corpus a text is held against: its draft's, if the bot speaks with that, or the first."""
        folders = self.checkpoints_of(bot)
        own = self.drafts.get(draft).candidate.checkpoint if draft is not None else ""
        return next((it for it in folders if f"{it.parent.name}/{it.name}" == own), folders[0])

    def verdicts(self, bot: str, text: str, draft: int | None = None) -> tuple[Verdict, ...]:
        """The gate's, and what the bot's renderers and targets have against the text."""
        return (*self.gate(bot, text, draft), *self._fit(bot, text, self.targets(bot)))

    def _fit(self, bot: str, text: str, targets: Mapping[str, Target]) -> Iterator[Verdict]:
        rendered = self.rendered(bot, text)
        if self.bot(bot).renderers:
            yield self._judged(bot, rendered)
        if targets:
            yield fit.judge(targets, text, rendered.media)

    def _judged(self, bot: str, rendered: Rendered) -> Verdict:
        """What is wrong with what goes with a text: descriptions are read too, so the gate's rules hold."""
        for one in rendered.media:
            safety, _ = self.gate(bot, one.alt_text)
            if safety.outcome == "reject":
                return Verdict(RENDERED, "reject", f"The alt text of {one.name}: {safety.reason}")
        return Verdict(RENDERED, "ask" if rendered.reasons else "accept", "; ".join(rendered.reasons))

    def opinions(self, draft: Draft, text: str) -> tuple[Verdict, ...]:
        """What the bot's filters say of a text that a person wrote; it binds nobody."""
        model, folder = self.bot(draft.bot).model, self._checkpoint_for(draft.bot, draft.id)
        context = Context(
            self._known(model, folder), self.drafts.seen(draft.bot), partial(self.profile, model, folder)
        )
        try:
            return Chain(self.filters(draft.bot), context).opinions(replace(draft.candidate, text=text))
        except BotError as error:  # what a person writes does not wait until the filter is mended
            return (Verdict("filters", "ask", f"could not be asked: {Secret.redact(str(error))}"),)

    def try_filters(self, bot: str) -> None:
        """Ask the bot's filters about a text where no corpus is at hand: one may need more than hashes.

        Raises BotError for what a person must mend.
        """
        model = self.bot(bot).model
        for folder in self.checkpoints_of(bot) if self.has_checkpoint(model) else ():
            sha256 = str(checkpoint.read_meta(folder).corpus.get("sha256"))
            if self.texts.open(sha256) is None and self._very_corpus(model, folder) is None:
                context = Context(self.known_texts(folder), (), partial(self.profile, model, folder))
                for choice, (name, filter) in zip(self.bot(bot).filters, self.filters(bot), strict=True):
                    try:
                        Chain([(name, filter)], context).opinions(TRIAL)
                    except BotError as error:
                        said = str(error).removeprefix(f"{name}: ")
                        raise ConfigError(f"{choice.where()}: {said}") from error

    def fitting(self, bot: str, judged: Sequence[Judged]) -> list[Judged]:
        """What no target objects to is kept; what cannot be asked now is when a draft is to be approved."""
        try:
            targets = self.targets(bot)
        except BotError:
            targets = {}
        try:
            return [self._fitted(bot, one, targets) if one.kept else one for one in judged]
        except BotError as error:  # a renderer that must be mended; nothing is approved until then
            log.warning("%s", error)
            return list(judged)

    def _fitted(self, bot: str, judged: Judged, targets: Mapping[str, Target]) -> Judged:
        verdicts = self._fit(bot, judged.candidate.text, targets)
        return replace(judged, verdicts=(*judged.verdicts, *verdicts))

    def check_delivery(self, delivery: Delivery) -> Sequence[Verdict]:
        """The gate once more, before anything is sent; what a person has overridden does not count again."""
        if delivery.payload and delivery.payload != payload(delivery):
            return [Verdict("approval", "reject", "what would be posted is not what was approved")]
        verdicts = self.gate(delivery.bot, delivery.text, delivery.draft)
        decided = self.drafts.decisions(delivery.draft)
        approvals = [decision for decision in decided if decision.verdict == "approve"]
        overridden = bool(approvals) and approvals[-1].override
        return [verdict for verdict in verdicts if not (overridden and verdict.filter == gate.COPY)]

    def desk(self, actor: str) -> Desk:
        return Desk(self.drafts, self.verdicts, self.outlets, actor, self.evidence, self.opinions)

    def outgoing(self, actor: str) -> Outgoing:
        return Outgoing(self.deliveries, actor)

    def shortlist(self) -> Shortlist:
        """In what order the pending drafts are shown."""
        return Shortlist(self.drafts, self.judgements, self._explore)

    def liking(self, bot: str) -> Liking:
        """What the bot's owner would surely approve, learned up to now."""
        liking = self._likings.setdefault(bot, Liking(self.judgements, bot, self.bot(bot).taste.precision))
        liking.catch_up()
        return liking

    def _explore(self, bot: str) -> float | None:
        """None where drafts are shown oldest first, as those of a bot that is gone."""
        setting = self.config.bots.get(bot)
        return setting.taste.explore if setting and setting.taste.order == "best" else None

    # where it goes

    def targets(self, bot: str) -> dict[str, Target]:
        """By label: the plugin's name, numbered where a bot has several of a kind."""
        built = {}
        for label, choice in _labelled(self.bot(bot).targets).items():
            built[label] = self.registry.build("targets", choice)
            if fault := _fault(built[label]):
                msg = f"{choice.where()}: the target {fault}"
                raise PluginError(msg)
        return built

    def labels(self, bot: str) -> Sequence[str]:
        """The same labels; none is built."""
        return tuple(_labelled(self.bot(bot).targets))

    def outlets(self, bot: str, text: str, rendered: Rendered | None = None) -> tuple[Outlet, ...]:
        """Where a text goes and what goes with it; rendered: what was made of it, if that is known."""
        media = (rendered or self.rendered(bot, text)).media
        return tuple(
            Outlet(
                label,
                target.account,
                target.kind,
                text,
                fit.cost(label, target, text),
                fit.chosen(target, media),
                fit.manner(target),
                fit.left_out(label, target, media),
            )
            for label, target in self.targets(bot).items()
        )

    def measures(self, bot: str, text: str) -> dict[str, Measure]:
        """What each target of a bot has to say of a text's length."""
        return {
            label: Measure(target.measure(text), target.max_length, fit.objection(label, target, text))
            for label, target in self.targets(bot).items()
        }

    # what goes with it

    @cached_property
    def media(self) -> MediaStore:
        """The attachments' bytes."""
        return MediaStore(self.database)

    @cached_property
    def renderings(self) -> Renderings:
        return Renderings(partial(build_renderer, self.config), self.media)

    def renderers(self, bot: str) -> dict[str, Renderer]:
        """By label, as targets."""
        built = {}
        for label, choice in _labelled(self.bot(bot).renderers).items():
            built[label] = self.registry.build("renderers", choice)
            if not callable(built[label]):
                msg = f"{choice.where()}: the factory gave {built[label]!r:.60}, no renderer"
                raise PluginError(msg)
        return built

    def rendered(self, bot: str, text: str, anew: bool = True) -> Rendered:
        """What goes with a text of a bot; made now where it is not there yet, unless `anew` is False.

        Raises BotError where a renderer cannot be built.
        """
        recipes = {
            label: json.dumps([choice.name, choice.options], sort_keys=True, default=str)
            for label, choice in _labelled(self.bot(bot).renderers).items()
        }
        if not recipes:
            return Rendered()
        return self.renderings.of(bot, recipes, text) if anew else self.renderings.kept(recipes, text)


def build_renderer(config: settings.Config, bot: str, label: str) -> Renderer:
    """A bot's renderer by label. Called in the renderers' process."""
    house = House(config)
    choice = _labelled(house.bot(bot).renderers)[label]
    renderer: Renderer = house.registry.build("renderers", choice)
    return renderer


def _labelled(chosen: Sequence[settings.Choice]) -> dict[str, settings.Choice]:
    """By the plugin's name, numbered where there are several of it."""
    several = Counter(choice.name for choice in chosen)
    met: Counter[str] = Counter()
    labelled = {}
    for choice in chosen:
        met[choice.name] += 1
        label = f"{choice.name}-{met[choice.name]}" if several[choice.name] > 1 else choice.name
        labelled[label] = choice
    return labelled


def _parts(corpus: Corpus, meta: checkpoint.Meta) -> Iterator[list[str]]:
    """The texts a checkpoint has learned, and those held out; of an imported one nobody knows which."""
    share = meta.settings.get("validation_share", settings.Training().validation_share)
    for part in split(corpus.documents, share, meta.seed):
        yield [document.text for document in part]


def _fault(target: Target) -> str:
    """What a target lacks to be one, "" if nothing: what it says of itself is stored beside every post."""
    if missing := [name for name in ("post", "find", "measure") if not callable(getattr(target, name, None))]:
        return f"has no method {missing[0]!r}"
    kind, account = getattr(target, "kind", None), getattr(target, "account", None)
    if kind not in get_args(Kind):
        return f"has the kind {kind!r} (have {', '.join(get_args(Kind))})"
    if not isinstance(account, str) or not account:
        return f"has the account {account!r}, no text that says who posts"
    return "" if hasattr(target, "max_length") else "has no 'max_length' (None if any length will do)"


def _named(things: Mapping[str, Thing], name: str, what: str, file: Path) -> Thing:
    if name not in things:
        msg = f"{file}: there is no {what} {name!r}{alternatives(name, things)}"
        raise ConfigError(msg)
    return things[name]


def _choice(choice: Any) -> settings.Choice:
    """The configuration's own, which knows its line, or what a checkpoint says."""
    if isinstance(choice, settings.Choice):
        return choice
    return settings.Choice(choice.name, dict(choice.options))
