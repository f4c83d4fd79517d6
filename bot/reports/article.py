"""Chosen texts as one Markdown document: each with the settings it was sampled with, its way and its notes.

Pure. It names no person and no account: it is made to be published.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from bot.model.checkpoint import Meta
from bot.records import Candidate, Decision, Sampling
from bot.reports.markdown import code, fenced, plain
from bot.review.card import show
from bot.review.chosen import Chosen
from bot.store.histories import Posted

Described = Callable[[str], Meta | None]  # of MODEL/NAME what its meta.json says, None if it is gone
NAMED = re.compile(r"epoch(\d+\.\d+)_(\d+\.\d+)_")  # a checkpoint's name: epoch and held-out loss
WARMTH = {"temperature", "band", "max_length"}  # told in words
USUAL = Sampling()


@dataclass(frozen=True)
class Chapter:
    """A bot's texts. warning: of what they are like, for who opens the document; note: what was chosen."""

    bot: str
    note: str
    chosen: Sequence[Chosen]
    warning: str = ""


def article(title: str, chapters: Sequence[Chapter], described: Described) -> str:
    """The document."""
    parts = [f"# {plain(title)}"]
    for chapter in chapters:
        parts += _chapter(chapter, described)
    return "\n\n".join(parts) + "\n"


def _chapter(chapter: Chapter, described: Described) -> Iterator[str]:
    yield f"## {plain(chapter.bot)}"
    if chapter.warning:
        yield f"> **Content warning.** {plain(chapter.warning)}"
    yield plain(chapter.note)
    for one in chapter.chosen:
        meta = described(one.draft.candidate.checkpoint)
        yield f"### {one.draft.id}"
        yield fenced([_seen(one.draft.text)])
        yield "\n".join(f"- {line}" for line in _told(one, meta))


def _told(one: Chosen, meta: Meta | None) -> Iterator[str]:
    sampled = one.draft.candidate
    yield _model(sampled.checkpoint, meta)
    yield _sampled(sampled)
    yield f"Sampled on {_day(one.draft.created_at)}, {_approved(one.approval)}{_posted(one.posts)}."
    if one.earlier:
        steps = [code(_seen(text)) for text in (*one.earlier, one.draft.text)]
        yield f"Edited: {' → '.join(steps)}."
    for said in filter(None, (one.note, one.approval.remark)):
        yield f"Note: {plain(_seen(said))}"


def _model(checkpoint: str, meta: Meta | None) -> str:
    model, _, name = checkpoint.partition("/")
    told = f"Model {code(model)}, checkpoint {code(name)}"
    if meta is None:
        return f"{told}{_by_name(name)}."
    layers = f"{meta.num_layers} × " if meta.num_layers else ""
    units = f" of {meta.hidden_size} units" if meta.num_layers else ""
    loss = f"epoch {meta.epoch:.2f}, held-out loss {meta.held_out_loss:.4f}"
    return f"{told}: {loss}, {layers}{code(meta.cell.name)}{units}."


def _by_name(name: str) -> str:
    """What a checkpoint's name says of it, where it is gone."""
    found = NAMED.search(name)
    return f": epoch {found[1]}, held-out loss {found[2]}" if found else ""


def _sampled(candidate: Candidate) -> str:
    """Everything that it takes to sample it again."""
    sampling = candidate.sampling
    low, high = sampling.temperature
    span = "" if low == high else f" (drawn from {low:.3g} to {high:.3g})"
    band = f", band {code(sampling.band)}" if sampling.band else ""
    others = "".join(f", {name} {_value(value)}" for name, value in _unusual(sampling).items())
    return (
        f"Temperature {candidate.temperature:.3f}{span}{band}, surprise {candidate.surprise:.2f}, "
        f"at most {sampling.max_length} tokens{others}; seed {candidate.seed}, sample {candidate.index}, "
        f"{plain(candidate.build)}, {plain(candidate.device)}."
    )


def _unusual(sampling: Sampling) -> Mapping[str, Any]:
    """What was set, by words for it."""
    set_ = {it.name: getattr(sampling, it.name) for it in fields(sampling) if it.name not in WARMTH}
    return {name.replace("_", " "): value for name, value in set_.items() if value != getattr(USUAL, name)}


def _value(value: Any) -> str:
    """Numbers as they are, all else letter by letter."""
    if isinstance(value, int | float):
        return f"{value:g}"
    return code(_seen(json.dumps(value, ensure_ascii=False, default=_fields)))


def _fields(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _approved(approval: Decision) -> str:
    who = f"by the policy {code(approval.policy)}" if approval.policy else "by hand"
    against = ", although it resembles the corpus or a post" if approval.override else ""
    return f"approved {who} on {_day(approval.at)}{against}"


def _posted(posts: Sequence[Posted]) -> str:
    told = [f"{_day(post.at)} on {plain(post.target)}{_address(post.url)}" for post in posts]
    return f"; posted {', '.join(told)}" if told else ""


def _address(url: str) -> str:
    """A link where it is one, else nothing: what a target told is not trusted."""
    return f" (<{url}>)" if re.fullmatch(r"https?://[^\s<>\"\\@/]+(/[^\s<>\"\\]*)?", url) else ""


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _seen(text: str) -> str:
    """With what cannot be seen as its code point."""
    return show(text).plain
