"""Texts of a lab's models, asked for as a configuration asks."""

import random
from collections.abc import Sequence
from dataclasses import replace

from bot.config import SamplingSettings
from bot.host.wishes import in_band, sampled_by
from bot.records import Candidate
from bot.reproduction.lab import Lab


def draw(
    lab: Lab,
    model: str,
    settings: SamplingSettings,
    count: int,
    seed: int,
    prefixes: Sequence[str] = (),
) -> list[Candidate]:
    """So many samples of a model's best checkpoint; each begins with a prefix, of those that it knows."""
    sampler = lab.sampler(model)
    prefixes = [prefix for prefix in prefixes if sampler.can_begin(prefix)]
    [band] = settings.band or {"": 1.0}
    sampling = in_band(sampled_by(settings), band, lab.checkpoint(model))
    chosen = [random.Random(f"{seed} {at}").choice(prefixes) if prefixes else "" for at in range(count)]
    asked = [
        (
            replace(sampling, prefix=prefix) if prefix else sampling,
            seed,
            [at for at in range(count) if chosen[at] == prefix],
        )
        for prefix in dict.fromkeys(chosen)
    ]
    found = [one for drawn in sampler.sample_many(asked) for one in drawn]
    return sorted(found, key=lambda one: one.index)


def in_words(settings: SamplingSettings, prefixes: Sequence[str] = ()) -> str:
    """`Temperature 0.8, at most 100 tokens, begun with one of 26 prefixes`."""
    low, high = settings.temperature
    if settings.band:
        warmth = f"Band {', '.join(settings.band)}"
    else:
        warmth = f"Temperature {low:g}" if low == high else f"Temperature {low:g} to {high:g}"
    begun = ""
    if prefixes:
        shown = f"{prefixes[0]} … {prefixes[-1]}" if len(prefixes) > 4 else ", ".join(prefixes)
        begun = f", begun with one of {shown} by chance, if it knows that"
    return f"{warmth}, at most {settings.max_length} tokens{begun}"
