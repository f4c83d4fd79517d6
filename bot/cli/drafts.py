"""fill, queue, why, review, approve, reject, edit, settle, replay: what works on the queue."""

import getpass
import sys
from typing import Annotated, get_args

import typer

from bot.cli.app import (
    HERE,
    MOST,
    AsJson,
    BotName,
    ConfigPath,
    Id,
    Ids,
    app,
    open_house,
    print_json,
    say,
)
from bot.errors import BotError
from bot.records import Draft, Status
from bot.review.reasons import REASONS


@app.command()
def fill(
    bot: BotName,
    count: Annotated[
        int | None, typer.Option("-n", "--count", min=1, help="How many to sample [default: batch_size]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="[default: a new one]")] = None,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Sample, filter, queue; say what was dropped and why.

    It adds to the queue however full that is; queue_size is what `bot run` fills up to.
    """
    from bot import pipeline
    from bot.cli.funnel import report
    from bot.cli.show import Screen
    from bot.host import open_host

    house = open_house(config)
    with open_host(house.config) as host:
        filled = pipeline.fill(house, host, bot, count, seed)
    if as_json:
        print_json(filled)
    else:
        Screen().console.print(report(filled))
        if filled.waiting > (size := house.bot(bot).queue_size):
            say(f"More than its queue_size of {size}: `bot run` adds none now, `bot fill` always does")
        if filled.drafts:
            say(f"Next: bot review {bot}")
        else:
            say(f"Nothing was kept: loosen the filter that dropped most ({house.config.file})")


@app.command()
def queue(
    bot: Annotated[str | None, typer.Argument(metavar="[BOT]", help="One bot's only.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(get_args(Status))}.")] = None,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """List the drafts."""
    if status is not None and status not in get_args(Status):
        msg = f"--status {status}: no such status (have {', '.join(get_args(Status))})"
        raise BotError(msg)
    house = open_house(config)
    if bot is not None:
        house.bot(bot)
    drafts = house.drafts.list(status=status, bot=bot)  # type: ignore[arg-type]
    if as_json:
        print_json(drafts)
        return
    from bot.cli.show import Screen

    Screen().queue(drafts)


@app.command()
def why(id: Id, as_json: AsJson = False, config: ConfigPath = HERE) -> None:
    """Explain one draft: where it came from, what was said of it, what happened, where it goes."""
    from bot.story import story

    told = story(open_house(config), id)
    if as_json:
        print_json(told)
        return
    from bot.cli.show import Screen
    from bot.cli.why import explanation

    Screen().console.print(explanation(told))


@app.command()
def review(
    bot: Annotated[str | None, typer.Argument(metavar="[BOT]", help="One bot's only.")] = None,
    config: ConfigPath = HERE,
) -> None:
    """Decide on the drafts in the terminal, one key a decision; `?` shows the keys."""
    from bot.host import Growing, open_quiet_host
    from bot.review.terminal import review as open_review

    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # what is piped in would be taken for keys
        msg = (
            "review needs a terminal; without one decide by number: bot queue, then bot approve or bot reject"
        )
        raise BotError(msg)
    house = open_house(config)
    if bot is not None:
        house.bot(bot)
    me = getpass.getuser()
    with Growing(house, open_quiet_host) as growing:
        desk, outgoing = house.desk(me), house.outgoing(me)
        open_review(house.drafts, desk, house.shortlist(), bot, outgoing, growing, house.measures)


@app.command()
def approve(
    ids: Ids,
    override: Annotated[
        bool, typer.Option("--override", help="Although it resembles the corpus or a post; recorded.")
    ] = False,
    config: ConfigPath = HERE,
) -> None:
    """Approve drafts as they are now."""
    desk = open_house(config).desk(getpass.getuser())
    for id in ids:
        draft = desk.approve(id, override=override)
        say(f"approved {draft.id}: {draft.text}")
        _say_doubts(draft)


@app.command()
def reject(
    ids: Ids,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(REASONS)}.")] = "",
    remark: Annotated[str, typer.Option(metavar="TEXT", help="Why, in words.")] = "",
    config: ConfigPath = HERE,
) -> None:
    """Reject drafts."""
    desk = open_house(config).desk(getpass.getuser())
    for id in ids:
        draft = desk.reject(id, reason=reason, remark=remark)
        say(f"rejected {draft.id}: {draft.text}")


@app.command()
def edit(
    id: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Its new text.")],
    config: ConfigPath = HERE,
) -> None:
    """Give a draft another text, which needs its own approval."""
    draft = open_house(config).desk(getpass.getuser()).edit(id, text)
    say(f"edited {draft.id}, revision {draft.revision}: {draft.text}")
    _say_doubts(draft)


def _say_doubts(draft: Draft) -> None:
    """Who decides by number sees no card."""
    for doubt in draft.doubts:
        say(f"    {doubt.filter}: {doubt.reason}")


@app.command()
def undo(
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", max=MOST, help="Else your latest decision's.")
    ] = None,
    config: ConfigPath = HERE,
) -> None:
    """Take the last decision on drafts back.

    Refused once one of their posts is under way.
    """
    desk = open_house(config).desk(getpass.getuser())
    for draft in map(desk.undo, ids) if ids else desk.undo_last():
        say(f"{draft.id} is {draft.status} again: {draft.text}")


@app.command()
def settle(
    id: Annotated[int | None, typer.Argument(metavar="[ID]", max=MOST, help="The draft.")] = None,
    target: Annotated[str | None, typer.Option(help="Where, if it is in doubt at several targets.")] = None,
    posted: Annotated[
        str | None, typer.Option(metavar="WHERE", help="It is there: the post's address or id.")
    ] = None,
    not_posted: Annotated[bool, typer.Option("--not-posted", help="It is not there: post it again.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give it up.")] = False,
    config: ConfigPath = HERE,
) -> None:
    """Say what became of a post that is in doubt; without ID, list what is."""
    from bot.cli.settling import list_doubts, settle_doubt

    outgoing = open_house(config).outgoing(getpass.getuser())
    if id is None:
        list_doubts(outgoing)
    else:
        settle_doubt(outgoing, id, target, posted, not_posted, cancel)


@app.command()
def replay(
    id: Id,
    as_json: AsJson = False,
    config: ConfigPath = HERE,
) -> None:
    """Sample a draft again from its provenance."""
    from bot.pipeline import replay as sample_again

    replayed = sample_again(open_house(config), id)
    then = replayed.draft.candidate
    if as_json:
        print_json(
            {"id": id, "text": replayed.text, "identical": replayed.identical, "promised": replayed.promised}
        )
    else:
        print(replayed.text)
    say(f"{then.checkpoint}, seed {then.seed}, index {then.index}, temperature {then.temperature:.3f}")
    if not replayed.promised:
        say(f"Sampled on {then.build}, {then.device}; here is {replayed.build}, {replayed.device}:")
        say(
            "the same text cannot be promised here" + (", but it is the same." if replayed.identical else ".")
        )
    elif not replayed.identical:
        msg = f"draft {id} was {then.raw_text!r}: {then.checkpoint} is not what it was sampled from"
        raise BotError(msg)
    else:
        say("identical, byte for byte")
    if replayed.draft.text != then.text:
        say(f"edited since; it reads now: {replayed.draft.text}")
