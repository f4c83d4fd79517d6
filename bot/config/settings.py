"""Every setting with its type, bounds and built-in value. It does not know where settings come from.

The sentence under a setting is its description in the JSON Schema. Unknown keys are errors, and nothing is
converted silently (a quoted "5" is no number).
"""

import math
import os
import re
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, model_validator

from bot.config.char_rnn import CharRnn
from bot.config.strict import Settings
from bot.config.values import (
    DAYS,
    Choice,
    Count,
    Database,
    Days,
    Hours,
    Interval,
    LastDay,
    Memory,
    Missed,
    Name,
    OneOrMore,
    Plugin,
    Plugins,
    Positive,
    Quotas,
    Share,
    Temperatures,
    TimesOfDay,
    Zone,
)

DAY = timedelta(days=1)


class Training(Settings):
    """How a model is trained."""

    max_steps: Positive = 30_000
    """Stop after this many updates."""
    max_epochs: Positive | None = None
    """Stop after this many passes over the corpus, if that comes first."""
    max_minutes: Annotated[float, Field(gt=0)] | None = 10
    """Stop after so many minutes, if that comes first; the rate then falls by the clock. null: no limit."""
    batch_size: Positive = 32
    """Sequences in one update."""
    sequence_length: Annotated[int, Field(ge=2)] = 128
    """Tokens in one window; the state is carried from window to window."""
    layout: Literal["auto", "stream", "excerpts"] = "auto"
    """Items as rows or long texts shuffled; the corpus as one text in whole chunks; excerpts by chance."""
    initial_range: Annotated[float, Field(gt=0, le=10)] | None = None
    """The weights begin evenly between minus and plus this; null: as each cell has it."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.008
    """The highest rate of the schedule."""
    schedule: Literal["cosine", "constant", "epochs"] = "cosine"
    """How the rate changes: falling as a cosine, not at all, or by `decay` at the start of an epoch."""
    warmup_steps: Count = 100
    """Updates in which the rate rises from nothing, at most a tenth of the run."""
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Schedule `epochs`: what the rate is multiplied by at the start of each epoch."""
    decay_after: Count = 1
    """Schedule `epochs`: the first epochs that keep the full rate."""
    optimizer: Literal["adamw", "adam", "rmsprop", "sgd"] = "adamw"
    """The rule of the update."""
    beta2: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """Optimizers adam and adamw: how long the size of gradients is remembered."""
    rmsprop_alpha: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Optimizer rmsprop: how long the size of gradients is remembered."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """How strongly the weights are pulled towards nothing."""
    dropout: Share = 0.2
    """Share of every layer's outputs left out at random, against learning by heart."""
    embedding_dropout: Share = 0.0
    """The same for the numbers that stand for a token."""
    weight_dropout: Share = 0.2
    """The same for the recurrent weights."""
    averaging: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    """Measure and save the mean of the weights over about this share of the latest updates; 0: the newest."""
    gradient_clip: Annotated[float, Field(gt=0)] | None = 1.0
    """The greatest norm of an update's gradient; null: any."""
    clip_by: Literal["norm", "value"] = "norm"
    """What `gradient_clip` bounds: the norm of the whole gradient, or each of its numbers."""
    rollbacks: Count = 3
    """How often a run that diverges goes back and on at half the rate before it gives up."""
    shards: Annotated[int, Field(ge=1, le=64)] = 2
    """Parts a batch is cut into, a core each; the outcome does not depend on how many cores there are."""
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Share of the distinct documents held out to measure the loss on."""
    test_share: Share = 0.0
    """Share kept apart from both; the best checkpoint's loss on it is measured once, at the end."""
    evaluate_every: Positive = 500
    """Updates between two measurements of the held-out loss; fewer where a run would have less than eight."""
    patience: Count = 10
    """Stop after this many measurements without a better loss; 0 never stops early."""
    precision: Literal["float32", "float16"] = "float32"
    """How the weights are stored."""
    keep_checkpoints: bool = False
    """Whether every evaluation's checkpoint stays, and not only the best and the latest."""
    name_prefix: Annotated[str, Field(pattern=r"^[a-z0-9._-]{0,24}\z")] = ""
    """What the names of its checkpoints begin with."""
    init_from: Annotated[str, Field(pattern=r"^([a-z0-9._-]+(/[a-z0-9._-]+)?)?\z")] = ""
    """A model, or MODEL/CHECKPOINT, whose weights it begins with; of the same vocabulary and shape."""
    learn_from: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(default_factory=dict)
    """What share of which of the corpus's sources is learned from; none named: all. Held out are all."""
    seed: Count = 1
    """Where all randomness of the training begins."""

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> Self:
        if self.validation_share + self.test_share >= 1:
            msg = "validation_share and test_share together leave nothing to learn from"
            raise ValueError(msg)
        return self


