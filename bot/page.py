"""The review page of one configuration: here the page is handed its rooms, and served."""

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from bot.errors import BotError
from bot.health import Examiner, Health, metrics
from bot.host import Growing
from bot.house import House
from bot.model import checkpoint
from bot.model.watch import from_csv
from bot.outlook import outlook
from bot.posting.fit import objection
from bot.records import Draft
from bot.status import standing
from bot.web.address import Address, check, listen
from bot.web.app import make_app
from bot.web.door import Doors
from bot.web.health import health_router
from bot.web.office import Curve, Office, Preview
from bot.web.passwords import Passwords
from bot.web.server import serving


@contextmanager
def serve(house: House, port: int | None = None) -> Iterator[str]:
    """The page is served while the block lasts; yields the address that lets its owner in.

    Where passwords are set that is the door's; else it holds a secret that opens it once.
    Raises BotError if it cannot be served, or if other computers would reach it without TLS.
    """
    address = address_of(house, port)
    check(address)
    listener, address = listen(address)
    doors = open_doors(house, address)
    examine, numbers = examined(house)
    watched = health_router(examine, numbers)
    with ExitStack() as opened:
        office = open_office(house, examine, opened.enter_context(Growing(house)))
        app = make_app(office, doors, address, open_routers=[watched])
        opened.enter_context(serving(app, address, listener))
        with_secret = "" if doors.passwords.are_set() else f"?link={doors.link.secret}"
        yield f"{address.url()}/login{with_secret}"


@contextmanager
def serve_beside(house: House, say: Callable[[str], None]) -> Iterator[None]:
    """The same beside other work, if the configuration wants it, which goes on if the page cannot be served.

    Raises BotError if other computers would reach it without TLS.
    """
    if not house.config.web.serve:
        yield
        return
    check(address_of(house))
    with ExitStack() as served:
        try:
            say(f"Review page: {served.enter_context(serve(house))}")
        except BotError as error:
            say(f"No review page: {error}")
        yield


def examined(house: House) -> tuple[Callable[[], Health], Callable[[], str]]:
    """How all stands, and the same in numbers."""
    examiner = Examiner(house)
    return examiner.examine, lambda: metrics(examiner.examine())


def address_of(house: House, port: int | None = None) -> Address:
    web, folder = house.config.web, house.config.folder
    return Address(
        host=web.host,
        port=web.port if port is None else port,
        names=[name.lower() for name in web.names],
        proxies=web.proxy,
        certificate=folder / web.certificate if web.certificate else None,
        key=folder / web.key if web.key else None,
    )


def passwords_of(house: House) -> Passwords:
    return Passwords(house.config.folder / house.config.web.passwords)


def open_doors(house: House, address: Address) -> Doors:
    secure = address.speaks_tls or bool(address.proxies)
    cookie = "__Host-wormhorn" if secure else f"wormhorn-{address.port}"  # ports share a computer's cookies
    return Doors(passwords_of(house), house.clock, getpass.getuser(), cookie, secure)


def open_office(house: House, examine: Callable[[], Health], growing: Growing) -> Office:
    return Office(
        bots=list(house.config.bots),
        clock=house.clock,
        drafts=house.drafts,
        deliveries=house.deliveries,
        desk=house.desk,
        outgoing=house.outgoing,
        shortlist=house.shortlist(),
        previews=partial(previews, house),
        outlook=partial(outlook, house),
        standings=lambda: [standing(house, bot) for bot in house.config.bots],
        last_fill=house.fills.last,
        earned=house.judgements.earned,
        curves=lambda: list(curves(house)),
        media=house.media.content,
        health=lambda: examine().checks,
        switches=house.switches,
        growing=growing,
    )


def previews(house: House, draft: Draft) -> Sequence[Preview]:
    """What each target of its bot would be given. Raises BotError if the bot is gone."""
    targets = house.targets(draft.bot)
    return [
        Preview(
            outlet=outlet,
            length=targets[outlet.target].measure(outlet.text),
            limit=targets[outlet.target].max_length,
            objection=objection(outlet.target, targets[outlet.target], outlet.text),
        )
        for outlet in house.outlets(draft.bot, draft.text)
    ]


def curves(house: House) -> Iterator[Curve]:
    """How the best checkpoint of each model learned, where it tells."""
    for model in house.config.models:
        with suppress(BotError, OSError, ValueError, KeyError):
            folder = house.checkpoint(model)
            history = from_csv((folder / checkpoint.HISTORY).read_bytes())
            yield Curve(
                model=model,
                checkpoint=folder.name,
                steps=[row.step for row in history],
                train=[row.train_loss for row in history],
                held_out=[row.held_out_loss for row in history],
                ngram=checkpoint.read_meta(folder).ngram_loss,
            )
