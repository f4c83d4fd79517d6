"""What became of each bot's last batch."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "fills",
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("funnel", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("bot", name="pk_fills"),
    )