class Preset(Settings):
    """Settings under another program's names."""

    char_rnn: CharRnn | None = None
    """Those of Karpathy's char-rnn."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {given: {}} if isinstance(given, str) and given in cls.model_fields else given


class Model(Settings):
    """A language model: what it reads and its shape. A trained checkpoint keeps its own shape."""

    preset: Preset | None = None
    """Settings by the names of char-rnn: {char_rnn: {OPTION: VALUE}}; what is set beside counts more."""
    corpus: Plugin | None = None
    """What it learns from; not needed to sample from a finished checkpoint."""
    tokenizer: Plugin = Choice("characters")
    """What one step of the network reads and writes."""
    cell: Plugin = Choice("lstm")
    """The recurrent cell."""
    embedding_size: Positive = 64
    """Numbers that stand for one token."""
    hidden_size: Positive = 384
    """Units of one layer."""
    num_layers: Annotated[int, Field(ge=1, le=16)] = 1
    """Layers, one upon another."""
    head_norm: bool = False
    """Whether the last layer's outputs are brought to one scale before the next token is read from them."""
    source_tags: bool = False
    """Whether it reads with every token which of the corpus's sources a text is from."""
    training: Training = Training()
    """How it is trained."""
    warning: str = ""
    """What readers of its texts should be warned of; stands in the model card."""

    @model_validator(mode="before")
    @classmethod
    def _translated(cls, given: Any) -> Any:
        """A preset becomes what it stands for; one that makes no sense is left to be told of."""
        if not isinstance(given, dict) or given.get("preset") is None:
            return given
        try:
            preset = Preset.model_validate(given["preset"])
        except ValidationError:
            return given
        meant = preset.char_rnn.translated() if preset.char_rnn else {}
        beside = {name: value for name, value in given.items() if name != "preset"}
        own = beside.get("training", {})
        training = meant.get("training", {}) | own if isinstance(own, dict) else own
        return meant | beside | {"training": training}

    @model_validator(mode="after")
    def _tags_need_texts(self) -> Self:
        if self.source_tags and self.training.layout == "stream":
            msg = "source_tags: in a stream texts have no sources; leave out the layout"
            raise ValueError(msg)
        return self


class Mirostat(Settings):
    """A target of surprise that the draw keeps near to."""

    surprise: Annotated[float, Field(gt=0, le=50)]
    """Nats a token, by the shares that are drawn from."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """How fast it corrects itself."""


class Sources(Settings):
    """Under which of its sources a model with `source_tags` writes, and how a text changes between them."""

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    """The sources by name; a text begins under one of them by chance."""
    switch: Annotated[float, Field(gt=0, le=1)] = 0.6
    """How probably each word's end leads to another of them."""
    half: Count = 0
    """Instead: the first word's end after so many tokens leads to the next one, for good."""
    blend: bool = False
    """Instead: the mean of all the model's sources, from the first token on."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.blend + bool(self.half) + ("switch" in self.model_fields_set) > 1:
            msg = "set one of switch, half and blend"
            raise ValueError(msg)
        return self


class SamplingSettings(Settings):
    """How texts are sampled: by temperature or by a band of surprise."""

    temperature: Temperatures = (0.8, 0.8)
    """One temperature, or the two between which each sample draws its own; higher is wilder."""
    band: Quotas | None = None
    """Instead of a temperature: how surprising the texts shall be, for each checkpoint; or quotas."""
    max_length: Annotated[int, Field(ge=1, le=100_000)] = 200
    """A sample is cut after this many tokens."""
    top_k: Count = 0
    """Choose among so many of the likeliest tokens, after the temperature; 0: among all."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Then among the fewest likeliest tokens that together have this share of the probability."""
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Then among those with at least this share of the likeliest token's probability."""
    weights: Literal["float32", "int8"] = "float32"
    """How finely the model computes; int8 is quicker where a C compiler is at hand."""
    typical_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Then among the tokens of nearly usual surprise that together have this share of the probability."""
    eta: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Then among those with at least this probability, or less where much is possible; 0: off."""
    mirostat: Mirostat | None = None
    """Then among those that keep the text's surprise near a target."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Before the temperature: how much less likely a token becomes once it is written; 1: not at all."""
    no_repeat_ngram: Count = 0
    """No such number of tokens in a row is written twice in a text; 0: as often as may be."""
    min_length: Count = 0
    """A sample does not end before so many tokens."""
    prefix: str = ""
    """What every sample begins with; it is read, not drawn, and counts for length but not for surprise."""
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Texts before which a sample ends."""
    constraints: Plugins = ()
    """What every sample is, by masking: all of them."""
    sources: Sources | None = None
    """Of a model with `source_tags`: under which sources it writes, and how it goes from one to another."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.band and "temperature" in self.model_fields_set:
            msg = "set temperature or band, not both"
            raise ValueError(msg)
        if self.min_length > self.max_length:
            msg = f"min_length {self.min_length} is more than max_length {self.max_length}"
            raise ValueError(msg)
        return self


