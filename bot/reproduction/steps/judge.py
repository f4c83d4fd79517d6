"""What filters say of models' texts, beside what they say of real items that no model saw.

Every filter is asked about every text, whatever the others said: a share is that filter's own.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.config import Plugins, SamplingSettings
from bot.curation.chain import Chain, Context
from bot.curation.taste.measures import Share
from bot.records import Candidate, Sampling, Verdict
from bot.reports.sections import Cell, Figure, Samples, Section, Table
from bot.reproduction.lab import Lab
from bot.reproduction.sampling import draw, in_words
from bot.text.corpus import split

AS_EVER = SamplingSettings()
HELD_OUT = "held_out"
ALL = "all"
NOTE = (
    "Share of the texts that a filter lets pass, those that it would trim or show to a person left out, with "
    "the 95 % interval of Wilson. held_out: real items that the model never saw, the control."
)
REASONS = 3  # of each filter that are told
LONGEST = 200  # characters of one
BLANK = Candidate(
    "", "", "", Sampling(), 0, 0, 1.0, 1.0, 1.0, "", ""
)  # a real item: as surprising as real ones are


@dataclass(frozen=True)
class Judgement:
    """Texts of one origin with each filter's verdict on each."""

    texts: Sequence[str]
    verdicts: Sequence[tuple[Verdict, ...]]

    def share(self, filter: str) -> Share:
        """Of the texts that this filter lets pass as they are; `all`: that every one does."""
        passed = [
            all(one.outcome == "accept" for one in verdicts if filter in (ALL, one.filter))
            for verdicts in self.verdicts
        ]
        return Share(sum(passed), len(passed))

    def reasons(self, filter: str) -> list[tuple[str, int]]:
        """The most frequent ones, with how often each was given."""
        said = (
            one.reason
            for verdicts in self.verdicts
            for one in verdicts
            if one.filter == filter and one.reason
        )
        return Counter(said).most_common(REASONS)


def step(
    lab: Lab,
    models: tuple[str, ...],
    filters: Plugins,
    sampling: SamplingSettings = AS_EVER,
    prefixes: tuple[str, ...] = (),
    count: int = 100,
    seed: int = 1,
    shown: int = 5,
    title: str = "Judged by filters",
) -> Section:
    """So many texts of each model, judged by each filter; so many that all let pass are shown.

    Figures, for each model and for held_out: MODEL.FILTER, the share that it lets pass; MODEL.all;
    MODEL.judged, how many texts.
    """
    found: dict[str, Judgement] = {}
    for model in models:
        if not lab.trained(model).failed:
            drawn = draw(lab, model, sampling, count, seed, prefixes)
            found[model] = _judged(lab, model, filters, drawn)
            found.setdefault(HELD_OUT, _judged(lab, model, filters, _held_out(lab, model, count, seed)))
    names = [choice.name for choice in filters]
    return Section(
        title=title,
        prose=[f"{in_words(sampling, prefixes)}, seed {seed}."],
        tables=[_shares(found, names), _reasons(found, names)],
        samples=[_passed(name, one, shown) for name, one in found.items() if name != HELD_OUT],
        figures=_figures(found, names),
    )


def _judged(lab: Lab, model: str, filters: Plugins, candidates: Sequence[Candidate]) -> Judgement:
    folder = lab.checkpoint(model)
    context = Context(lab.house.training_set(model, folder), (), partial(lab.house.profile, model, folder))
    texts = [one.text for one in candidates]
    context.expect(texts)
    chain = Chain(lab.house.made_filters(filters), context)
    return Judgement(texts, [chain.opinions(one) for one in candidates])


def _held_out(lab: Lab, model: str, count: int, seed: int) -> list[Candidate]:
    """Real items, as if they had been sampled."""
    training = lab.models[model].training
    _, held_out = split(lab.corpus(model).documents, training.validation_share, training.seed)
    some = random.Random(seed).sample(held_out, min(count, len(held_out)))
    return [replace(BLANK, text=item.text, raw_text=item.text) for item in some]


def _shares(found: Mapping[str, Judgement], names: Sequence[str]) -> Table:
    rows: list[list[Cell]] = [
        [name, len(one.texts), *(_told(one.share(filter)) for filter in (*names, ALL))]
        for name, one in found.items()
    ]
    return Table("Let pass", ("texts of", "texts", *names, ALL), rows, NOTE)


def _told(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.1%} ({low:.1%} to {high:.1%})"


def _reasons(found: Mapping[str, Judgement], names: Sequence[str]) -> Table:
    rows = [
        (name, filter, times, _short(reason))
        for name, one in found.items()
        for filter in names
        for reason, times in one.reasons(filter)
    ]
    return Table("Why not", ("texts of", "filter", "times", "reason"), rows)


def _short(reason: str) -> str:
    """A reason may quote a whole text."""
    return reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…"


def _passed(model: str, one: Judgement, shown: int) -> Samples:
    pairs = zip(one.texts, one.verdicts, strict=True)
    texts = [text for text, verdicts in pairs if all(it.outcome == "accept" for it in verdicts)]
    return Samples(f"{model}: let pass by all", texts[:shown], "The first of them, as they came.")


def _figures(found: Mapping[str, Judgement], names: Sequence[str]) -> dict[str, Figure]:
    shares: dict[str, Figure] = {
        f"{name}.{filter}": one.share(filter).value for name, one in found.items() for filter in (*names, ALL)
    }
    return shares | {f"{name}.judged": float(len(one.texts)) for name, one in found.items()}
