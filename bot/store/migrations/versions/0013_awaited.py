"""Which attempts of an account may still be under way, found without a look at all its deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    where = sa.text("awaits IS NOT NULL")
    op.create_index(
        "ix_deliveries_awaits", "deliveries", ["account"], sqlite_where=where, postgresql_where=where
    )
