"""What can be asked of a sampler at all, whatever the model. It knows no model."""

import math
from collections.abc import Iterator

from bot.errors import BotError
from bot.records import Sampling


def check(sampling: Sampling) -> None:
    """Raises BotError that names each setting that makes no sense, and what would."""
    if wrong := list(_wrong(sampling)):
        raise BotError(f"cannot sample with {'; '.join(wrong)}")


def _wrong(s: Sampling) -> Iterator[str]:
    low, high = s.temperature
    if not 0 < low <= high < math.inf:
        yield f"temperature {low:g} to {high:g}: a temperature is above 0, the lower one comes first"
    if s.max_length < 1 or not 0 <= s.min_length <= s.max_length:
        yield f"lengths from {s.min_length} to {s.max_length}: at least 1 for the greatest, the least no more"
    for name in ("top_k", "no_repeat_ngram"):
        if getattr(s, name) < 0:
            yield f"{name} {getattr(s, name)}: it is at least 0, which is off"
    for name in ("top_p", "typical_p"):
        if not 0 < getattr(s, name) <= 1:
            yield f"{name} {getattr(s, name):g}: it is above 0 and at most 1, which is off"
    for name in ("min_p", "eta"):
        if not 0 <= getattr(s, name) <= 1:
            yield f"{name} {getattr(s, name):g}: it lies between 0, which is off, and 1"
    if not 0 < s.repetition_penalty < math.inf:
        yield f"repetition_penalty {s.repetition_penalty:g}: it is above 0; 1 is off, 1.2 a usual one"
    if s.mirostat and not (0 < s.mirostat.surprise < math.inf and 0 < s.mirostat.rate <= 1):
        pair = f"{s.mirostat.surprise:g}, {s.mirostat.rate:g}"
        yield f"mirostat {pair}: a surprise is above 0, a rate too and at most 1"
    if s.sources and not 0 < s.sources.switch <= 1:
        yield f"switch {s.sources.switch:g}: it is above 0 and at most 1"
    if not all(s.stop):
        yield "an empty text to stop at: leave it out"
