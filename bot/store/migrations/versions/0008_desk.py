"""What a reviewer can do beside approving, rejecting and editing; what lists are searched and sorted by."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True)
VERDICTS = "verdict IN ('approve', 'reject', 'edit', 'undo', 'snooze')"
UNDOES = "(verdict = 'undo') = (undoes IS NOT NULL)"
UNTIL = "(verdict = 'snooze') = (until IS NOT NULL)"
KEPT = "id, draft, revision_sha256, verdict, actor, policy, override, undoes, at"


def upgrade() -> None:
    _widen_drafts()
    if op.get_bind().dialect.name == "sqlite":
        _make_decisions_anew()
    else:
        _alter_decisions()
    op.create_index("ix_decisions_actor_id", "decisions", ["actor", "id"])
    _create_marks()


def _widen_drafts() -> None:
    op.add_column("drafts", sa.Column("folded", sa.Text(), server_default="", nullable=False))
    op.add_column("drafts", sa.Column("score", sa.Float(), server_default="-1", nullable=False))
    op.add_column("drafts", sa.Column("starred", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("drafts", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("drafts", sa.Column("snoozed_until", INSTANT, nullable=True))
    op.add_column("drafts", sa.Column("place", sa.Float(), nullable=True))
    _fold()
    beside = ["bot", "starred", "snoozed_until"]
    op.create_index("ix_drafts_by_id", "drafts", ["state", "id", *beside])
    op.create_index("ix_drafts_by_score", "drafts", ["state", "score", "id", *beside])
    op.create_index("ix_drafts_by_surprise", "drafts", ["state", "surprise", "id", *beside])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_drafts_search", "drafts", ["state", "bot", "folded"])


def _fold() -> None:
    """Fill in what is searched. Neither database folds case as Python does."""
    connection = op.get_bind()
    rows = connection.exec_driver_sql(
        "SELECT drafts.id, text FROM drafts "
        "JOIN revisions ON revisions.draft = drafts.id AND revisions.number = drafts.revision"
    ).fetchall()
    if rows:
        update = sa.text("UPDATE drafts SET folded = :folded WHERE id = :id")
        connection.execute(update, [{"id": id, "folded": text.casefold()} for id, text in rows])


def _make_decisions_anew() -> None:
    """SQLite cannot change what a table checks, so it becomes another of the same name."""
    op.create_table(
        "decisions_new",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("revision_sha256", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("override", sa.Boolean(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        *_new_columns(),
        sa.CheckConstraint(VERDICTS, name="ck_decisions_verdict"),
        sa.CheckConstraint(UNDOES, name="ck_decisions_undoes"),
        sa.CheckConstraint(UNTIL, name="ck_decisions_until"),
        sa.ForeignKeyConstraint(
            ["draft", "revision_sha256"],
            ["revisions.draft", "revisions.sha256"],
            name="fk_decisions_draft_revision_sha256",
        ),
        sa.ForeignKeyConstraint(["undoes"], ["decisions_new.id"], name="fk_decisions_undoes"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("undoes", name="uq_decisions_undoes"),
    )
    op.execute(f"INSERT INTO decisions_new ({KEPT}) SELECT {KEPT} FROM decisions ORDER BY id")
    op.drop_table("decisions")
    op.rename_table("decisions_new", "decisions")
    op.create_index("ix_decisions_draft", "decisions", ["draft"])


def _alter_decisions() -> None:
    for column in _new_columns():
        op.add_column("decisions", column)
    op.drop_constraint("ck_decisions_verdict", "decisions")
    op.create_check_constraint("ck_decisions_verdict", "decisions", VERDICTS)
    op.create_check_constraint("ck_decisions_until", "decisions", UNTIL)


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("batch", sa.Text(), server_default="", nullable=False),
    ]


def _create_marks() -> None:
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("revision_sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('star', 'unstar', 'note')", name="ck_marks_kind"),
        sa.ForeignKeyConstraint(
            ["draft", "revision_sha256"],
            ["revisions.draft", "revisions.sha256"],
            name="fk_marks_draft_revision_sha256",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
    )
    op.create_index("ix_marks_draft", "marks", ["draft"])
