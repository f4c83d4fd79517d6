"""Tunes of models with a constraint and without it, beside the corpus's: what is right, which notes."""

import random
from collections.abc import Iterator, Mapping, Sequence

from bot.config import Plugins, SamplingSettings
from bot.curation.taste.measures import Share
from bot.notation.shares import Shares, shares
from bot.reports.sections import Cell, Figure, Samples, Section, Table
from bot.reproduction.lab import Lab
from bot.reproduction.sampling import draw, in_words

AS_EVER = SamplingSettings()
CORPUS, FREE, CONSTRAINED = "corpus", "free", "constrained"
COLUMNS = (
    "tunes of",
    "tunes",
    "without a fault",
    "bars that are full",
    "notes in the key",
    "pentatonic notes",
)
NOTE = (
    "Without a fault: by our own checker, with the 95 % interval of Wilson. In the key: the share of a "
    "tune's notes, the mean of the tunes; pentatonic: those on the best of the pentatonic scales."
)
ABSENT = "abc2midi, a checker of others, is not installed and was not asked."
OTHERS = "abc2midi: tunes of which it says no warning and no error."


def step(
    lab: Lab,
    models: tuple[str, ...],
    constraints: Plugins,
    sampling: SamplingSettings = AS_EVER,
    count: int = 100,
    seed: int = 1,
    shown: int = 2,
    title: str = "Tunes",
) -> Section:
    """So many tunes of each model a way, and of the first one's corpus; so many of each are shown.

    Figures, for each ORIGIN of corpus, MODEL.free and MODEL.constrained: ORIGIN.tunes, ORIGIN.valid (share),
    ORIGIN.full, ORIGIN.in_key, ORIGIN.pentatonic, ORIGIN.abc2midi (share; in words where that is not
    installed); for each model MODEL.verdict.
    """
    bound = sampling.model_copy(update={"constraints": (*sampling.constraints, *constraints)})
    sung = [name for name in models if not lab.trained(name).failed]
    texts = {CORPUS: _some(lab, models[0], count, seed)}
    for name in sung:
        for way, settings in ((FREE, sampling), (CONSTRAINED, bound)):
            lab.tell(f"  {count} tunes of {name}, {way} ...")
            texts[f"{name}.{way}"] = [one.text for one in draw(lab, name, settings, count, seed)]
    found = {origin: shares(some) for origin, some in texts.items()}
    verdicts = {name: _verdict(name, found) for name in sung}
    words = f"{in_words(sampling)}, seed {seed}"
    return Section(
        title=title,
        prose=[f"{words}; constrained: {', '.join(one.name for one in constraints)}.", *verdicts.values()],
        tables=[_table(found)],
        samples=[
            Samples(origin, some[:shown], f"{words}; the first of them, nothing was chosen.")
            for origin, some in texts.items()
            if origin != CORPUS
        ],
        figures=_all_figures(found) | {f"{name}.verdict": said for name, said in verdicts.items()},
    )


def _some(lab: Lab, model: str, count: int, seed: int) -> list[str]:
    texts = [one.text for one in lab.corpus(model).documents]
    return random.Random(seed).sample(texts, min(count, len(texts)))


def _verdict(name: str, found: Mapping[str, Shares]) -> str:
    free, bound = found[f"{name}.{FREE}"], found[f"{name}.{CONSTRAINED}"]
    return (
        f"{name}: {free.valid} of {free.tunes} tunes are without a fault, {bound.valid} of {bound.tunes} "
        f"with the constraint; bars that are full: {_percent(free.bars_right)}, with it "
        f"{_percent(bound.bars_right)}."
    )


def _table(found: Mapping[str, Shares]) -> Table:
    asked = any(one.clean is not None for one in found.values())
    rows = [_row(origin, one) for origin, one in found.items()]
    columns = (*COLUMNS, "abc2midi") if asked else COLUMNS
    return Table("Read and written", columns, rows if asked else [row[:-1] for row in rows], _note(asked))


def _note(asked: bool) -> str:
    return f"{NOTE} {OTHERS if asked else ABSENT}"


def _row(origin: str, one: Shares) -> Sequence[Cell]:
    return [
        origin,
        one.tunes,
        _told(Share(one.valid, one.tunes)),
        _percent(one.bars_right),
        _percent(None if one.foreign is None else 1 - one.foreign),
        _percent(one.pentatonic),
        None if one.clean is None else _told(Share(one.clean, one.tunes)),
    ]


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"


def _told(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.1%} ({low:.1%} to {high:.1%})"


def _all_figures(found: Mapping[str, Shares]) -> dict[str, Figure]:
    return {f"{origin}.{what}": value for origin, one in found.items() for what, value in _figures(one)}


def _figures(one: Shares) -> Iterator[tuple[str, Figure]]:
    yield "tunes", float(one.tunes)
    yield "valid", one.valid / max(1, one.tunes)
    yield "full", "no bars" if one.bars_right is None else one.bars_right
    if one.foreign is not None and one.pentatonic is not None:
        yield "in_key", 1 - one.foreign
        yield "pentatonic", one.pentatonic
    yield "abc2midi", "not installed" if one.clean is None else one.clean / max(1, one.tunes)
