"""The tables, and the rules that hold whatever the program does: most are unique indexes.

revisions, decisions, marks, showings, allocations, attempts and events are only ever added to; a halt that is
lifted stays. The migrations make exactly these tables: a change here needs a migration of its own.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Time,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"{value} has no time zone"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Money(TypeDecorator[float]):
    """USD, stored in millionths: sums are exact."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | None:
        return None if value is None else round(value * 1e6)

    def process_result_value(self, value: int | None, dialect: Dialect) -> float | None:
        return None if value is None else float(value) / 1e6  # PostgreSQL sums to a Decimal


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _unique_where(name: str, condition: str, *columns: str) -> Index:
    return _index_where(name, condition, *columns, unique=True)


def _index_where(name: str, condition: str, *columns: str, unique: bool = False) -> Index:
    where = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _revision_of_draft() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["draft", "revision_sha256"], ["revisions.draft", "revisions.sha256"])


def _required(name: str, kind: Any, *rest: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *rest, nullable=False, **options)


# Which drafts a page shows is read off one of these alone, in its order, until it is full.
SORTED_BY = {
    "id": ("state", "id", "bot", "starred", "snoozed_until"),
    "score": ("state", "score", "id", "bot", "starred", "snoozed_until"),
    "surprise": ("state", "surprise", "id", "bot", "starred", "snoozed_until"),
}

