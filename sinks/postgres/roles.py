"""The three roles: vaart_owner has the tables, vaart_sink writes them, vaart_reader reads the mart.

Roles belong to the whole server, so another database may create them at the same moment; and they stay when a
database goes.
"""

import psycopg
from psycopg.sql import SQL, Identifier

from vaart.errors import ConfigFault

OWNER = "vaart_owner"
SINK = "vaart_sink"
READER = "vaart_reader"
READER_TIMEOUT = "60s"

_CREATE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
        CREATE ROLE {role} LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- created by another database's migration at this moment
END $$
"""
_JOIN = """
DO $$ BEGIN
    IF NOT pg_has_role(current_user, '{name}', 'SET') THEN
        GRANT {role} TO current_user WITH SET TRUE;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$
"""


def ensure(connection: psycopg.Connection[object]) -> None:
    """The roles exist, without a password, and the owner may create schemas in this database. Repeatable.

    Raises ConfigFault when the user may not create roles and they are not there.
    """
    try:
        for role in (OWNER, SINK, READER):
            connection.execute(SQL(_CREATE.replace("{name}", role)).format(role=Identifier(role)))
        connection.execute(SQL(_JOIN.replace("{name}", OWNER)).format(role=Identifier(OWNER)))
        _grant(connection)
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigFault(
            f"the migrating user may not set up the roles {OWNER}, {SINK} and {READER}.\n"
            "Let an administrator create them once, with LOGIN, and grant them to it:\n"
            f"  GRANT {OWNER} TO <user>; GRANT CREATE ON DATABASE <database> TO {OWNER};\n"
            "or set VAART_POSTGRES__OWNER_DSN to a user with CREATEROLE."
        ) from None


def _grant(connection: psycopg.Connection[object]) -> None:
    """Per database, so that two migrations on one server do not touch the same row of its catalogue."""
    database = Identifier(connection.info.dbname)
    owner, sink, reader = Identifier(OWNER), Identifier(SINK), Identifier(READER)
    connection.execute(SQL("GRANT CREATE, CONNECT ON DATABASE {} TO {}").format(database, owner))
    connection.execute(SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, sink))
    connection.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, reader))
    limited = SQL("ALTER ROLE {} IN DATABASE {} SET ").format(reader, database)
    connection.execute(limited + SQL("default_transaction_read_only = on"))
    connection.execute(limited + SQL("statement_timeout = {}").format(READER_TIMEOUT))
    connection.execute(limited + SQL("search_path = mart"))
