"""How the terminal shows what the bot does. It reads records and events and decides nothing.

Generated text goes through `plain`.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.funnel import alarm
from bot.cli.plain import plain
from bot.config import shipped
from bot.curation.chain import Drop
from bot.curation.habits import Habit
from bot.events import (
    Approved,
    ClockSet,
    Delivered,
    Event,
    Failed,
    Filled,
    Halted,
    Held,
    Reach,
    SlotTaken,
    Waiting,
)
from bot.house import House
from bot.records import Check, Delivery, Draft, Hold, PluginReport
from bot.status import Standing, standing
from bot.store.holding import told

BAR = 12  # cells of the funnel's longest bar
STYLES = {
    "pending": "yellow",
    "snoozed": "dim yellow",
    "approved": "green",
    "scheduled": "green",
    "posting": "cyan",
    "posted": "bold green",
    "uncertain": "bold red",
    "refused": "red",
    "rejected": "dim",
}


class Screen:
    """Prints events as they come, lists as tables."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console(highlight=False)
        self._sent: dict[int, list[str]] = {}  # draft -> targets it has reached, until it has reached all
        self._ruts: dict[str, set[Habit]] = {}  # bot -> what it is in, told already

    def open(self, house: House) -> None:
        self.console.print(f"Running {house.config.file}. Ctrl-C ends it; nothing is lost.")
        self.status([standing(house, bot) for bot in house.config.bots])

    def close(self, house: House) -> None:
        self.console.print("Ended. What was approved waits for the next `bot run`.")

    def show(self, event: Event) -> None:
        match event:
            case Filled():
                self._filled(event)
            case Approved(bot, policy, drafts):
                self._line("approved", f"{len(drafts)} drafts of {bot} by the policy {policy!r}", "green")
            case SlotTaken(slot, draft, held):
                if draft is None:
                    why = (
                        f"all {held} approved are like what goes out this week"
                        if held
                        else "nothing is approved"
                    )
                    self._line("slot", f"{slot.bot}: {why}, the slot passes", "yellow")
            case Delivered(delivery, others):
                self._delivered(delivery, others)
            case Failed(bot, reason):
                self._line("failed", f"{bot}: {reason}", "red")
            case Halted(halt, over):
                label, no_more = ("resumed", "no more: ") if over else ("stopped", "")
                self._line(label, plain(no_more + told(halt)), "red")
            case ClockSet(step, believed):
                then = "posting goes on" if believed else "nothing is posted until it stays so for a minute"
                self._line("clock", f"it was set by {step.total_seconds():+,.0f} s: {then}", "yellow")
            case Reach(server, targets, reason) if reason:
                self._line("away", plain(f"{server}, for {', '.join(targets)}: {reason}"), "yellow")
            case Reach():
                pass  # that a server answers is no news
            case Waiting(process):
                self._line(
                    "waits", f"another bot run is at work, {process}: this one goes on when it ends", "yellow"
                )
            case Held(hold):
                self._line("waits", plain(_held(hold, None)), "yellow")

    def queue(self, drafts: Sequence[Draft]) -> None:
        table = Table(box=None, pad_edge=False)
        for name in ("id", "status", "bot", "surprise"):
            table.add_column(name, justify="right" if name in ("id", "surprise") else "left", no_wrap=True)
        table.add_column("text", overflow="fold")
        for draft in drafts:
            status = Text(draft.status + (" ?" if draft.doubts else ""), style=STYLES[draft.status])
            surprise = f"{draft.candidate.surprise:.2f}"
            table.add_row(str(draft.id), status, draft.bot, surprise, plain(draft.text))
        self.console.print(table if drafts else "No drafts here; make some with: bot fill BOT")
        if any(draft.doubts for draft in drafts):
            self.console.print("? something speaks against it: bot why ID", style="dim")

    def status(self, bots: Sequence[Standing]) -> None:
        if not bots:
            self.console.print("No bots in this configuration; give it one under `bots:`.")
        for bot in bots:
            counts = ", ".join(f"{count} {status}" for status, count in bot.drafts.items() if count)
            self.console.print(Text.assemble((bot.bot, "bold"), f" ({bot.model}): ", counts or "queue empty"))
            if bot.last_post_at is not None:
                self.console.print(
                    Text.assemble(
                        "  last post  ",
                        _when(bot.last_post_at, ZoneInfo(bot.zone)),
                        "  ",
                        plain(bot.last_post),
                    )
                )
            if bot.next_slot is not None:
                self.console.print(f"  next slot  {_when(bot.next_slot, ZoneInfo(bot.zone))}")
            for halt in bot.halts:
                since = f", since {_when(halt.at, ZoneInfo(bot.zone))}"
                self.console.print(Text.assemble("  stopped    ", plain(told(halt), "bold red"), since))
            for hold in bot.holds:
                why = plain(_held(hold, ZoneInfo(bot.zone)), "yellow")
                self.console.print(Text.assemble("  waits      ", why))

    def checks(self, checks: Sequence[Check]) -> None:
        """One line each, what fails first."""
        for check in sorted(checks, key=lambda check: check.ok):
            label = ("ok   ", "green") if check.ok else ("RED  ", "bold red")
            since = f" (since {_when(check.since, ZoneInfo('UTC'))})" if check.since else ""
            self.console.print(Text.assemble(label, (check.name, "bold"), ": ", plain(check.text), since))

    def plugins(self, reports: Sequence[PluginReport]) -> None:
        table = Table(box=None, pad_edge=False)
        for name in ("kind", "gives", "from"):
            table.add_column(name, overflow="fold")
        for report in reports:
            for kind, names in report.registered.items():
                place = report.place.replace(f"{shipped()}/", "shipped: ")
                table.add_row(kind, Text(", ".join(names), style="bold"), place)
        self.console.print(table)
        for report in reports:
            if report.failure:
                self.console.print(Text(f"set aside: {report.place}: {report.failure}", style="red"))

    def _line(self, label: str, text: str | Text, style: str) -> None:
        clock = datetime.now().strftime("%H:%M:%S")
        self.console.print(Text.assemble((clock, "dim"), "  ", (f"{label:<8} ", style), text))

    def _filled(self, event: Filled) -> None:
        funnel = event.funnel
        asked = f", {funnel.asked} of them want a person's eye" if funnel.asked else ""
        self._line("sampled", f"{funnel.sampled} texts for {event.bot}", "bold cyan")
        for drop in funnel.drops:
            if drop.count:
                self._drop(drop, funnel.sampled)
        names = Text(" · ").join(plain(draft.text) for draft in event.drafts[:8])
        self._bar("kept", funnel.kept, funnel.sampled, "green", names)
        queued = f"{len(event.drafts)} drafts{asked}; {event.waiting} wait in the queue of {event.bot}"
        self._line("queued", queued, "bold cyan")
        for rut in event.ruts:
            if rut.habit not in self._ruts.get(event.bot, ()):
                self.console.print(Text(" " * 10) + alarm(rut))
        self._ruts[event.bot] = {rut.habit for rut in event.ruts}

    def _drop(self, drop: Drop, sampled: int) -> None:
        text, reason = drop.examples[0]
        example = Text.assemble(plain(text), " ", plain(reason, "bold red" if drop.failed else "dim"))
        self._bar(drop.filter, drop.count, sampled, "red", example)

    def _bar(self, name: str, count: int, of: int, style: str, text: Text) -> None:
        width = max(1, round(BAR * count / of)) if count else 0
        line = Text.assemble(
            " " * 10, f"{name:<17}{count:>4} ", ("█" * width + " " * (BAR - width), style), " ", text
        )
        line.truncate(self.console.width, overflow="ellipsis")
        self.console.print(line)

    def _delivered(self, delivery: Delivery, others: int) -> None:
        """One line for all the targets that a draft has reached, one for each trouble."""
        if delivery.state == "sent":
            self._sent.setdefault(delivery.draft, []).append(delivery.target)
        if (not others or delivery.state != "sent") and (reached := self._sent.pop(delivery.draft, [])):
            where = f" → {', '.join(reached)}"
            self._line("posted", Text.assemble(plain(delivery.text), (where, "dim")), "bold green")
        if delivery.state != "sent":
            self._trouble(delivery)

    def _trouble(self, delivery: Delivery) -> None:
        again = delivery.state == "planned" and delivery.due_at
        label = "later" if again else delivery.state
        then = f"; again at {again.astimezone():%H:%M:%S}" if again else ""
        reason = plain(f" → {delivery.target}: {delivery.reason}{then}")
        reason.stylize("dim")
        self._line(label, Text.assemble(plain(delivery.text), reason), "red")


