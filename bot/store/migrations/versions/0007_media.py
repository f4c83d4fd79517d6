"""Attachments: their bytes, what each text was rendered to, and what goes with each delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_media"),
    )
    op.create_table(
        "renderings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_renderings"),
    )
    op.add_column("deliveries", sa.Column("media", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("deliveries", sa.Column("manner", sa.Text(), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("payload", sa.Text(), nullable=False, server_default=""))
