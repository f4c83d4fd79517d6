"""A bot's coming slots for the eye, for `bot calendar`. Pure: an outlook in, rich renderables out."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.cli.plain import plain
from bot.outlook import Coming, Outlook
from bot.posting.calendar import is_leapt_over
from bot.store.holding import told

FEW = 3  # slots in a row that bring nothing: so many have a line each
ALIKE = "nothing: what is approved is like the week's posts"
EMPTY = "nothing is approved"


def calendar(outlook: Outlook) -> Group:
    """Each slot with a draft, many without one folded; when the queue runs dry; what the posts cost."""
    return Group(*_parts(outlook))


def _parts(outlook: Outlook) -> Iterator[RenderableType]:
    zone = ZoneInfo(outlook.zone)
    taken = sum(one.draft is not None for one in outlook.slots)
    count = f"{_slots(len(outlook.slots))} until {_day(outlook.until, zone)}, {taken} with a draft"
    yield Text.assemble((outlook.bot, "bold"), f": {count}, as things are now")
    for halt in outlook.halts:
        yield Text.assemble(plain(told(halt), "bold red"), ", and until that is over no slot is taken")
    if outlook.cut:
        yield Text("later slots are not looked at: there are too many", "yellow")
    if outlook.slots:
        yield _table(outlook, zone)
    yield _stock(outlook, zone)
    if outlook.cost is None:
        yield Text("nobody can say what it costs, for a target is there no more: bot doctor", "yellow")
    elif outlook.cost:
        yield Text(f"the posts cost about {outlook.cost:.3f} USD")
    for name in outlook.beyond:
        yield Text(f"some will come later, for together they exceed limits.{name}", "yellow")


def _table(outlook: Outlook, zone: ZoneInfo) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for why, row in groupby(outlook.slots, lambda one: _why_it_passes(one, outlook)):
        slots = list(row)
        if why and len(slots) > FEW:
            table.add_row(*_folded(slots, why, zone))
        else:
            for one in slots:
                table.add_row(*_line(one, why, zone, priced=bool(outlook.cost)))
    return table


def _why_it_passes(one: Coming, outlook: Outlook) -> str:
    """ "" if it does not."""
    if one.draft is not None:
        return ""
    return EMPTY if outlook.dry and one.slot.at >= outlook.dry.at else ALIKE


def _line(one: Coming, why: str, zone: ZoneInfo, priced: bool) -> tuple[str, str, Text, str]:
    notes = []
    if one.missed:
        notes.append("missed; made up once bot run runs")
    elif one.at > one.slot.at:
        notes.append(f"held up since {one.slot.at.astimezone(zone):%H:%M}")
    if one.again:
        notes.append("a favourite, again")
    if is_leapt_over(one.slot):
        notes.append(f"for {one.slot.local_time:%H:%M}, which the clocks leap over")
    text = Text(why, "dim") if why else plain(one.text)
    note = Text(f" ({'; '.join(notes)})" if notes else "", "dim")
    cost = f"{one.cost:.3f} USD" if priced and one.cost else ""
    return _when(one.at, zone), str(one.draft or "-"), Text.assemble(text, note), cost


def _folded(slots: Sequence[Coming], why: str, zone: ZoneInfo) -> tuple[str, str, Text, str]:
    text = f"{why}, {_slots(len(slots))} to {slots[-1].at.astimezone(zone):%d %b %Y}"
    return _when(slots[0].at, zone), "-", Text(text, "dim"), ""


def _stock(outlook: Outlook, zone: ZoneInfo) -> Text:
    """When the queue runs dry, or what it still has."""
    if outlook.dry is not None:
        days = max(0, (outlook.dry.at - outlook.now).days)
        when = f"{_when(outlook.dry.at, zone)}, in {days} day{'' if days == 1 else 's'}"
        return Text(f"the queue runs dry on {when}: bot review {outlook.bot}", "yellow")
    if outlook.ends:
        stay = f"; {outlook.left} approved stay where they are" if outlook.left else ""
        return Text(f"the schedule ends on {outlook.ends:%a %d %b %Y}{stay}", "yellow")
    if outlook.left:
        return Text(f"{outlook.left} more approved than these slots take", "green")
    return Text("the queue lasts for these slots, and no longer", "yellow")


def _slots(count: int) -> str:
    return f"{count:,} slot{'' if count == 1 else 's'}"


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %Y}"


def _when(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %Y %H:%M %Z}"