class QuietScreen(Screen):
    """Shows nothing of a run: its log tells it."""

    def open(self, house: House) -> None:
        pass

    def close(self, house: House) -> None:
        pass

    def show(self, event: Event) -> None:
        pass


class DemoScreen(Screen):
    """The same with a word at the beginning and one at the end, on how to go on for real."""

    PATIENCE = 3  # posts after which the way on is shown

    def __init__(self, house: House):
        super().__init__()
        self._posted = 0
        self._bot = next(iter(house.config.bots))

    def open(self, house: House) -> None:
        from rich.panel import Panel

        bot = house.bot(self._bot)
        every = bot.schedule.every.total_seconds() if bot.schedule and bot.schedule.every else 0
        lines = Text.assemble(
            ("Names that no band has, invented by a small recurrent network on this computer.\n", "bold"),
            f"Model {bot.model}, {', '.join(it.name for it in house.checkpoints_of(self._bot))}. ",
            f"A post every {every:g} s instead of every few days, ",
            f"approved by the policy {bot.review!r} where a person would decide. {self._gone_on(house)}",
            "All stays in demo/.\n",
            ("Death metal is gruesome, and so are its names.", "dim"),
        )
        width = min(92, self.console.width)
        self.console.print(
            Panel(lines, title="wormhorn", title_align="left", border_style="cyan", width=width)
        )

    def close(self, house: House) -> None:
        posts = self._posts(house)
        self.console.print(f"Ended after {posts or 'no post'} in all; the next `make run` goes on from here.")
        self._way_on()

    def show(self, event: Event) -> None:
        if isinstance(event, SlotTaken):
            return  # the first slots come before the first sample; that worries a newcomer
        super().show(event)
        if isinstance(event, Delivered) and event.delivery.state == "sent" and not event.open:
            self._posted += 1
            if self._posted == self.PATIENCE:
                self._way_on()

    def _posts(self, house: House) -> str:
        """How many drafts were posted since the demo's first start, "" if none."""
        posted = house.drafts.count("posted", self._bot)
        return f"{posted} post{'' if posted == 1 else 's'}" if posted else ""

    def _gone_on(self, house: House) -> str:
        posts = self._posts(house)
        return f"Going on after {posts}. " if posts else ""

    def _way_on(self) -> None:
        """The command is named as it was called: `make run` calls one that is on nobody's path."""
        called = sys.argv[0] if Path(sys.argv[0]).name == "bot" else "bot"
        init = (f"{called} init mybot", "bold")
        feed = " makes a bot of your own.\n          The feed so far is demo/feed.xml."
        self.console.print(Text.assemble(("For real: ", "cyan"), init, feed))


def _held(hold: Hold, zone: ZoneInfo | None) -> str:
    """zone: this computer's if None."""
    until = f", until about {hold.until.astimezone(zone):%a %d %b %H:%M}" if hold.until else ""
    return f"{hold.waiting} of {hold.bot}: {hold.reason}{until}"


def _when(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %d %b %Y %H:%M %Z")
