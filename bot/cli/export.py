"""export: chosen texts as a document."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HERE, ConfigPath, app, open_house, say
from bot.errors import BotError, CheckpointError

if TYPE_CHECKING:
    from bot.house import House
    from bot.model.checkpoint import Meta
    from bot.reports.article import Chapter


@app.command()
def export(
    bots: Annotated[list[str], typer.Argument(metavar="BOT...", help="Bots of the configuration.")],
    best: Annotated[
        bool,
        typer.Option(
            "--best",
            help="Only the favourites (`f` in the review); of a bot without any, what was approved by hand. "
            "Those with a note first, then what you probably like best, then the oldest.",
        ),
    ] = False,
    count: Annotated[
        int | None, typer.Option("-n", "--count", min=1, help="At most so many of each bot [default: all]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to [default: it is printed]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if there is one.")] = False,
    config: ConfigPath = HERE,
) -> None:
    """Write approved texts as Markdown, to be published: each with its settings, edits, posts and notes.

    What nobody approved, or a target refused, is left out; accounts and persons are not named.
    """
    from bot.reports.article import article

    if out is not None and out.exists() and not force:
        msg = f"{out} is there already: choose another name, or replace it with --force"
        raise BotError(msg)
    house = open_house(config)
    chapters = [_chapter(house, bot, best, count) for bot in dict.fromkeys(bots)]
    told = [chapter for chapter in chapters if chapter.chosen]
    if not told:
        raise BotError(_nothing(bots, best))
    for chapter in chapters:
        if not chapter.chosen:
            say(f"{chapter.bot}: nothing to tell yet; choose first: bot review {chapter.bot}")
    title = f"{'The best of' if best else 'Texts by'} {', '.join(chapter.bot for chapter in told)}"
    _write(article(title, told, lambda name: _described(house, name)), out, told)


def _chapter(house: "House", bot: str, best: bool, count: int | None) -> "Chapter":
    from bot.reports.article import Chapter
    from bot.review import chosen
    from bot.store.histories import Histories

    model = house.bot(bot).model
    found = chosen.chosen(house.drafts, Histories(house.database), bot)
    if best:
        if missing := chosen.favourites_left_out(house.drafts, bot):
            say(f"{bot}: favourites that are not approved are left out: {', '.join(map(str, missing))}")
        total, found = len(found), chosen.best(found)
        what = "Favourites" if any(one.starred for one in found) else "Approved by hand"
    else:
        total, what = len(found), "Approved"
    shown = found[:count]
    warning = house.model(model).warning if model in house.config.models else ""
    return Chapter(bot, f"{what}: {len(shown):,} of {total:,} approved texts.", shown, warning)


def _nothing(bots: Sequence[str], best: bool) -> str:
    what = "no favourite is approved, nor anything by hand" if best else "nothing is approved yet"
    return f"{', '.join(dict.fromkeys(bots))}: {what}. Choose first: bot review {bots[0]}"


def _described(house: "House", name: str) -> "Meta | None":
    """What a checkpoint says of itself; None if it is gone or damaged, and its name is all there is."""
    from bot.model import checkpoint

    model, _, which = name.partition("/")
    try:
        return checkpoint.read_meta(checkpoint.find(house.checkpoint_roots, model, which))
    except CheckpointError:
        return None


def _write(text: str, out: Path | None, chapters: "Sequence[Chapter]") -> None:
    from bot.model.checkpoint import write_atomically

    if out is None:
        print(text, end="")
        return
    write_atomically(out, text.encode())
    count = sum(len(chapter.chosen) for chapter in chapters)
    say(f"{out}: {count:,} text{'' if count == 1 else 's'}")