def _a_week(value: timedelta) -> timedelta:
    if value < 7 * DAY:
        msg = "a favourite rests for a week at least: 7d"
        raise ValueError(msg)
    return value


def _length(begin: time, end: time) -> timedelta:
    """From one time of day to the next time that it is another."""
    first, last = (timedelta(hours=one.hour, minutes=one.minute) for one in (begin, end))
    return (last - first) % DAY


class Schedule(Settings):
    """When a bot posts: at times of day on some weekdays, or at an interval."""

    at: TimesOfDay = ()
    """Times of day, as "09:30"."""
    days: Days = DAYS
    """Weekdays: mon, tue, wed, thu, fri, sat, sun."""
    zone: Zone = "UTC"
    """The time zone of `at`, `days` and `quiet`, an IANA name."""
    every: Interval | None = None
    """Instead of `at`: an interval, as 4s, 30m, 6h or 1d."""
    until: LastDay | None = None
    """The last day with slots, in the zone of `at`; for `every` in UTC."""
    missed: Missed = "one"
    """Of the slots missed while nothing ran: the newest is made up, none, or all of some last hours."""
    jitter: Interval | None = None
    """Each slot comes later by up to this, by chance but for good, and never after the next one."""
    quiet: Hours | None = None
    """From and to, as ["22:00", "07:00"]: hours in which nothing is posted, in `zone`."""
    distance: Interval | None = None
    """At least so long from one post to the next on a target, also when slots are made up."""
    recycle: Annotated[Interval, AfterValidator(_a_week)] | None = None
    """Where nothing is approved, a favourite goes out again that was posted at least so long ago."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.at) == bool(self.every):
            msg = "set one of at (times of day) and every (an interval)"
            raise ValueError(msg)
        if self.every and "days" in self.model_fields_set:
            msg = "days belong to at, not to every"
            raise ValueError(msg)
        if self.every and "zone" in self.model_fields_set and not self.quiet:
            msg = "zone belongs to at and quiet, not to every"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _not_all_quiet(self) -> Self:
        if self.quiet is None:
            return self
        awake = DAY - _length(*self.quiet)
        if self.every and math.gcd(int(self.every.total_seconds()), int(DAY.total_seconds())) > awake.seconds:
            msg = "quiet may hold all slots of such an interval: use at, or a shorter one"
            raise ValueError(msg)
        for at in self.at:
            if _length(self.quiet[0], at) < _length(*self.quiet):
                msg = f"at: {at:%H:%M} lies in the quiet hours"
                raise ValueError(msg)
        return self


class Taste(Settings):
    """What is made of the owner's decisions."""

    order: Literal["best", "oldest"] = "best"
    """Which pending draft the review shows next: what the owner will probably approve, or the oldest."""
    explore: Share = 0.3
    """Order `best`: share of drafts shown to learn from: two thirds uncertain ones, a third any."""
    allocation: Literal["fixed", "auto"] = "fixed"
    """Whether a batch is shared out as set, or more of it goes to ways to sample that earn more approvals."""
    precision: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    """Review policy `taste`: the share of what it approves that the owner would approve, at least."""


class Limits(Settings):
    """What each account is used for at most, whatever happens. What exceeds it waits."""

    per_hour: Positive | None = 30
    """Posts within any 60 minutes; null: no limit."""
    per_day: Positive | None = 100
    """Posts within any 24 hours; null: no limit."""
    usd_per_month: Annotated[float, Field(ge=0, le=1e9)] | None = 10.0
    """What the posts of any 31 days may cost, where the target says what one costs; null: no limit."""


