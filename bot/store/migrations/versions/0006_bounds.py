"""What posts cost and what counts against the limits; the database's own time; what stops; who schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INSTANT = sa.DateTime(timezone=True)
IN_FORCE = sa.text("lifted_at IS NULL")
MAY_BE_POSTED = """
    INSERT INTO spent (delivery, account, cost, at)
    SELECT deliveries.id, deliveries.account, 0, max(attempts.started_at)
    FROM deliveries JOIN attempts ON attempts.delivery = deliveries.id
    WHERE deliveries.state IN ('sending', 'sent', 'uncertain') OR deliveries.kind = 'put'
    GROUP BY deliveries.id, deliveries.account
"""


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("cost", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "spent",
        sa.Column("delivery", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_spent_delivery"),
        sa.PrimaryKeyConstraint("delivery", name="pk_spent"),
    )
    op.create_index("ix_spent_account_at", "spent", ["account", "at"])
    op.create_table(
        "clocks",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("uptime", sa.Float(), nullable=False),
        sa.Column("wall", INSTANT, nullable=False),
        sa.Column("reading", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_clocks"),
    )
    op.create_table(
        "halts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.CheckConstraint("scope IN ('all', 'bot', 'account')", name="ck_halts_scope"),
        sa.CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="ck_halts_lifted"),
        sa.PrimaryKeyConstraint("id", name="pk_halts"),
    )
    op.create_index(
        "uq_halts_in_force",
        "halts",
        ["scope", "name"],
        unique=True,
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.execute(MAY_BE_POSTED)
