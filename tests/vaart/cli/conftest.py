"""A deployment with topics, registry and database for commands that look at what a sink wrote."""

from tests.sinks.postgres.conftest import migrated, pipe

__all__ = ["migrated", "pipe"]
