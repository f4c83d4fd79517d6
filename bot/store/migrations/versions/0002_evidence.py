"""Beside each revision the evidence of its novelty."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("revisions", sa.Column("evidence", sa.JSON(), nullable=True))
