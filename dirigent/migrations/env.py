"""Alembic's entry for every service: the connection and the tables come from `dirigent.migrate`, never from a file."""

from alembic import context

from dirigent.migrate import MIGRATION_OPTIONS

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["tables"],
    **MIGRATION_OPTIONS,
)
with context.begin_transaction():
    context.run_migrations()
