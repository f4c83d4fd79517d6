"""Finds what was put off among all that waits."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

PUT_OFF = sa.text("snoozed_until IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_drafts_snoozed",
        "drafts",
        ["bot", "snoozed_until"],
        sqlite_where=PUT_OFF,
        postgresql_where=PUT_OFF,
    )
