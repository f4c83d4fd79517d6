"""A taste as its owner reads it: how well it foretells, what it looks at, what it would do."""

import math
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.curve import Curve, draw
from bot.cli.plain import plain
from bot.config import Bot
from bot.curation.taste.measures import Share
from bot.curation.taste.report import Report, Telling
from bot.store.judgements import Allotment

WIDTH, LINES = 76, 6
ENOUGH = 30  # decisions that weighted ones must be worth, or their figure is noise
PICKED = {
    "best": "the best",
    "uncertain": "uncertain",
    "random": "any",
    "typical": "typical, before there was a taste",
    "": "decided by number",
}


def show_taste(found: Report, bot: Bot, now: int, last: Mapping[str, Allotment]) -> None:
    console = Console(highlight=False)
    rejected = found.approved.total - found.approved.count
    console.print(
        f"{found.approved.total} decisions: {found.approved.count} approved, {rejected} rejected; "
        f"exploration {bot.taste.explore:.0%}"
    )
    if found.remark:
        console.print(Text(found.remark, "yellow"))
    if found.by_reason:
        console.print(_shares("shown as", {PICKED[name]: share for name, share in found.by_reason.items()}))
    if found.foretold:
        _show_how_well(console, found)
        _show_what(console, found)
    if found.arms:
        _show_arms(console, found, last)
    _show_policy(console, found, bot, now)


def _show_how_well(console: Console, found: Report) -> None:
    console.print()
    console.print(f"Each of {found.foretold} decisions foretold from those before it:")
    low, high = found.auc_interval
    console.print(
        f"  AUC {_number(found.auc)} ({low:.2f} to {high:.2f}); 0.5 is chance, 1 is all pairs in order"
    )
    if not math.isnan(found.auc_weighted):
        said = f"{found.auc_weighted:.2f}" if found.worth >= ENOUGH else "not known yet"
        console.print(
            f"  AUC of all that waited, by inverse propensities: {said} (worth {found.worth:.0f} decisions)"
        )
    if found.base and not math.isnan(found.precision):
        times = found.precision / found.base
        console.print(
            f"  the 10 best of 50: {found.precision:.0%} approved, of all {found.base:.0%} (x {times:.2f})"
        )
    if len(found.curve) > 1:
        steps, values = zip(*((point.decisions, point.auc) for point in found.curve), strict=True)
        curves = Curve("AUC", steps, values, "green"), Curve("chance", steps[:1], (0.5,), "dim")
        console.print(draw(curves, WIDTH, LINES))


def _show_what(console: Console, found: Report) -> None:
    console.print()
    console.print("What it looks at, in log odds for a usual difference:")
    for name, weight in sorted(found.numbers.items(), key=lambda pair: -abs(pair[1]))[:4]:
        console.print(
            f"  {weight:+.2f}  {name}, {'the more the better' if weight > 0 else 'the less the better'}"
        )
    for title, sign in (("Liked", 1), ("Disliked", -1)):
        grams = [it for it in found.grams if it.weight * sign > 0]
        if grams:
            console.print(Text.assemble(f"  {title}: ", _grams(grams)))


def _grams(grams: Iterable[Telling]) -> Text:
    told = []
    for it in grams:
        shown = plain(it.gram.replace(" ", "·"), "bold")
        told.append(Text.assemble(shown, f" {it.approved.count} of {it.approved.total}"))
    return Text(", ").join(told)


def _show_arms(console: Console, found: Report, last: Mapping[str, Allotment]) -> None:
    console.print()
    table = Table(box=None, pad_edge=False)
    for title in ("checkpoint", "band", "sampler", "decided", "approved", "95 %"):
        table.add_column(title, justify="right" if title in ("decided", "approved", "95 %") else "left")
    for arm in found.arms:
        sampler = plain(arm.sampler)
        table.add_row(arm.checkpoint.rpartition("/")[2], arm.band, sampler, *_cells(arm.approved))
    console.print(table)
    console.print(f"checkpoint: funniest is {found.funniest or 'undecided: the best is taken'}")
    if last:
        console.print("The last batch was divided among them by approvals, each with a floor:")
        console.print(_division(last))


def _division(last: Mapping[str, Allotment]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("arm")
    for title in ("samples", "chance to be the best"):
        table.add_column(title, justify="right")
    for name, part in last.items():
        table.add_row(plain(name), str(part.samples), f"{part.chance:.0%}")
    return table


def _show_policy(console: Console, found: Report, bot: Bot, now: int) -> None:
    console.print()
    acts = bot.review == "taste"
    console.print(
        f"The policy taste, at a precision of {bot.taste.precision:.0%}"
        + ("" if acts else ", if you set it:")
    )
    would = found.would
    low, high = would.interval
    console.print(
        f"  would have approved {would.total} of those foretold; you approved {would.count} of them, "
        f"rejected {would.total - would.count}" + (f" ({low:.0%} to {high:.0%})" if would.total else "")
    )
    if math.isinf(found.limit):
        console.print("  approves nothing now: no probability is shown to be high enough")
    else:
        does = "will approve" if acts else "would approve"
        console.print(f"  {does} {now} of the pending drafts, from a probability of {found.limit:.2f} on")
    if not acts:
        console.print("  review: " + bot.review + " is set, so it does nothing.")


def _shares(title: str, shares: Mapping[str, Share]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in (title, "decided", "approved", "95 %"):
        table.add_column(name, justify="left" if name == title else "right")
    for name, share in shares.items():
        table.add_row(name, *_cells(share))
    return table


def _cells(share: Share) -> tuple[str, str, str]:
    low, high = share.interval
    return str(share.total), f"{share.value:.0%}", f"{low:.0%} to {high:.0%}"


def _number(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.2f}"
