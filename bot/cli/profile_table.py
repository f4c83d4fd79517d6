"""Where the time of a training goes, as a person reads it."""

import os

from rich.console import Console
from rich.table import Table

from bot.model.profiling import Profile

BAR = 20  # letters of the longest bar


def show_profile(console: Console, profile: Profile) -> None:
    """A line a part, then what it comes to."""
    table = Table(box=None, pad_edge=False)
    table.add_column("part")
    table.add_column("ms a step", justify="right")
    table.add_column("share", justify="right")
    table.add_column("")
    table.add_column("")
    most = max(profile.parts.values())
    for name, seconds in profile.parts.items():
        once = profile.once.get(name)
        each = f"{1000 * once:,.0f} ms every {profile.evaluate_every} steps" if once is not None else ""
        bar = "█" * round(BAR * seconds / most)
        table.add_row(name, f"{1000 * seconds:.2f}", f"{seconds / profile.seconds:.1%}", bar, each)
    console.print(table)
    console.print(
        f"{1000 * profile.seconds:.1f} ms a step, {profile.tokens / profile.seconds:,.0f} tokens/s, "
        f"{profile.cores:.1f} of {os.cpu_count()} cores busy."
    )
    whole = duration(profile.steps * profile.seconds)
    console.print(f"The whole run, {profile.steps:,} steps, would take about {whole}.")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes}:{rest:02}"
