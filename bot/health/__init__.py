"""How the bots stand, told truly: what `bot status`, /health and /metrics show. It changes nothing.

examiner  one look at everything
process   what the pulse of `bot run` tells
posting   what the database tells: lateness, slots, queues, targets
patience  asks what may hang
metrics   the same in numbers

It loads no torch and builds no target.
"""

from bot.health.examiner import Examiner, Health
from bot.health.metrics import metrics

__all__ = ["Examiner", "Health", "metrics"]
