"""What became of a batch, in full, for `bot fill`: what each filter dropped and why, how varied the kept are.

Pure: an event in, rich renderables out.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli.plain import plain
from bot.curation.chain import Drop
from bot.curation.variety import Rut, Variety
from bot.events import Filled

BAR = 24  # cells of the whole batch
TEXT = 26  # cells of an example
SHOWN = 8  # kept texts


def report(filled: Filled) -> Group:
    """The funnel from top to bottom; nothing in it is wider than the terminal."""
    return Group(*_parts(filled))


def _parts(filled: Filled) -> Iterator[RenderableType]:
    funnel = filled.funnel
    yield _row("sampled", funnel.sampled, funnel.sampled, "cyan")
    for drop in funnel.drops:
        yield from _drop(drop, funnel.sampled)
    yield _row("kept", funnel.kept, funnel.sampled, "green")
    if filled.drafts:
        yield _indented(Text(" · ").join(plain(draft.text) for draft in filled.drafts[:SHOWN]))
    if filled.variety:
        yield Text("variety", "bold")
        yield _indented(_variety(filled.variety))
    for rut in filled.ruts:
        yield alarm(rut)
    drafts = "1 draft" if len(filled.drafts) == 1 else f"{len(filled.drafts)} drafts"
    yield Text(f"{drafts} queued; {filled.waiting} in the queue of {filled.bot} now")
    if asked := [str(draft.id) for draft in filled.drafts if draft.doubts]:
        more = ", ..." if len(asked) > SHOWN else ""
        yield Text(f"a filter asks about {len(asked)} of them: {', '.join(asked[:SHOWN])}{more} (bot why ID)")


def alarm(rut: Rut) -> Text:
    """In one sentence."""
    return Text.assemble(("in a rut", "bold yellow"), "  of the kept ", plain(str(rut)))


def _drop(drop: Drop, sampled: int) -> Iterator[RenderableType]:
    yield _row(drop.filter, drop.count, sampled, "red" if drop.count else "dim")
    if drop.failed:
        yield _indented(
            Text(f"it broke on {drop.failed} of them, which counts as a veto: mend it", "bold red")
        )
    examples = Table.grid(padding=(0, 2))
    examples.add_column(width=2)
    examples.add_column(width=TEXT, no_wrap=True, overflow="ellipsis")
    examples.add_column(overflow="fold")
    for text, reason in drop.examples:
        examples.add_row("", plain(text) if text else Text("(nothing)", "italic"), plain(reason, "dim"))
    if drop.examples:
        yield examples


def _row(name: str, count: int, of: int, style: str) -> Text:
    width = max(1, round(BAR * count / of)) if count else 0
    share = f"{count / of:>5.0%}" if of else ""
    line = Text.assemble(
        (f"{name:<18}", "bold" if count else "dim"), f"{count:>6} {share}  ", ("█" * width, style)
    )
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _indented(text: Text) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=2)
    grid.add_column(overflow="fold")
    grid.add_row("", text)
    return grid


def _variety(found: Variety) -> Text:
    shares = ", ".join(f"{share:.2f}" for share in found.distinct)
    return Text(
        f"different {found.units}, pairs, triples: {shares} (distinct-1, -2, -3)\n"
        f"self-BLEU-4 {found.self_bleu:.2f} (1: all the same)"
    )
