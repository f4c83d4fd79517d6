"""A draft as a person sees it before deciding: the text, why it is here, where it will go.

Pure: records in, rich text out. What cannot be seen in a text is made visible, never interpreted.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rapidfuzz.distance import Levenshtein
from rich.table import Table
from rich.text import Text

from bot.records import Draft, Evidence, Match, Measure, Outlet, Span, Verdict

MARKS = {
    "accept": ("✓", "green"),
    "trim": ("✂", "cyan"),
    "ask": ("?", "bold yellow"),
    "reject": ("✗", "bold red"),
}
WARM = "bold dark_orange"  # what the nearest item of the corpus has too
RUN = 3  # characters that are no accident
COPIED = "bold underline yellow"  # the stretch of a text that stands in the corpus
NEAR = 0.3  # edits a character, up to which an earlier text is worth a line
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def show(text: str, style: str = "") -> Text:
    """The text with each control, bidi and invisible character as its code point, reversed."""
    shown = Text(style=style)
    for character in text:
        if character != "\n" and unicodedata.category(character) in INVISIBLE:
            shown.append(f"U+{ord(character):04X}", "reverse red")
        else:
            shown.append(character)
    return shown


def marked(draft: Draft) -> Text:
    """The draft's text as a map of novelty: what one item of the corpus has too stands out.

    The longest stretch that stands in the corpus is underlined; what the nearest item has in the same order
    is warm, what it has not is as it was written.
    """
    shown = Text()
    for style, run in groupby(zip(draft.text, _warmth(draft), strict=True), lambda it: it[1]):
        shown.append_text(show("".join(character for character, _ in run), style))
    return shown


def _warmth(draft: Draft) -> list[str]:
    """A style for each character."""
    styles = ["bold"] * len(draft.text)
    if draft.evidence is None:
        return styles
    for start, end in _shared(draft.text, draft.evidence.nearest):
        styles[start:end] = [WARM] * (end - start)
    if copied := draft.evidence.copied:
        end = copied.start + len(copied.text)
        styles[copied.start : end] = [COPIED] * (end - copied.start)
    return styles


def _shared(text: str, nearest: Match | None) -> list[tuple[int, int]]:
    """Stretches of the text that the nearest item has in the same order, none shorter than RUN."""
    if nearest is None or nearest.item is None:
        return []
    folded = text.lower()
    if len(folded) != len(text):  # a letter that becomes two: places would not agree
        folded = text
    steps = Levenshtein.opcodes(folded, nearest.item.lower())
    same = [(step.src_start, step.src_end) for step in steps if step.tag == "equal"]
    return [(start, end) for start, end in same if end - start >= RUN]


def why(draft: Draft) -> Table:
    """Where the draft came from, how near it comes to the corpus, and what the filters said."""
    sampled = draft.candidate
    rows = _rows()
    rows.add_row("model", show(sampled.checkpoint))
    surprise = f"surprise {sampled.surprise:.2f} ({_surprise(sampled.surprise)})"
    edited = draft.text != sampled.text
    then = ", as it first read" if edited else ""
    band = f"band {sampled.sampling.band}, " if sampled.sampling.band else ""
    rows.add_row("sampled", f"{band}temperature {sampled.temperature:.2f}, {surprise}{then}")
    if draft.score is not None:
        rows.add_row("liked", f"{draft.score:.0%} probably, by what was approved so far")
    if draft.note:
        rows.add_row("note", show(draft.note, "italic"))
    if edited:
        rows.add_row("first read", show(sampled.text))
    for label, line in _evidence(draft.evidence) if draft.evidence else ():
        rows.add_row(label, line)
    for number, line in enumerate(_verdicts(draft.verdicts)):
        rows.add_row("" if number else "filters", line)
    return rows


def where(draft: Draft, outlets: Sequence[Outlet], measures: Mapping[str, Measure] | None = None) -> Table:
    """What each target would be given, in full where it differs from the draft's text, and its length."""
    rows = _rows()
    for number, outlet in enumerate(outlets):
        measure = (measures or {}).get(outlet.target)
        rows.add_row("" if number else "goes to", Text("\n").join(_outlet(outlet, draft, measure)))
    if not outlets:
        rows.add_row("goes to", Text("nowhere: the bot has no target yet", "yellow"))
    return rows


def _outlet(outlet: Outlet, draft: Draft, measure: Measure | None) -> Iterator[Text]:
    """A place, then whatever people see there that is not the draft's text."""
    place = place_of(outlet.target, outlet.account)
    manner = f", {outlet.manner}" if outlet.manner else ""
    yield Text.assemble(place, (f"  {_length(outlet, measure)}{manner}", "dim"))
    if measure and measure.objection:
        yield show(measure.objection, "bold red")
    if outlet.text != draft.text:
        yield show(outlet.text)
    for one in outlet.media:
        yield Text.assemble(f"with {one}: ", show(one.alt_text, "dim"))
    if outlet.left_out:
        yield show(outlet.left_out, "yellow")


def place_of(target: str, account: str) -> str:
    """A target with its account, which may begin with the target's name: feed (feed.xml)."""
    whose = account.removeprefix(f"{target} ")
    return target if whose == target else f"{target} ({whose})"


def _length(outlet: Outlet, measure: Measure | None) -> str:
    if measure is None:
        size = len(outlet.text)
        return f"{size} character{'' if size == 1 else 's'}"
    if measure.limit is None:
        return f"length {measure.length}, of any"
    return f"length {measure.length} of {measure.limit}"


def _evidence(evidence: Evidence) -> Iterator[tuple[str, Text]]:
    if evidence.nearest:
        yield "nearest", _match(evidence.nearest)
    if evidence.copied:
        yield "copied", _span(evidence.copied, evidence.verbatim_share)
    if evidence.overlap:
        yield "overlap", Text(f"{evidence.overlap:.0%} of its runs of 5 words stand in the corpus")
    if evidence.earlier and evidence.earlier.distance <= NEAR * evidence.characters:
        yield "earlier", _match(evidence.earlier)


def _match(match: Match) -> Text:
    edits = f", {match.distance} edit{'' if match.distance == 1 else 's'} away"
    return Text.assemble(_item(match), edits)


def _span(span: Span, share: float) -> Text:
    return Text.assemble(show(span.text, COPIED), f", {share:.0%} of the text, from ", _item(span))


def _item(found: Match | Span, longest: int = 200) -> Text:
    """The item and where it stands."""
    item = show("an item of the corpus" if found.item is None else found.item)
    item.truncate(longest, overflow="ellipsis")
    return Text.assemble(item, (f" ({found.source})", "dim")) if found.source else item


def _rows() -> Table:
    rows = Table.grid(padding=(0, 2), expand=True)
    rows.add_column(style="dim", width=10, justify="right")
    rows.add_column(ratio=1, overflow="fold")
    return rows


def _verdicts(verdicts: Sequence[Verdict]) -> list[Text]:
    """What has a reason has a line of its own, and comes first; the others share one."""
    told = [_verdict(verdict) for verdict in verdicts if verdict.reason]
    plain = [_verdict(verdict) for verdict in verdicts if not verdict.reason]
    return told + ([Text("  ").join(plain)] if plain else [])


def _verdict(verdict: Verdict) -> Text:
    mark, style = MARKS[verdict.outcome]
    line = Text.assemble((mark, style), f" {verdict.filter}")
    return Text.assemble(line, "  ", show(verdict.reason)) if verdict.reason else line


def _surprise(surprise: float) -> str:
    """In words: 1 is what the model finds in real items it has not seen."""
    if surprise < 0.8:
        return "tame"
    return "typical" if surprise <= 1.2 else "wild"
