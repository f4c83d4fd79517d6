"""Alembic's way in: the steps run inside the transaction that the program hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
