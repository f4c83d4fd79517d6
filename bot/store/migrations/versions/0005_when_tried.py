"""Finds the attempts of the last hours at once: posts keep a distance from one another."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_attempts_started_at", "attempts", ["started_at"])
