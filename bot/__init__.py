"""The plugin author's door: everything a plugin needs is imported from here, and nothing here loads torch."""

import pluggy

from bot import notation as abc_notation
from bot.errors import Ask, BotError, CorpusError, NotSent, Refused, Reject
from bot.interfaces import (
    Constraint,
    Corpora,
    Filter,
    FilterContext,
    Profile,
    Renderer,
    Target,
    Tokenizer,
    TrainingSet,
)
from bot.records import (
    BANDS,
    Attachment,
    Candidate,
    Document,
    Evidence,
    Match,
    Post,
    Receipt,
    Secret,
    Span,
    Takes,
)
from bot.text.files import read_lines

hookimpl = pluggy.HookimplMarker("bot")

__version__ = "0.1.0"
__all__ = [
    "BANDS",
    "Ask",
    "Attachment",
    "BotError",
    "Candidate",
    "Constraint",
    "Corpora",
    "CorpusError",
    "Document",
    "Evidence",
    "Filter",
    "FilterContext",
    "Match",
    "NotSent",
    "Post",
    "Profile",
    "Receipt",
    "Refused",
    "Reject",
    "Renderer",
    "Secret",
    "Span",
    "Takes",
    "Target",
    "Tokenizer",
    "TrainingSet",
    "abc_notation",
    "hookimpl",
    "read_lines",
]
