"""Alembic runs this for each command. `runtime.ledger.schema` provides the connection; there is no ini file."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
