"""How Alembic runs our revisions: in the connection that sinks.postgres.schema opened."""

from alembic import context

from sinks import projections
from sinks.postgres.ops import OPS
from sinks.projections.projection import METADATA

assert projections.PROJECTIONS, "the tables are declared by importing them"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[METADATA, OPS],
    version_table_schema="ops",
    include_schemas=True,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
