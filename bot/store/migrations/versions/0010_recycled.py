"""Which favourite a draft is a copy of, where it goes out again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("drafts", sa.Column("recycled_from", sa.Integer(), nullable=True))
    op.create_index("ix_drafts_recycled_from", "drafts", ["recycled_from"])
