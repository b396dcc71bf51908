"""Alembic's entry: migrates over the connection that `store/engine/schema.py` hands in."""

from alembic import context
from sqlmodel import SQLModel

import kylink_cli.store.indexes  # noqa: F401  (fills the metadata)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
