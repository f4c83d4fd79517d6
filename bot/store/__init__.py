"""The queue on disk: drafts, decisions, slots, deliveries. Every statement of SQL is in this room.

It knows what may follow what, and that nothing is lost or done twice; it knows no filter and no network.
"""

from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.drafts import Drafts
from bot.store.judgements import Judgements
from bot.store.media import MediaStore
from bot.store.overview import Overview
from bot.store.switches import Switches

__all__ = ["Database", "Deliveries", "Drafts", "Judgements", "MediaStore", "Overview", "Switches"]
