"""Every way a plugin can add to the bot. One screen, on purpose.

Each hook returns {name: factory}. Names choose, order never does; the same name twice is an error.
A factory's keyword arguments are the options in config.yaml, checked by its signature and types.
"""

from collections.abc import Callable, Iterable

import pluggy

from bot.interfaces import Constraint, Filter, Renderer, Target, Tokenizer
from bot.records import Document

hookspec = pluggy.HookspecMarker("bot")


@hookspec
def register_corpora() -> dict[str, Callable[..., Iterable[Document | str]]]:  # type: ignore[empty-body]
    """Return {name: factory}; a factory yields the documents of a corpus."""


@hookspec
def register_tokenizers() -> dict[str, Callable[..., Tokenizer]]:  # type: ignore[empty-body]
    """Return {name: factory}; a factory returns a Tokenizer."""


@hookspec
def register_cells() -> dict[str, type]:  # type: ignore[empty-body]
    """Return {name: Cell class}; the class is called with input_size, hidden_size and its options.

    Or a CountedModel class, called with vocabulary_size and its options.
    """


@hookspec
def register_constraints() -> dict[str, Callable[..., Constraint]]:  # type: ignore[empty-body]
    """Return {name: factory}; a factory returns a Constraint."""


@hookspec
def register_filters() -> dict[str, Callable[..., Filter]]:  # type: ignore[empty-body]
    """Return {name: factory}; a factory returns a Filter."""


@hookspec
def register_targets() -> dict[str, Callable[..., Target]]:  # type: ignore[empty-body]
    """Return {name: factory}; a factory returns a Target."""


@hookspec
def register_renderers() -> dict[str, Callable[..., Renderer]]:  # type: ignore[empty-body]
    """Return {name: factory}; a factory returns a Renderer."""
