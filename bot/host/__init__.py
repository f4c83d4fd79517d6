"""The model host: a child process that holds models and samples and judges for all bots, many in one decode.

orders    what a bot asks for, and which orders go together
asking    the parent's side: hand in orders, get answers one by one, find out who broke the host
serving   the child's side: load, sample, judge
growing   suggestions and continuations for whoever edits, from a host of their own
shelf     what is kept in memory, within a budget
"""

from bot.host.asking import Host, open_host
from bot.host.growing import Growing, open_quiet_host
from bot.host.orders import Answer, Hint, Order, Part, in_groups
from bot.host.serving import ModelHost
from bot.host.wishes import in_band, informed, make_order

__all__ = [
    "Answer",
    "Growing",
    "Hint",
    "Host",
    "ModelHost",
    "Order",
    "Part",
    "in_band",
    "in_groups",
    "informed",
    "make_order",
    "open_host",
    "open_quiet_host",
]
