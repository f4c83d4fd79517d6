"""Looks at everything a bot needs and says of each what is wrong and how to mend it. It changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.config import load
from bot.errors import BotError, CorpusError
from bot.house import House
from bot.model import checkpoint
from bot.model.native import compiler
from bot.records import Secret
from bot.review.card import place_of
from bot.review.policies import look_up
from bot.store.holding import told
from bot.store.lineage import Past
from bot.store.rows import unreadable

MOST = 5  # unreadable rows that are named
SMALLEST = 4  # ids of a vocabulary, to try a cell with


@dataclass(frozen=True)
class Finding:
    """What was looked at and what was found; `ok` is False where something must be mended."""

    what: str
    ok: bool
    text: str


def examine(config: Path) -> list[Finding]:
    """All findings; only one if the configuration cannot be read, for it says where all else is."""
    try:
        house = House(load(config))
    except BotError as error:
        return [Finding("configuration", False, str(error))]
    return [Finding("configuration", True, str(config)), *_findings(house)]


def _findings(house: House) -> Iterator[Finding]:
    yield Finding("fast passes", True, compiler.described())
    yield _look("database", partial(_database, house))
    yield _look("storage", partial(_storage, house))
    yield _look("rows", partial(_rows, house))
    for model in house.config.models:
        yield _look(f"model {model}", partial(_model, house, model))
    for bot in house.config.bots:
        yield _look(f"bot {bot}: checkpoint", partial(_checkpoint, house, bot))
        yield _look(f"bot {bot}: constraints", partial(_constraints, house, bot))
        yield _look(f"bot {bot}: filters", partial(_filters, house, bot))
        yield _look(f"bot {bot}: review", partial(_review, house, bot))
        yield _look(f"bot {bot}: renderers", partial(_renderers, house, bot))
        yield _look(f"bot {bot}: targets", partial(_targets, house, bot))
        yield from _advised(house, bot)
        yield _look(f"bot {bot}: posts", partial(_posts, house, bot))
        yield _look(f"bot {bot}: stops", partial(_stops, house, bot))


def _look(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except BotError as error:
        return Finding(what, False, Secret.redact(str(error)))


def _database(house: House) -> str:
    counts = house.drafts.counts()
    return f"{house.database.name}, {sum(counts.values())} drafts"


def _storage(house: House) -> str:
    """Whether the database is sound and the one that was left here; what else an owner should know of it."""
    house.database.check()
    past, mark = house.lineage.past(), house.lineage.mark.path.name
    told = [f"sound; {mark} beside it says what was tried"]
    if past.epoch:
        told.append(f"restored {'once' if past.epoch == 1 else f'{past.epoch} times'}; {_unsure(past)}")
    if weakness := house.database.weakness():
        told.append(weakness)
    return "; ".join(told)


def _rows(house: House) -> str:
    with house.database.read() as connection:
        spoilt = unreadable(connection)
    if spoilt:
        msg = f"passed over and left as they are, the rest goes on: {'; '.join(spoilt[:MOST])}"
        msg += f"; and {len(spoilt) - MOST} more" if len(spoilt) > MOST else ""
        raise BotError(f"{msg}. A copy from before may have them whole: bot restore FILE")
    return "all can be read"


def _unsure(past: Past) -> str:
    if past.doubted:
        return f"drafts up to {past.doubted} are looked for at their targets before they are posted"
    if past.attempts:
        return f"of {past.attempts} attempts that it has forgotten the posts are not made sure of yet"
    return "all that it had forgotten is made sure of"


def _model(house: House, model: str) -> str:
    """A corpus that is not at hand is no fault, for only training needs it; one that is misspelt is."""
    house.tokenizer(house.model(model).tokenizer)
    house.new_model(model, SMALLEST)
    try:
        corpus = house.corpus(model)
    except CorpusError as error:
        if not house.has_checkpoint(model):
            raise
        return f"cannot be trained here ({error}); its checkpoints work without, and name no copied item"
    return f"{corpus.counts['kept']:,} items to learn from"


def _checkpoint(house: House, bot: str) -> str:
    return "; ".join(map(partial(_described, house), house.checkpoints_of(bot)))


def _described(house: House, folder: Path) -> str:
    meta = checkpoint.read_meta(folder)
    house.known_texts(folder)
    return f"{folder.parent.name}/{folder.name}, held-out loss {meta.held_out_loss:.4f}"


def _constraints(house: House, bot: str) -> str:
    chosen = [rule for sampling in house.bot(bot).samplings for rule in sampling.constraints]
    for choice in chosen:
        house.constraint(choice)
    return ", ".join(dict.fromkeys(choice.name for choice in chosen)) or "none"


def _filters(house: House, bot: str) -> str:
    names = ", ".join(name for name, _ in house.filters(bot)) or "none; only the fixed check"
    house.try_filters(bot)
    return names


def _review(house: House, bot: str) -> str:
    policy = house.bot(bot).review
    look_up(policy, bot)
    return policy


def _renderers(house: House, bot: str) -> str:
    return ", ".join(house.renderers(bot)) or "none; its texts go alone"


def _targets(house: House, bot: str) -> str:
    targets = house.targets(bot)
    if not targets:
        msg = f"{house.config.file}: bots.{bot}.targets: there is none, so nothing can be approved or posted"
        raise BotError(msg)
    return ", ".join(place_of(label, target.account) for label, target in targets.items())


def _advised(house: House, bot: str) -> Iterator[Finding]:
    try:
        targets = house.targets(bot)
    except BotError:  # `_targets` has said why
        return
    for label, target in targets.items():
        if advise := getattr(target, "advice", None):
            yield _look(f"bot {bot}: {label}", partial(_advice, advise))


def _advice(advise: Callable[[], str]) -> str:
    try:
        text = advise()
    except Exception as error:  # whatever its library raises
        msg = f"it cannot be asked: {' '.join(Secret.redact(str(error)).split())}"
        raise BotError(msg) from error
    if text:
        raise BotError(text)
    return "nothing to see to"


def _stops(house: House, bot: str) -> str:
    if halts := house.halts(bot):
        msg = f"{'; '.join(map(told, halts))}; lift it with: bot resume {bot}"
        raise BotError(msg)
    return "nothing keeps it from posting"


def _posts(house: House, bot: str) -> str:
    uncertain = house.deliveries.list(state="uncertain", bot=bot)
    if uncertain:
        which = ", ".join(f"draft {delivery.draft} on {delivery.target}" for delivery in uncertain)
        msg = f"nobody knows whether these were posted, look there: {which}"
        raise BotError(msg)
    return f"{house.drafts.counts(bot)['posted']} posted, none in doubt"
