"""The queue, what was decided of it, and its way to the targets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_drafts()
    _create_decisions()
    _create_slots()
    _create_deliveries()
    _create_history()


def _create_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attempt_group", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("sampling", sa.JSON(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("temperature", sa.Float(), nullable=False),
        sa.Column("raw_text", sa.Text(), nullable=False),
        sa.Column("nll", sa.Float(), nullable=False),
        sa.Column("surprise", sa.Float(), nullable=False),
        sa.Column("build", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'approved', 'rejected')", name="ck_drafts_state"),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
        sa.UniqueConstraint("origin", name="uq_drafts_origin"),
    )
    op.create_index("ix_drafts_bot_state", "drafts", ["bot", "state"])
    op.create_index("ix_drafts_checkpoint", "drafts", ["checkpoint"])
    op.create_table(
        "revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["draft"], ["drafts.id"], name="fk_revisions_draft"),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.UniqueConstraint("draft", "sha256", name="uq_revisions_draft_sha256"),
        sa.UniqueConstraint("draft", "number", name="uq_revisions_draft_number"),
    )


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("revision_sha256", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("override", sa.Boolean(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("verdict IN ('approve', 'reject', 'edit', 'undo')", name="ck_decisions_verdict"),
        sa.CheckConstraint("(verdict = 'undo') = (undoes IS NOT NULL)", name="ck_decisions_undoes"),
        sa.ForeignKeyConstraint(
            ["draft", "revision_sha256"],
            ["revisions.draft", "revisions.sha256"],
            name="fk_decisions_draft_revision_sha256",
        ),
        sa.ForeignKeyConstraint(["undoes"], ["decisions.id"], name="fk_decisions_undoes"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("undoes", name="uq_decisions_undoes"),
    )
    op.create_index("ix_decisions_draft", "decisions", ["draft"])


def _create_slots() -> None:
    op.create_table(
        "slots",
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("local_time", sa.Time(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("draft", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["draft"], ["drafts.id"], name="fk_slots_draft"),
        sa.PrimaryKeyConstraint("bot", "local_date", "local_time", name="pk_slots"),
        sa.UniqueConstraint("draft", name="uq_slots_draft"),
    )
    op.create_index("ix_slots_bot_at", "slots", ["bot", "at"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("revision_sha256", sa.Text(), nullable=False),
        sa.Column("attempt_group", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("approved_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('put', 'key', 'query', 'opaque')", name="ck_deliveries_kind"),
        sa.CheckConstraint(
            "state IN ('planned', 'claimed', 'sending', 'sent', 'refused', 'uncertain', 'cancelled')",
            name="ck_deliveries_state",
        ),
        sa.CheckConstraint(
            "(state IN ('claimed', 'sending')) = (owner IS NOT NULL)", name="ck_deliveries_owner"
        ),
        sa.CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name="ck_deliveries_lease"),
        sa.CheckConstraint(
            "state <> 'sent' OR remote_id IS NOT NULL OR evidence <> ''", name="ck_deliveries_sent"
        ),
        sa.ForeignKeyConstraint(
            ["draft", "revision_sha256"],
            ["revisions.draft", "revisions.sha256"],
            name="fk_deliveries_draft_revision_sha256",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint(
            "draft", "revision_sha256", "target", "attempt_group", name="uq_deliveries_attempt_group"
        ),
        sa.UniqueConstraint("account", "remote_id", name="uq_deliveries_account_remote_id"),
        sa.UniqueConstraint("key", name="uq_deliveries_key"),
    )
    _create_unique_where("alive", "state NOT IN ('refused', 'cancelled')", "draft", "target")
    _create_unique_where("in_flight", "state IN ('claimed', 'sending')", "account")
    op.create_index("ix_deliveries_state_due_at", "deliveries", ["state", "due_at"])
    op.create_index("ix_deliveries_draft", "deliveries", ["draft"])


def _create_unique_where(name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"uq_deliveries_{name}",
        "deliveries",
        list(columns),
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def _create_history() -> None:
    op.create_table(
        "attempts",
        sa.Column("delivery", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_attempts_delivery"),
        sa.PrimaryKeyConstraint("delivery", "fence", name="pk_attempts"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_events_delivery"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_delivery", "events", ["delivery"])
