"""The records that travel between rooms: frozen, plain, picklable. Of ours it imports disguises alone.

Times are aware datetimes in UTC; losses are nats per token, one end mark an item counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar, Literal

from bot.disguises import disguises

Outcome = Literal["accept", "trim", "ask", "reject"]
Kind = Literal["put", "key", "query", "opaque"]
DeliveryState = Literal["planned", "claimed", "sending", "sent", "refused", "uncertain", "cancelled"]
Reason = Literal["best", "uncertain", "random", "typical"]  # why a draft is shown next
Status = Literal[
    "pending",
    "snoozed",
    "approved",
    "scheduled",
    "posting",
    "posted",
    "uncertain",
    "refused",
    "rejected",
]
Sort = Literal["oldest", "newest", "score", "surprise"]  # the last two: the highest first


@dataclass(frozen=True, slots=True)
class Document:
    """One item of a corpus; `source` names where it came from (a file, a column, a range).

    variant_of: the text of the item that this one varies, "" if none. A variant, as a tune in another key, is
    learned from where that item is, and never held out.
    """

    text: str
    source: str = ""
    variant_of: str = ""


# Bands of surprise, a text's loss over the held-out loss: they survive retraining, temperatures do not.
BANDS = {"safe": (0.6, 0.8), "balanced": (0.8, 1.0), "wild": (1.0, 1.25)}


@dataclass(frozen=True, slots=True)
class Mirostat:
    """Keeps the surprise of what is drawn near a target, by a limit that follows it."""

    surprise: float  # nats a token, by the shares that are drawn from
    rate: float = 0.1  # how fast the limit follows


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint by its plugin's name, with the options as the configuration gives them."""

    name: str
    options: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """Under which of its sources a model with tags writes.

    A text begins under one of the names by chance. switch: how probably each word's end leads to another.
    half: instead, the first word's end after so many tokens does. blend: instead, the mean of all sources.
    """

    names: tuple[str, ...]
    switch: float = 0.6
    half: int = 0
    blend: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: each sample draws its temperature between the two, evenly, from its own seed.

    `band` names the band of surprise the temperatures were resolved from, "" if they were given.
    The penalty of repetitions comes before the temperature. Truncations follow it: top_k, top_p, min_p,
    typical_p, eta, mirostat, each on what the one before left; equal tokens stay or go together.
    `weights`: int8 is quicker and rounds the model's weights, where this machine can.
    Lengths count tokens, those of the prefix too.
    """

    temperature: tuple[float, float] = (0.8, 0.8)
    max_length: int = 200  # tokens
    band: str = ""
    top_k: int = 0  # keep the k likeliest tokens; 0: all
    top_p: float = 1.0  # keep the fewest likeliest tokens that have this share of all probability
    min_p: float = 0.0  # keep tokens with at least this share of the likeliest one's probability
    weights: Literal["float32", "int8"] = "float32"
    typical_p: float = 1.0  # keep the fewest of nearly usual surprise that have this share of all probability
    eta: float = 0.0  # keep tokens with at least this probability, or less where much is possible
    mirostat: Mirostat | None = None
    repetition_penalty: float = 1.0  # how much less likely a token becomes once it is written
    no_repeat_ngram: int = 0  # so many tokens in a row are written once at most; 0: as often as may be
    min_length: int = 0  # tokens
    prefix: str = ""  # what a sample begins with
    stop: tuple[str, ...] = ()  # a sample ends before the first of these
    constraints: tuple[Rule, ...] = ()  # what every sample is, all of them
    sources: Sources | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sampled text with everything needed to sample it again.

    `nll` is the mean loss at temperature 1 of the tokens that were drawn, the end mark and what a stop cut
    off counted, a prefix not; `surprise` is that loss over the model's held-out loss.
    """

    text: str
    raw_text: str
    checkpoint: str  # MODEL/NAME
    sampling: Sampling
    seed: int
    index: int
    temperature: float
    nll: float
    surprise: float
    build: str
    device: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A token that may follow a prefix. text: the prefix with it; the token "" ends the text."""

    token: str
    text: str
    probability: float  # at temperature 1, of all tokens


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one filter said of one text."""

    filter: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The text nearest to another; `item` is None where only hashes of the corpus are at hand.

    `source`: where the item came from, as its Document says, or "draft" or "post".
    """

    distance: int  # edits of the normal forms
    item: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, as the text has it from `start` on, whose normal form stands in the corpus too.

    `item` and `source` as in Match.
    """

    text: str
    item: str | None = None
    source: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """How near a text comes to what was there before it: what a judgement of its novelty rests on.

    nearest: the training item with the fewest edits, None if none was found. None within `within` edits is
    missed; of items further off it is the nearest that was met. `within` is 1 where hashes alone are known.
    copied: the longest stretch that one item shares with the text; by hashes alone, only the first one of 40
    characters or 8 words and more. overlap: the share of its shingles of 5 words that stand in the corpus,
    None for a text with few of them and where only hashes are known. earlier: the nearest draft or post.
    """

    characters: int  # of the text
    within: int
    nearest: Match | None = None
    copied: Span | None = None
    overlap: float | None = None
    earlier: Match | None = None

    @property
    def distance(self) -> int | None:
        """Edits to the nearest training item, None where none was found near."""
        return None if self.nearest is None else self.nearest.distance

    @property
    def verbatim_share(self) -> float:
        """The longest copied stretch as a share of the text, 0 to 1."""
        return 0.0 if self.copied is None else len(self.copied.text) / self.characters


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate and what the chain said of it; kept unless one of the verdicts is a reject.

    `evidence`: of its novelty, for the kept ones.
    """

    candidate: Candidate
    verdicts: tuple[Verdict, ...]
    evidence: Evidence | None = None

    @property
    def kept(self) -> bool:
        return all(verdict.outcome != "reject" for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text in the queue at its current revision."""

    id: int
    bot: str
    text: str
    status: Status
    revision: int
    sha256: str  # of the revision's text
    candidate: Candidate
    verdicts: tuple[Verdict, ...]
    created_at: datetime
    evidence: Evidence | None = None  # of the revision; None if it is older than the program's own
    score: float | None = None  # how probably its owner approves it, as judged last; None: not judged yet
    starred: bool = False  # a favourite, to come back to
    note: str = ""  # what a person wrote beside it, for persons
    snoozed_until: datetime | None = None
    recycled_from: int | None = None  # the favourite that it is a copy of, to go out again

    @property
    def doubts(self) -> tuple[Verdict, ...]:
        """What a person should know before approving it: questions, and of an edited text also vetoes."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome in ("ask", "reject"))


@dataclass(frozen=True, slots=True)
class Favourite:
    """A posted draft that was starred, and when last a copy of it, or itself, was made or posted."""

    draft: Draft
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of exactly one revision, by whom; `policy` is "" when a person decided.

    reason: the name of why it was rejected, remark: in words; "" where nobody said. until: of a snooze.
    """

    draft: int
    revision_sha256: str
    verdict: Literal["approve", "reject", "edit", "undo", "snooze"]
    actor: str
    policy: str
    at: datetime
    override: bool = False
    reason: str = ""
    remark: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Which drafts of the queue, and in what order.

    status: None for all. search: a part of the text as it reads now, in either case. starred: favourites
    only.
    """

    status: Status | None = "pending"
    bot: str | None = None
    search: str = ""
    sort: Sort = "newest"
    starred: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some drafts of a listing, and the mark that the next ones follow; "" if these are the last."""

    drafts: tuple[Draft, ...]
    next: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person approved or rejected, as it read then: an example of the owner's taste.

    reason, propensity: why it was shown, and how probable that was of all that waited; "" and None if it was
    decided on without having been picked.
    """

    draft: Draft
    approved: bool
    at: datetime
    reason: Reason | Literal[""] = ""
    propensity: float | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment a bot may post at. Interval slots carry zone "UTC" and their instant's date and time."""

    bot: str
    local_date: date
    local_time: time
    zone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """What holds deliveries back that are due, beside their accounts.

    resting: bots that post nothing now. distances: at least so long from one post of a bot to its next one
    on the same target.
    """

    resting: frozenset[str] = frozenset()
    distances: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What goes with a text: a picture, a sound, a file. It may never be changed: its bytes are its name."""

    media_type: str  # as image/png
    content: bytes = field(repr=False)
    alt_text: str  # what there is to see or to hear, in words
    name: str  # of a file, as score.png
    width: int = 0  # pixels of a picture; 0: not known
    height: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """An attachment without its bytes, which are kept under their sha256."""

    sha256: str
    media_type: str
    alt_text: str
    name: str
    size: int  # bytes
    width: int = 0
    height: int = 0

    def __str__(self) -> str:
        size = f"{self.size} B" if self.size < 1000 else f"{self.size / 1e3:.1f} kB"
        return f"{self.name} ({size if self.size < 100_000 else f'{self.size / 1e6:.1f} MB'})"


@dataclass(frozen=True, slots=True)
class Takes:
    """Attachments that a place takes in one post.

    media_types: as image/png or image/*. largest, in_all: bytes of one and of all together; None: any.
    longest_alt_text: in characters; a longer one is cut.
    """

    media_types: tuple[str, ...]
    most: int = 1
    largest: int | None = None
    in_all: int | None = None
    longest_alt_text: int | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes with a text, the best of each renderer first; reasons: of each that made nothing, why."""

    media: tuple[Media, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where an approved draft will go and the bytes it will go as; `target` is unique in its bot.

    manner: how the target posts it, in words, beside the text. left_out: what it cannot take and why.
    """

    target: str
    account: str
    kind: Kind
    text: str
    cost: float = 0.0  # of a post, in USD
    media: tuple[Media, ...] = ()
    manner: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a text is for a target, in its own measure; limit: None if any length will do.

    objection: why it does not take the text, "" if it does.
    """

    length: int
    limit: int | None
    objection: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One draft on its way to one target."""

    id: int
    draft: int
    bot: str
    revision_sha256: str
    target: str
    account: str
    kind: Kind
    text: str
    state: DeliveryState
    key: str  # idempotency key: the same for every attempt
    fence: int
    attempts: int
    approved_at: datetime
    due_at: datetime | None = None  # of an uncertain one: when its target is asked again, None for a person
    owner: str | None = None
    lease_until: datetime | None = None  # of a claim
    awaits: str | None = None  # the owners that may still be sending it, with spaces between
    first_tried_at: datetime | None = None  # when the first attempt was recorded; it never changes
    remote_id: str | None = None
    reason: str = ""
    cost: float = 0.0  # of one attempt, in USD, as it was when the draft was approved
    media: tuple[Media, ...] = ()
    manner: str = ""
    payload: str = ""  # digest of text, media and manner as they were approved; "": before there were digests
    suspect: bool = False  # an attempt of which nothing is sent: it may be there from before a restore
    url: str = ""  # of the post, where its target has told it


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account is used for at most, whatever happens; None: no limit."""

    per_hour: int | None = None  # posts within any 60 minutes
    per_day: int | None = None  # within any 24 hours
    usd_per_month: float | None = None  # within any 31 days


@dataclass(frozen=True, slots=True)
class Halt:
    """What keeps posts back until it is over, or until a person lifts it.

    scope: all bots, the bot or the account `name`. until: None if a person must lift it.
    """

    scope: Literal["all", "bot", "account"]
    name: str
    actor: str  # who stopped it
    reason: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why what a bot has due on an account waits. until: None if time alone does not end it."""

    bot: str
    account: str
    reason: str
    until: datetime | None
    waiting: int  # deliveries that are due


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a delivery at one moment: the state it came to, by whom, and why in words."""

    target: str
    state: DeliveryState
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Post:
    """What a target is asked to post: frozen before the first network byte."""

    text: str
    key: str
    bot: str
    created_at: datetime
    media: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of a post: the target's own id of it, or the evidence that stands for one."""

    remote_id: str = ""
    url: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training run stands; `validation_loss` is None between evaluations."""

    step: int
    steps: int
    epoch: float
    train_loss: float
    validation_loss: float | None
    learning_rate: float
    tokens_per_second: float
    gradient_norm: float
    seconds_left: float
    samples: tuple[str, ...] = field(default=())
    note: str = ""  # what the watch has to say, in plain words
    steps_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be well. text: how it stands and, where it fails, what to do.

    since: when it began to fail, None where that is not known.
    """

    name: str
    ok: bool
    text: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PluginReport:
    """What became of one plugin: what it registered, or why it was set aside."""

    name: str
    place: str  # file or entry point
    registered: dict[str, tuple[str, ...]] = field(default_factory=dict)  # kind -> names
    failure: str = ""


class Secret:
    """A value that never shows itself: in logs, tracebacks and pages it reads `Secret(***)`."""

    __slots__ = ("_value",)
    _met: ClassVar[set[str]] = set()  # by this process

    def __init__(self, value: str):
        self._value = value
        self._met.update(disguises(value))

    def reveal(self) -> str:
        return self._value

    def forget(self) -> None:
        """It is over, as a session's token is: it is masked no more."""
        self._met.difference_update(disguises(self._value))

    def __repr__(self) -> str:
        return "Secret(***)"

    @classmethod
    def redact(cls, text: str) -> str:
        """The text with every secret that this process has met masked: what libraries raise may quote one.

        Also as it stands in an address, in JSON, in a repr, in base64; of an address its secret parts alone.
        """
        for value in sorted(filter(None, cls._met), key=len, reverse=True):
            text = text.replace(value, "***")
        return text