class Bot(Settings):
    """From samples to posts."""

    model: str
    """The model it speaks with, one of `models`."""
    checkpoint: OneOrMore[Name] = "best"
    """Which of the model's checkpoints: best, latest, funniest (most often approved), a name, or several."""
    sampling: OneOrMore[SamplingSettings] = SamplingSettings()
    """How texts are sampled, in one way or in each of several."""
    filters: Plugins = ()
    """What a text must pass, in this order."""
    review: Name = "manual"
    """Who approves: manual (a person), taste (what that person surely would), or another automatic policy."""
    taste: Taste = Taste()
    """How the review learns from what is approved and rejected."""
    queue_size: Positive = 50
    """Drafts that `bot run` keeps in stock: approved ones and, under manual review, pending ones."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 256
    """Texts sampled at one go."""
    schedule: Schedule | None = None
    """When it posts; without one only by command."""
    renderers: Plugins = ()
    """What goes with its texts, made before they are approved: pictures, sounds."""
    targets: Plugins = ()
    """Where it posts."""
    limits: Limits = Limits()
    """Of each account it posts to; the posts of other bots on the same account count too."""

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """`checkpoint` as a list."""
        return (self.checkpoint,) if isinstance(self.checkpoint, str) else self.checkpoint

    @property
    def samplings(self) -> tuple[SamplingSettings, ...]:
        """`sampling` as a list."""
        return (self.sampling,) if isinstance(self.sampling, SamplingSettings) else self.sampling

    @model_validator(mode="after")
    def _something_to_divide(self) -> Self:
        ways = len(self.checkpoints) * sum(len(sampling.band or "1") for sampling in self.samplings)
        if self.taste.allocation == "auto" and ways < 2:
            msg = "taste.allocation auto divides a batch among ways to sample, and there is one: "
            msg += "name two or more in sampling.band or checkpoint, or make sampling a list"
            raise ValueError(msg)
        return self


class Host(Settings):
    """The model host: the process that samples and judges."""

    memory: Memory = 2**30
    """What the models it holds may take, as 512MiB or 2GiB; the one not used for longest makes room."""


class Web(Settings):
    """Where the review page is served, and to whom."""

    serve: bool = False
    """Whether `bot run` serves it beside its work; `bot web` does so alone."""
    host: str = "127.0.0.1"
    """The address it listens on; one that other computers reach needs TLS, by itself or by a proxy."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8788
    """The port; 0: any free one."""
    names: tuple[str, ...] = ()
    """What other computers call it, as review.example.org; any other name is refused."""
    proxy: tuple[str, ...] = ()
    """The addresses of proxies that speak TLS for it."""
    certificate: str = ""
    """Where it speaks TLS itself: the file of its certificate."""
    key: str = ""
    """And that of the certificate's key."""
    passwords: str = "web.passwords"
    """The file that `bot web --set-password` writes; without it one comes in by the printed link only."""


class Config(Settings):
    """All settings of one file."""

    database: Database = "sqlite:///bot.db"
    """SQLAlchemy's address of the database; a file's path is relative to this file's folder."""
    checkpoints: str = "checkpoints"
    """The folder of trained models, relative to this file's folder."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where models are trained and sampled; auto: CUDA where there is any, else the CPU."""
    host: Host = Host()
    """The model host."""
    web: Web = Web()
    """The review page."""
    models: dict[Name, Model] = {}  # noqa: RUF012  # pydantic copies it
    """Language models by name."""
    bots: dict[Name, Bot] = {}  # noqa: RUF012
    """Bots by name."""

    _file: Path = PrivateAttr(default=Path("config.yaml"))
    _folder: Path = PrivateAttr(default=Path())

    @property
    def file(self) -> Path:
        """The file these settings were read from."""
        return self._file

    @property
    def folder(self) -> Path:
        """The folder that relative paths begin at."""
        return self._folder

    @property
    def checkpoints_folder(self) -> Path:
        """`checkpoints`, resolved."""
        return Path(os.path.normpath(self.folder / self.checkpoints))

    @property
    def database_url(self) -> str:
        """`database` with a SQLite file's path resolved."""
        match = re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^:?]+)(.*)", self.database)
        if not match:
            return self.database
        return match[1] + os.path.normpath(self.folder / match[2]) + match[3]

    @property
    def run_folder(self) -> Path:
        """What `bot run` leaves beside the database: its pulse, its log, its last crash."""
        _, _, file = self.database_url.partition(":///")
        name = re.sub(r"\?.*", "", file if self.database.startswith("sqlite") else self.database)
        beside = Path(name) if self.database.startswith("sqlite") else self.folder / Path(name).name
        return beside.with_name(f"{beside.name or 'bot'}.run")
