"""Which database this is, what is known of its past, and what a restored copy has forgotten."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    meta = op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("database", sa.Text(), nullable=False),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("doubted_epoch", sa.Integer(), nullable=False),
        sa.Column("doubted_draft", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_meta_one"),
        sa.PrimaryKeyConstraint("id", name="pk_meta"),
    )
    new = {"id": 1, "database": uuid4().hex, "marked": False}
    op.bulk_insert(meta, [new | dict.fromkeys(("epoch", "doubted_epoch", "doubted_draft"), 0)])
    op.create_table(
        "forgotten",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_forgotten_delivery"),
        sa.PrimaryKeyConstraint("key", "fence", name="pk_forgotten"),
    )
    op.add_column("deliveries", sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
