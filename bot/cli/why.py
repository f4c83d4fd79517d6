"""A draft's story in plain words, for `bot why`. Pure: a story in, rich renderables out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.cli.plain import plain
from bot.records import Decision, Rendered, Step
from bot.review.card import marked, where, why
from bot.review.reasons import REASONS
from bot.story import Story

PAST = {
    "approve": "approved it",
    "reject": "rejected it",
    "edit": "gave it another text",
    "undo": "took that back",
    "snooze": "put it off",
}
STEPS = {
    "planned": "will be posted",
    "claimed": "is about to be posted",
    "sending": "is being posted",
    "sent": "was posted",
    "refused": "was refused",
    "uncertain": "may have been posted or not",
    "cancelled": "will not be posted",
}
WAITS = {
    "pending": "waits for a decision: bot review",
    "snoozed": "was put off, and comes back by itself",
    "approved": "is approved, and waits until bot post is called",
    "scheduled": "has its slot, and goes out at once while bot run runs",
    "posting": "is under way",
    "posted": "is public",
    "uncertain": "may be public or not: a person must look and decide",
    "refused": "was refused; it can be edited or approved again",
    "rejected": "goes nowhere: it was rejected",
}


def explanation(story: Story) -> Group:
    """Where it came from, what was said of it, what happened since, where it will go."""
    return Group(*_parts(story))


def _parts(story: Story) -> Iterator[RenderableType]:
    draft, zone = story.draft, ZoneInfo(story.zone)
    revision = "" if draft.revision == 1 else f", revision {draft.revision}"
    yield Text.assemble(f"{draft.id}  ", marked(draft))
    yield Text(
        f"    for {draft.bot}, {draft.status}{revision}; queued {_when(draft.created_at, zone)}", "dim"
    )
    yield _title("where it came from, and what was said of it")
    yield why(draft)
    yield _note("real items that the model has not read have a surprise of about 1")
    yield _note(f"seed {draft.candidate.seed}, sample {draft.candidate.index}: bot replay {draft.id}")
    if story.attachments != Rendered():
        yield _title("what goes with it")
        yield from map(_note, (f"{one}: {plain(one.alt_text)}" for one in story.attachments.media))
        yield from map(_note, story.attachments.reasons)
    happened = [_decided(decision, story.texts) for decision in story.decisions]
    happened += map(_stepped, story.steps)
    if happened:
        yield _title("what happened since")
        yield _rows(sorted(happened, key=lambda row: row[0].replace(microsecond=0)), zone)
    yield _title("where it goes")
    yield Padding(f"it {_waits(story, zone)}", (0, 0, 0, 4))
    if draft.status in ("pending", "approved"):
        yield where(draft, story.outlets)


def _note(text: str) -> Text:
    line = Text(f"            {text}", "dim", no_wrap=True)
    line.overflow = "ellipsis"
    return line


def _title(title: str) -> Text:
    return Text(f"\n{title}", "bold")


def _decided(decision: Decision, texts: Mapping[str, str]) -> tuple[datetime, Text]:
    who = f"the policy {decision.policy!r}" if decision.policy else decision.actor
    against = ", against the gate" if decision.override else ""
    text = texts.get(decision.revision_sha256) if decision.verdict == "edit" else None
    until = f" until {decision.until.astimezone():%Y-%m-%d %H:%M}" if decision.until else ""
    why = REASONS.get(decision.reason, decision.reason), decision.remark, text
    told = "; ".join(part for part in why if part)
    said = Text.assemble(": ", plain(told)) if told else Text()
    return decision.at, Text.assemble(plain(who), f" {PAST[decision.verdict]}{until}{against}", said)


def _stepped(step: Step) -> tuple[datetime, Text]:
    reason = Text.assemble(": ", plain(step.reason)) if step.reason else Text()
    return step.at, Text.assemble(plain(step.target), f": {STEPS[step.state]}", reason)


def _rows(happened: Iterable[tuple[datetime, Text]], zone: ZoneInfo) -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(width=2)
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for at, line in happened:
        rows.add_row("", _when(at, zone), line)
    return rows


def _waits(story: Story, zone: ZoneInfo) -> str:
    if story.next_slot is not None:
        return f"will go out on {_when(story.next_slot, zone)}, unless what stands before it changes"
    return WAITS[story.draft.status]


def _when(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %Y %H:%M %Z}"
