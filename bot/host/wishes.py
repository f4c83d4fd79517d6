"""What a bot asks the model host for: its settings, the checkpoint they mean now, what its queue holds."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bot.config import SamplingSettings
from bot.curation.bands import apportion, temperatures
from bot.curation.taste import arms
from bot.curation.taste.measures import Share
from bot.host.orders import Order, Part
from bot.house import House
from bot.model import checkpoint
from bot.records import Mirostat, Rule, Sampling
from bot.store.judgements import Allotment


def make_order(house: House, bot: str, count: int | None = None, seed: int | None = None) -> Order:
    """What a bot asks the host for, by its settings and the checkpoint they mean now."""
    setting = house.bot(bot)
    for choice in setting.sampling.constraints:
        house.constraint(choice)  # what is wrong with it is told with its line
    folder = house.checkpoint_of(bot)
    seed = secrets.randbits(48) if seed is None else seed
    return Order(
        bot=bot,
        model=setting.model,
        checkpoint=folder.name,
        parts=parts_of(house, bot, folder, count or setting.batch_size, seed),
        seed=seed,
    )


def parts_of(house: House, bot: str, folder: Path, count: int, seed: int) -> tuple[Part, ...]:
    """A bot's samples shared out among its bands, each with temperatures by the checkpoint's calibration."""
    setting = house.bot(bot)
    sampling, quotas = sampled_by(setting.sampling), shares(house, bot)
    learns = setting.taste.allocation == "auto"
    counts = allot(house, bot, count, quotas, seed) if learns else apportion(count, quotas)
    return tuple(Part(in_band(sampling, band, folder), some) for band, some in counts.items() if some)


def shares(house: House, bot: str) -> dict[str, float]:
    """How large a part of a bot's samples each band is, by its settings; "" where temperatures are given."""
    return dict(house.bot(bot).sampling.band or {"": 1.0})


def allot(house: House, bot: str, count: int, bands: Iterable[str], seed: int) -> dict[str, int]:
    """The samples by what the bands' drafts have earned, a tenth for each at least; the division is noted."""
    of_band: dict[str, list[Share]] = {band: [] for band in bands}
    for (_, band), share in house.judgements.earned(bot).items():
        if band in of_band:
            of_band[band].append(share)
    chances = arms.chances({band: arms.joined(earned) for band, earned in of_band.items()}, seed)
    counts = apportion(count, arms.parts(chances))
    parts = {band: Allotment(counts[band], chance) for band, chance in chances.items()}
    house.judgements.divide(bot, parts)
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
    given["constraints"] = tuple(Rule(choice.name, choice.options) for choice in settings.constraints)
    return Sampling(**given)


def informed(house: House, order: Order) -> Order:
    """The order with what the queue knows of its bot at this moment."""
    posts = tuple(house.drafts.recent_posts(order.bot))
    queued = tuple(house.drafts.recent_texts(order.bot))
    return replace(order, seen=house.drafts.seen(order.bot), posts=posts, queued=queued)
