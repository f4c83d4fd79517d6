"""How what models write compares with what they read, in numbers: words, letters, capitals, copying, fit.

Beside the corpus stand real texts that no model saw, the control: so far apart are two real parts of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bot.config import SamplingSettings
from bot.curation.novelty import TextTrainingSet
from bot.reports.bars import draw_bars
from bot.reports.drawing import Drawing
from bot.reports.sections import Cell, Figure, Section, Table
from bot.reproduction.lab import Lab, Written
from bot.reproduction.sampling import draw
from bot.text.corpus import split
from bot.text.prose import LONGEST, Prose, distance, fit

AS_EVER = SamplingSettings()
CORPUS, HELD_OUT = "corpus", "held_out"
LETTERS = 26  # that are drawn
NOTE = (
    "A distance is 0 where two distributions are the same and 1 where they have nothing in common. Known: "
    "words of two letters and more that stand in the part to learn from. Copied: share of runs of words that "
    "stand there. held_out: real texts that no model saw, the control."
)
Figures = Mapping[str, Mapping[str, Figure]]  # of each origin
BARS = "Grey: what the models read. Where all bars of a group are as high, the model writes as it has read."


@dataclass(frozen=True)
class Compared:
    """Texts of one origin beside what was read. copied, verdict: None where they have no meaning."""

    prose: Prose
    known: float
    copied: float | None = None
    verdict: str | None = None


def step(
    lab: Lab,
    models: tuple[str, ...] = (),
    written: tuple[str, ...] = (),
    counts: tuple[str, ...] = (),
    classes: dict[str, tuple[str, ...]] | None = None,
    sampling: SamplingSettings = AS_EVER,
    count: int = 100,
    seed: int = 1,
    title: str = "What is written beside what was read",
) -> Section:
    """So many texts of each model, and what earlier steps had written, beside the first model's corpus.

    counts: words, and endings as `-ing`. classes: words of a class, by its name.
    Figures, for each ORIGIN of corpus, held_out and all writers: ORIGIN.words, ORIGIN.length, ORIGIN.lengths
    and ORIGIN.letters (distances), ORIGIN.stray, ORIGIN.COUNT, ORIGIN.CLASS, ORIGIN.once, ORIGIN.once_of_all,
    ORIGIN.known, ORIGIN.longest; of writers also ORIGIN.copied, ORIGIN.verdict.
    """
    drawn = [name for name in models if not lab.trained(name).failed]
    there = {name: _drawn(lab, name, sampling, count, seed) for name in drawn}
    there |= {name: lab.written[name] for name in written if name in lab.written}
    found, kinds = _compared(lab, (*models, *written)[0], there), classes or {}
    figures = {name: _figures(one, found[CORPUS].prose, counts, kinds) for name, one in found.items()}
    return Section(
        title=title,
        prose=[f"{name}: {one.verdict}." for name, one in found.items() if one.verdict],
        tables=[_table(figures, counts, kinds)],
        drawings=_drawings({name: one.prose for name, one in found.items()}),
        figures={f"{name}.{key}": value for name, own in figures.items() for key, value in own.items()},
    )


def _drawn(lab: Lab, model: str, sampling: SamplingSettings, count: int, seed: int) -> Written:
    last = lab.trained(model).history[-1]
    texts = tuple(one.text for one in draw(lab, model, sampling, count, seed))
    return Written(texts, last.train_loss, last.held_out_loss)


def _compared(lab: Lab, measure: str, there: Mapping[str, Written]) -> dict[str, Compared]:
    training = lab.models[measure].training
    read, held_out = split(lab.corpus(measure).documents, training.validation_share, training.seed)
    corpus, control = (Prose([one.text for one in part]) for part in (read, held_out))
    known, training_set = corpus.words.keys(), TextTrainingSet(read)
    found = {CORPUS: Compared(corpus, 1.0), HELD_OUT: Compared(control, control.known(known))}
    return found | {name: _measured(one, known, training_set) for name, one in there.items()}


def _measured(written: Written, known: Collection[str], training_set: TextTrainingSet) -> Compared:
    prose = Prose(written.texts)
    overlaps = [overlap for text in written.texts if (overlap := training_set.overlap(text)) is not None]
    copied, share = fmean(overlaps) if overlaps else 0.0, prose.known(known)
    verdict = fit(written.train_loss, written.held_out_loss, copied, share)
    return Compared(prose, share, copied, verdict)


def _figures(
    one: Compared, corpus: Prose, counts: Sequence[str], classes: Mapping[str, Sequence[str]]
) -> dict[str, Figure]:
    prose = one.prose
    figures: dict[str, Figure] = {
        "words": float(prose.size),
        "length": prose.mean_length,
        "lengths": distance(prose.lengths, corpus.lengths),
        "letters": distance(prose.letters, corpus.letters),
        "stray": prose.stray_capitals,
        **{what: prose.per_10000(what) for what in counts},
        **{name: prose.share({*words}) for name, words in classes.items()},
        "once": prose.once,
        "once_of_all": prose.once_of_all,
        "known": one.known,
        "longest": prose.longest(corpus.words) or "none",
    }
    written = {"copied": one.copied, "verdict": one.verdict}
    return figures | {name: value for name, value in written.items() if value is not None}


def _table(figures: Figures, counts: Sequence[str], classes: Iterable[str]) -> Table:
    shares = {
        "stray": "capitals within words",
        **{name: name for name in classes},
        "once": "distinct words seen once",
        "once_of_all": "these among all words",
        "known": "known words",
        "copied": "copied",
    }
    rows = [
        _row("words", figures, "words", "{:,.0f}"),
        _row("letters of a word, mean", figures, "length", "{:.2f}"),
        _row("lengths of words, distance", figures, "lengths", "{:.3f}"),
        _row("letters, distance", figures, "letters", "{:.3f}"),
        *(_row(f"{what}, of 10,000 words", figures, what, "{:.0f}") for what in counts),
        *(_row(what, figures, key, "{:.1%}") for key, what in shares.items()),
        _row("longest known word", figures, "longest", "{}"),
    ]
    return Table("Read and written", ("", *figures), rows, NOTE)


def _row(what: str, figures: Figures, key: str, form: str) -> list[Cell]:
    return [what, *(form.format(own[key]) if key in own else None for own in figures.values())]


def _drawings(prose: Mapping[str, Prose]) -> list[Drawing]:
    lengths = range(1, LONGEST + 1)
    labels = [f"{length}+" if length == LONGEST else str(length) for length in lengths]
    shares = {name: [one.lengths[length] for length in lengths] for name, one in prose.items()}
    letters = list(prose[CORPUS].letters)[:LETTERS]
    frequencies = {name: [one.letters.get(letter, 0.0) for letter in letters] for name, one in prose.items()}
    return [
        draw_bars("word-lengths", "How long words are", BARS, labels, shares, xlabel="letters of a word"),
        draw_bars("letters", "How frequent letters are", BARS, letters, frequencies, xlabel="letter"),
    ]
