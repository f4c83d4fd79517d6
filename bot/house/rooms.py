"""The rooms wired together for one config.yaml: here names become objects, each made when first asked for.

It decides nothing. Only making a model loads torch, so that reviewing and posting start fast.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path

from bot.config import Model, Plugins
from bot.curation import gate
from bot.curation.chain import Chain, Context
from bot.curation.earlier import Earlier
from bot.errors import BotError, ConfigError, PluginError
from bot.house.outlets import Outlets
from bot.interfaces import Filter, Target, TrainingSet
from bot.model import checkpoint
from bot.posting import fit
from bot.records import (
    Candidate,
    Delivery,
    Draft,
    Evidence,
    Judged,
    Measure,
    Rendered,
    Sampling,
    Secret,
    Verdict,
)
from bot.review.decisions import Desk
from bot.review.liking import Liking
from bot.review.outgoing import Outgoing
from bot.review.shortlist import Shortlist
from bot.store.payload import payload

log = logging.getLogger(__name__)
RENDERED = "renderers"  # the filter of the verdict on what they made
TRIAL = Candidate("A text.", "A text.", "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", "")  # for filters


class House(Outlets):
    """One configuration's rooms. data: where relative paths of corpora begin, if not beside config.yaml."""

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

    def having(self, models: Mapping[str, Model]) -> "House":
        """The same with these models beside its own."""
        config = self.config.model_copy(update={"models": {**self.config.models, **models}})
        return House(config, self.clock, self._data, self._plugins)

    def filters(self, bot: str) -> list[tuple[str, Filter]]:
        return self.made_filters(self.bot(bot).filters)

    def made_filters(self, choices: Plugins) -> list[tuple[str, Filter]]:
        """Each with its name. Raises ConfigError, PluginError."""
        built = [(choice, self.registry.build("filters", choice)) for choice in choices]
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

    def measures(self, bot: str, text: str) -> dict[str, Measure]:
        """What each target of a bot has to say of a text's length."""
        return {
            label: Measure(target.measure(text), target.max_length, fit.objection(label, target, text))
            for label, target in self.targets(bot).items()
        }
