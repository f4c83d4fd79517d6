"""The rooms wired together for one config.yaml; `House` is what the flow and the commands are handed."""

from bot.house.outlets import build_renderer
from bot.house.rooms import House
from bot.house.stores import utc_now
from bot.house.trained import FUNNIEST

__all__ = ["FUNNIEST", "House", "build_renderer", "utc_now"]
