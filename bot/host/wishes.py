"""What a bot asks the model host for: its settings, the checkpoints they mean now, what its queue holds."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.config import SamplingSettings
from bot.curation.bands import apportion, temperatures
from bot.curation.taste import arms
from bot.curation.taste.arms import Arm, arm_of
from bot.host.orders import Order, Part
from bot.house import House
from bot.model import checkpoint
from bot.records import Mirostat, Rule, Sampling, Sources
from bot.store.judgements import Allotment


@dataclass(frozen=True)
class Way:
    """One of a bot's ways to sample. share: of a batch, by its settings, in any unit."""

    checkpoint: Path
    sampling: Sampling
    share: float

    @property
    def arm(self) -> Arm:
        return arm_of(f"{self.checkpoint.parent.name}/{self.checkpoint.name}", self.sampling)


def make_order(house: House, bot: str, count: int | None = None, seed: int | None = None) -> Order:
    """What a bot asks the host for, by its settings and the checkpoints they mean now."""
    setting = house.bot(bot)
    for choice in (rule for sampling in setting.samplings for rule in sampling.constraints):
        house.constraint(choice)  # what is wrong with it is told with its line
    seed = secrets.randbits(48) if seed is None else seed
    parts = parts_of(house, bot, count or setting.batch_size, seed)
    return Order(bot=bot, model=setting.model, parts=parts, seed=seed)


def parts_of(house: House, bot: str, count: int, seed: int) -> tuple[Part, ...]:
    """A bot's samples shared out among its ways to sample."""
    found = ways(house, bot)
    if house.bot(bot).taste.allocation == "auto":
        counts = allot(house, bot, count, list(found), seed)
    else:
        counts = apportion(count, {arm: way.share for arm, way in found.items()})
    return tuple(
        Part(way.checkpoint.name, way.sampling, counts[arm]) for arm, way in found.items() if counts[arm]
    )


def ways(house: House, bot: str) -> dict[Arm, Way]:
    """Each checkpoint with each sampling in each of its bands, which that checkpoint's calibration resolves.

    Checkpoints and samplings have equal shares, bands their quotas. Two names of one checkpoint are one way.
    """
    found = {}
    for folder in house.checkpoints_of(bot):
        for settings in house.bot(bot).samplings:
            quotas = settings.band or {"": 1.0}
            for band, quota in quotas.items():
                sampling = in_band(sampled_by(settings), band, folder)
                way = Way(folder, sampling, quota / sum(quotas.values()))
                found[way.arm] = way
    return found


def allot(house: House, bot: str, count: int, competing: Sequence[Arm], seed: int) -> dict[Arm, int]:
    """The samples by what the arms' drafts have earned, a floor for each; the division is noted."""
    chances = arms.chances(arms.compared(competing, house.judgements.earned(bot)), seed)
    counts = apportion(count, arms.parts(chances))
    names = arms.names(competing)
    house.judgements.divide(bot, {names[arm]: Allotment(counts[arm], chances[arm]) for arm in competing})
    return counts


def in_band(sampling: Sampling, band: str, folder: Path) -> Sampling:
    """The same with the temperatures that a band has for a checkpoint. Raises BotError where it has none."""
    if not band:
        return sampling
    calibration = checkpoint.read_meta(folder).calibration
    return replace(sampling, temperature=temperatures(band, calibration), band=band)


def sampled_by(settings: SamplingSettings) -> Sampling:
    """The record of the same settings, a band left out."""
    given = {name: getattr(settings, name) for name in type(settings).model_fields if name != "band"}
    if settings.mirostat:
        given["mirostat"] = Mirostat(settings.mirostat.surprise, settings.mirostat.rate)
    if settings.sources:
        given["sources"] = Sources(**dict(settings.sources))
    given["constraints"] = tuple(Rule(choice.name, choice.options) for choice in settings.constraints)
    return Sampling(**given)


def informed(house: House, order: Order) -> Order:
    """The order with what the queue knows of its bot at this moment."""
    posts = tuple(house.drafts.recent_posts(order.bot))
    queued = tuple(house.drafts.recent_texts(order.bot))
    return replace(order, seen=house.drafts.seen(order.bot), posts=posts, queued=queued)
