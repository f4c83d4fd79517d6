"""What a plugin's objects must be able to do. Protocols: nothing to inherit from.

A cell is the one exception: it is a torch module and lives in bot.model.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from bot.records import Attachment, Candidate, Document, Evidence, Kind, Match, Post, Receipt, Span, Takes

# What a plugin annotates to be handed other corpora, by the names that config.yaml gives them.
Corpora = Mapping[str, Iterable[Document | str]]


class Tokenizer(Protocol):
    """Cuts a text into tokens and puts tokens together again."""

    vocabulary_size: int | None  # keep this many of the most frequent tokens; None keeps all

    def split(self, text: str) -> list[str]: ...

    def join(self, tokens: Sequence[str]) -> str: ...


class Constraint(Protocol):
    """Says character by character what a text may be, as an automaton: equal states allow the same.

    States can be hashed and are not None. It may have a method `alike(state)`: a state from which the end is
    as far, the same for many; then those are looked at once.
    """

    start: Any  # the state before the first character

    def advance(self, state: Any, character: str) -> Any:
        """The state after one more character, None where it must not stand."""

    def missing(self, state: Any) -> int:
        """How many characters at least are missing until a text may end; 0 exactly where it may."""


class TrainingSet(Protocol):
    """What is known of the corpus a model was trained on, by text or by hash alone."""

    def nearest(self, text: str, edits: int) -> Match | None:
        """The nearest training item within `edits`, after NFKC and casefold."""

    def copied(self, text: str) -> Span | None:
        """The first 8 words or 40 characters in a row that stand in the corpus too."""

    def longest(self, text: str) -> Span | None:
        """The longest stretch that stands in one training item, None if no character does.

        Raises BotError where only hashes are known.
        """

    def overlap(self, text: str) -> float | None:
        """The share of a long text's runs of 5 words that stand in the corpus, None for a text with few.

        Raises BotError where only hashes are known.
        """

    def expect(self, texts: Iterable[str]) -> None:
        """Say which texts will be asked about: to answer for many at once takes less time."""

    def evidence(self, texts: Sequence[str]) -> list[Evidence]:
        """Of each text what is known of its novelty, without `earlier`."""


class Profile(Protocol):
    """What is known of the items of that corpus as a kind of text."""

    def likeness(self, text: str) -> float:
        """How much a text reads like an item: real ones have mean 0 and deviation 1."""

    def knows(self, word: str) -> bool:
        """Whether a word, after NFKC and casefold, stands in the corpus."""


class FilterContext(Protocol):
    """What a filter may know beside the candidate."""

    training_set: TrainingSet

    @property
    def profile(self) -> Profile:
        """Raises BotError where the checkpoint has none and its corpus is not at hand."""

    def seen(self, text: str) -> bool:
        """Whether this text, after NFKC and casefold, was ever queued for this bot."""

    def nearest_seen(self, text: str, edits: int) -> Match | None:
        """The nearest within `edits` of what was queued for this bot lately, or posted."""


class Filter(Protocol):
    """Returns the candidate, trimmed or as it was, or raises Ask or Reject with a reason."""

    def __call__(self, candidate: Candidate, context: FilterContext) -> Candidate: ...


class Renderer(Protocol):
    """Makes of a text what goes with it: a picture, a sound."""

    def __call__(self, text: str) -> Sequence[Attachment]:
        """What goes with the text, the best first; the same bytes each time.

        Raises BotError with the reason where it can make nothing of this text.
        """


class Target(Protocol):
    """A place to post.

    kind: put (same key, same post, safe to repeat), key (so for a while), query (not so); these
    can be asked whether a post is there; opaque (neither: a lost answer needs a person).
    """

    kind: Kind
    account: str  # who posts; one delivery at a time goes to an account
    max_length: int | None  # in the target's own measure, see `measure`

    def measure(self, text: str) -> int:
        """The length of a text as this target counts it."""

    def post(self, post: Post) -> Receipt:
        """Post once. Raise Refused or NotSent where nothing was posted; all else is unknown."""

    def find(self, post: Post) -> Receipt | None:
        """The receipt of this post if it is there already, None if it is surely not."""


class Objecting(Protocol):
    """What a target may have beside: it is asked before a text is queued, approved and sent."""

    def objection(self, text: str) -> str:
        """What this place would make of the text that nobody wants, "" if nothing; without a network."""


class Taking(Protocol):
    """What a target may have beside; without it, it takes no attachments."""

    takes: Sequence[Takes]  # one or another, not mixed


class Showing(Protocol):
    """What a target may have beside: it is shown before an approval, and a post is made so or not at all."""

    manner: str  # what people will see of the post beside its text, in words


class Costing(Protocol):
    """What a target may have beside: `bot calendar` adds it up, and limits.usd_per_month bounds it."""

    def cost(self, text: str) -> float:
        """What a post of this text costs, in USD; without a network."""


class Serving(Protocol):
    """What a target may have beside: while `bot run` works it is tried whether that server answers."""

    server: str  # http://HOST:PORT or https://HOST, without anything secret


class Advising(Protocol):
    """What a target may have beside: `bot doctor` shows it."""

    def advice(self) -> str:
        """What its owner should see to at the place itself, "" if nothing; the place may be asked."""
