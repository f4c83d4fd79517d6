"""The model card: what a checkpoint is, what it reached, what its texts are like. Markdown.

It measures only what it prints; it does not know how the model was trained.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.curation.normal import normal_form
from bot.interfaces import TrainingSet
from bot.model.checkpoint import Meta
from bot.records import Candidate, Sampling

Sample = Callable[[Sampling, int, Sequence[int]], list[Candidate]]

TEMPERATURES = (0.5, 0.8, 1.1)
SHOWN = 10  # samples at each temperature
COUNTED = 1000  # samples among which copies are counted, at temperature 0.8
SEED = 1


@dataclass(frozen=True)
class Copies:
    """Of COUNTED samples: exact copies of items, those left once the index has vetoed, and its vetoes."""

    before: int
    after: int
    vetoed: int


def model_card(
    meta: Meta, command: str, warning: str, sample: Sample, training_set: TrainingSet, texts: Iterable[str]
) -> str:
    """The card of a checkpoint that `command` trained; `texts` are the corpus behind the training set."""
    parts = [
        f"# {meta.model}",
        f"> **Content warning.** {warning}" if warning else "",
        _what(meta, command),
        _losses(meta),
        _copies(count_copies(sample, training_set, texts)),
        "## Samples, not curated",
        *(_shown(sample, temperature) for temperature in TEMPERATURES),
        _training(meta),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def import_card(
    meta: Meta, warning: str, sample: Sample, training_set: TrainingSet, texts: Collection[str]
) -> str:
    """The card of a checkpoint that another program trained; `texts` are what it is said to have read."""
    unknown = "Copies of what it has read cannot be told: it came without its corpus."
    parts = [
        f"# {meta.model}",
        f"> **Content warning.** {warning}" if warning else "",
        _origin(meta),
        _copies(count_copies(sample, training_set, texts)) if texts else unknown,
        "## Samples, not curated",
        *(_shown(sample, temperature) for temperature in TEMPERATURES),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def count_copies(sample: Sample, training_set: TrainingSet, texts: Iterable[str]) -> Copies:
    known = {normal_form(text) for text in texts}
    candidates = sample(Sampling((0.8, 0.8)), SEED, range(COUNTED))
    new = [one.text for one in candidates if training_set.nearest(one.text, 1) is None]
    return Copies(
        before=sum(normal_form(one.text) in known for one in candidates),
        after=sum(normal_form(text) in known for text in new),
        vetoed=COUNTED - len(new),
    )


def _what(meta: Meta, command: str) -> str:
    corpus = meta.corpus
    options = ", ".join(f"{name}: {value}" for name, value in corpus["options"].items())
    return (
        f"A language model of {meta.tokenizer.name}: {_shape(meta)}.\n"
        f"Trained by `{command}` on the corpus "
        f"`{corpus['name']}: {{{options}}}`: {corpus['kept']:,} distinct items ({corpus['read']:,} read, "
        f"{corpus['repeated']:,} repeated, {corpus['empty']:,} empty), {corpus['held_out']:,} of them "
        f"held out; SHA-256 `{corpus['sha256'][:16]}…`.\n"
        f"{_counts('Of its sources', corpus.get('sources'))}{_counts('On the way', corpus.get('steps'))}"
        "`novelty.index` holds hashes of the corpus, `corpus.profile` statistics under hashes; no text of it."
    )


def _counts(what: str, counts: Mapping[str, int] | None) -> str:
    told = ", ".join(f"{name} {count:,}" for name, count in (counts or {}).items())
    return f"{what}: {told}.\n" if told else ""


def _origin(meta: Meta) -> str:
    corpus = (
        f"`{meta.corpus['name']}`, SHA-256 `{meta.corpus['sha256'][:16]}…`" if meta.corpus else "not known"
    )
    return (
        f"A language model of {meta.tokenizer.name}: {_shape(meta)}.\n"
        f"Another program trained it; `bot import` brought it in on {meta.created_at[:10]} from "
        f"`{meta.settings['imported']}`, SHA-256 `{meta.settings['sha256'][:16]}…`.\n"
        f"What it has read: {corpus}. Its held-out loss is not known; texts of its own have "
        f"{meta.held_out_loss:.4f} nats per token at temperature 1."
    )


def _shape(meta: Meta) -> str:
    ids = f"{meta.vocabulary_size} ids"
    if not meta.num_layers:  # it was counted
        options = "".join(f"{name} {value}, " for name, value in meta.cell.options.items())
        return f"{meta.cell.name}, {options}{ids}"
    layers = f"{meta.num_layers} × {meta.cell.name} of {meta.hidden_size} units"
    return f"{layers}, embedding {meta.embedding_size}, {ids}, weights in {meta.precision}"


def _losses(meta: Meta) -> str:
    rows = [
        "| held-out loss | nats per token, one end mark an item counted |",
        "|---|---|",
        f"| this model | **{meta.held_out_loss:.4f}** |",
    ]
    if meta.ngram_loss is not None and meta.num_layers:  # what was counted is one itself
        gain = meta.ngram_loss - meta.held_out_loss
        rows.append(f"| 5-gram, same split | {meta.ngram_loss:.4f} ({gain:+.4f}) |")
    if meta.test_loss is not None:
        rows.append(f"| this model, on what was kept apart to test with | {meta.test_loss:.4f} |")
    return "\n".join([*rows, f"| its own training loss at that point | {meta.train_loss:.4f} |"])


def _copies(copies: Copies) -> str:
    share = copies.before / COUNTED
    return (
        f"Of {COUNTED:,} samples at temperature 0.8, {copies.before} ({share:.1%}) are exact copies of items "
        f"of the corpus. The filter `not_in_training` vetoes these and whatever lies within one edit of an "
        f"item, {copies.vetoed} in all; exact copies left after it: {copies.after}."
    )


def _shown(sample: Sample, temperature: float) -> str:
    texts = [one.text for one in sample(Sampling((temperature, temperature)), SEED, range(SHOWN))]
    return "\n".join([f"Temperature {temperature}:", "", "```", *texts, "```"])


def _training(meta: Meta) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in meta.settings.items() if value is not None)
    return (
        f"## Training\n\nThis checkpoint was made at step {meta.step}, epoch {meta.epoch:.2f}, on "
        f"{meta.created_at[:10]} with torch {meta.build['torch']}.\nSettings: {settings}."
    )