drafts = Table(
    "drafts",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("bot", Text),
    _required("state", Text),  # of the text alone; what a person sees also asks the deliveries
    _required("revision", Integer),  # the current one
    _required("attempt_group", Integer),  # counts the approvals
    _required("origin", Text),  # digest of where the text came from: the same in every copy of the database
    _required("checkpoint", Text),
    _required("sampling", JSON),
    _required("seed", BigInteger),
    _required("index", BigInteger),
    _required("temperature", Float),
    _required("raw_text", Text),
    _required("nll", Float),
    _required("surprise", Float),
    _required("build", Text),
    _required("device", Text),
    _required("created_at", Instant),
    _required("folded", Text, server_default=""),  # the current text, casefolded: what is searched
    _required("score", Float, server_default="-1"),  # -1: not judged yet
    _required("starred", Boolean, server_default=false()),
    _required("note", Text, server_default=""),
    Column("snoozed_until", Instant),  # of a pending one that was put off
    Column("place", Float),  # in the queue of approved ones, if it was moved there
    Column("recycled_from", Integer, index=True),  # the draft that it is a copy of
    UniqueConstraint("origin"),
    CheckConstraint("state IN ('pending', 'approved', 'rejected')", name="state"),
    Index(None, "bot", "state"),
    Index(None, "checkpoint"),
    *(Index(f"ix_drafts_by_{sort}", *columns) for sort, columns in SORTED_BY.items()),
    _index_where("ix_drafts_snoozed", "snoozed_until IS NOT NULL", "bot", "snoozed_until"),
    Index("ix_drafts_search", "state", "bot", "folded").ddl_if(
        "sqlite"
    ),  # PostgreSQL's rows are quick to scan
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("draft", Integer, ForeignKey("drafts.id")),
    _required("number", Integer),
    _required("sha256", Text),
    _required("text", Text),
    _required("fingerprint", BigInteger),
    _required("verdicts", JSON),
    Column("evidence", JSON(none_as_null=True)),  # NULL: it was not asked for
    _required("created_at", Instant),
    UniqueConstraint("draft", "sha256"),
    UniqueConstraint("draft", "number"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("draft", Integer),
    _required("revision_sha256", Text),
    _required("verdict", Text),
    _required("actor", Text),
    _required("policy", Text),
    _required("override", Boolean),
    Column("undoes", Integer, ForeignKey("decisions.id")),
    _required("at", Instant),
    _required("reason", Text, server_default=""),
    _required("remark", Text, server_default=""),
    Column("until", Instant),
    _required("batch", Text, server_default=""),  # the same for what was decided in one go
    _revision_of_draft(),
    UniqueConstraint("undoes"),
    CheckConstraint("verdict IN ('approve', 'reject', 'edit', 'undo', 'snooze')", name="verdict"),
    CheckConstraint("(verdict = 'undo') = (undoes IS NOT NULL)", name="undoes"),
    CheckConstraint("(verdict = 'snooze') = (until IS NOT NULL)", name="until"),
    Index(None, "draft"),
    Index(None, "actor", "id"),
)

marks = Table(
    "marks",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("draft", Integer),
    _required("revision_sha256", Text),
    _required("kind", Text),
    _required("text", Text),
    _required("actor", Text),
    _required("at", Instant),
    _revision_of_draft(),
    CheckConstraint("kind IN ('star', 'unstar', 'note')", name="kind"),
    Index(None, "draft"),
)

showings = Table(
    "showings",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("draft", Integer),
    _required("revision_sha256", Text),
    _required("reason", Text),
    _required("propensity", Float),  # how probable it was that this draft was shown, of all that waited
    _required("at", Instant),
    _revision_of_draft(),
    CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity"),
    Index(None, "draft"),
)

allocations = Table(
    "allocations",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("bot", Text),
    _required("arm", Text),
    _required("samples", Integer),  # it was given of one batch
    _required("chance", Float),  # that it is the best one, as it seemed then
    _required("at", Instant),
    Index(None, "bot"),
)

slots = Table(
    "slots",
    metadata,
    Column("bot", Text, primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("local_time", Time, primary_key=True),
    _required("zone", Text),
    _required("at", Instant),
    Column("draft", Integer, ForeignKey("drafts.id")),  # NULL: nothing was approved when it came
    UniqueConstraint("draft"),
    Index(None, "bot", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("draft", Integer),
    _required("revision_sha256", Text),
    _required("attempt_group", Integer),
    _required("target", Text),
    _required("account", Text),
    _required("kind", Text),
    _required("text", Text),  # as approved: what is posted, byte for byte
    _required("media", JSON, server_default="[]"),  # so too; their bytes are in the table media
    _required("manner", Text, server_default=""),
    _required("payload", Text, server_default=""),  # digest of these three; "": approved before there was one
    _required("key", Text),
    _required("state", Text),
    _required("fence", Integer),
    _required("approved_at", Instant),
    Column("due_at", Instant),
    Column("owner", Text),
    Column("lease_until", Instant),
    Column("awaits", Text),  # the owners that were lost sight of while they were sending, and may be still
    Column("remote_id", Text),
    _required("url", Text),
    _required("evidence", Text),
    _required("reason", Text),
    _required("cost", Money, server_default="0"),  # of one attempt
    _required("epoch", Integer, server_default="0"),  # in which it was last made sure of, or tried
    _revision_of_draft(),
    UniqueConstraint(
        "draft", "revision_sha256", "target", "attempt_group", name="uq_deliveries_attempt_group"
    ),
    UniqueConstraint("account", "remote_id"),
    UniqueConstraint("key"),
    CheckConstraint("kind IN ('put', 'key', 'query', 'opaque')", name="kind"),
    CheckConstraint(
        "state IN ('planned', 'claimed', 'sending', 'sent', 'refused', 'uncertain', 'cancelled')",
        name="state",
    ),
    CheckConstraint("(state IN ('claimed', 'sending')) = (owner IS NOT NULL)", name="owner"),
    CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name="lease"),
    CheckConstraint("state <> 'sent' OR remote_id IS NOT NULL OR evidence <> ''", name="sent"),
    _unique_where("uq_deliveries_alive", "state NOT IN ('refused', 'cancelled')", "draft", "target"),
    _unique_where("uq_deliveries_in_flight", "state IN ('claimed', 'sending')", "account"),
    _index_where("ix_deliveries_awaits", "awaits IS NOT NULL", "account"),
    Index(None, "state", "due_at"),
    Index(None, "draft"),
)

media = Table(
    "media",
    metadata,
    Column("sha256", Text, primary_key=True),
    _required("content", LargeBinary),
    _required("at", Instant),
)

renderings = Table(
    "renderings",
    metadata,
    Column("key", Text, primary_key=True),  # digest of a renderer's settings and a text
    _required("media", JSON),  # what it has made of it
    _required("at", Instant),
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery", Integer, ForeignKey("deliveries.id"), primary_key=True),
    Column("fence", Integer, primary_key=True),
    _required("started_at", Instant),
    Index(None, "started_at"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("delivery", Integer, ForeignKey("deliveries.id")),
    Column("old", Text),  # NULL: the delivery begins
    _required("new", Text),
    _required("actor", Text),
    _required("fence", Integer),
    _required("reason", Text),
    _required("at", Instant),
    Index(None, "delivery"),
)

spent = Table(  # what counts against the limits of an account: deliveries that may have been posted
    "spent",
    metadata,
    Column("delivery", Integer, ForeignKey("deliveries.id"), primary_key=True),
    _required("account", Text),
    _required("cost", Money),  # of all its attempts
    _required("at", Instant),  # by the database's own time, see bot.store.elapsed: when the last one ended
    Index(None, "account", "at"),
)

clocks = Table(  # how the database's own time goes on, by the uptime of the machine that works on it: one row
    "clocks",
    metadata,
    Column("host", Text, primary_key=True),
    _required("boot", Text),
    _required("uptime", Float),
    _required("wall", Instant),
    _required("reading", Instant),  # the database's own time at that moment
)

halts = Table(  # the stop switch, and accounts that rest
    "halts",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("scope", Text),
    _required("name", Text),  # of the bot or account, "" for all
    _required("actor", Text),
    _required("reason", Text),
    _required("at", Instant),
    Column("until", Instant),  # NULL: until it is lifted
    Column("lifted_by", Text),
    Column("lifted_at", Instant),
    CheckConstraint("scope IN ('all', 'bot', 'account')", name="scope"),
    CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="lifted"),
    _unique_where("uq_halts_in_force", "lifted_at IS NULL", "scope", "name"),
)

leases = Table(  # what one process at a time does
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _required("owner", Text),
    _required("until", Instant),  # it changes with every renewal, which is what who waits looks for
)

fills = Table(  # what became of each bot's last batch of samples
    "fills",
    metadata,
    Column("bot", Text, primary_key=True),
    _required("at", Instant),
    _required("funnel", JSON),
)

meta = Table(  # one row: which database this is, and what is known of its past
    "meta",
    metadata,
    Column("id", Integer, primary_key=True),
    _required("database", Text),  # the same in every copy
    _required("marked", Boolean),  # there is a file beside it that says what was tried, see bot.store.mark
    _required("epoch", Integer),  # how often it was found restored
    _required("doubted_epoch", Integer),  # the last of these in which nobody could say what was forgotten ...
    _required("doubted_draft", Integer),  # ... and the newest draft of then: all up to it may be posted
    CheckConstraint("id = 1", name="one"),
)

forgotten = Table(  # attempts that were made and that a restored database did not know
    "forgotten",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fence", Integer, primary_key=True),
    _required("started_at", Instant),
    Column("delivery", Integer, ForeignKey("deliveries.id")),  # which has been made sure of; NULL: none yet
)
