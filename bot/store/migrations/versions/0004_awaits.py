"""Beside each delivery in doubt the owner whose end must be proved before its target is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("awaits", sa.Text(), nullable=True))
