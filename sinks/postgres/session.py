"""A connection that outlives outages: each transaction is tried until it is committed or given up."""

import random
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
import structlog

from sinks.postgres import faults
from sinks.postgres.offsets import Cursor

BACKOFF_S = 0.1
BACKOFF_S_MAX = 5.0
CONNECT_TIMEOUT_S = 5
SETTINGS = (
    # A server that crashes loses rows and offsets together: what it lost is read again.
    "SET synchronous_commit = off",
    "SET lock_timeout = '30s'",
    "SET statement_timeout = '120s'",
    "SET TimeZone = 'UTC'",
)

T = TypeVar("T")

log = structlog.get_logger()


class Abandoned(Exception):
    """The transaction was given up while Postgres was away."""


class Session:
    """Runs transactions, one after the other. `abandon` and `paused` apart, one thread at a time uses it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection[Any] | None = None
        self._staged: set[str] = set()
        self._abandon = threading.Event()
        self.is_paused = False

    def run(self, attempt: Callable[[Cursor], T]) -> T:
        """The result of `attempt`, whose transaction was committed. It may run more than once.

        Raises Abandoned when it was given up, and any error that another attempt would not mend.
        """
        pause_s = BACKOFF_S
        while True:
            try:
                result = self._once(attempt)
            except psycopg.Error as error:
                if not faults.is_away(error):
                    raise
                self._wait(error, pause_s)
                pause_s = min(2 * pause_s, BACKOFF_S_MAX)
            else:
                self.is_paused = False
                return result

    def is_first(self, name: str) -> bool:
        """Whether this connection has not been asked about `name` before: temporary tables end with it."""
        is_new = name not in self._staged
        self._staged.add(name)
        return is_new

    def forget_staged(self) -> None:
        """A rollback may have taken temporary tables with it: ask for each of them again."""
        self._staged.clear()

    def abandon(self, *, is_abandoned: bool) -> None:
        """While it is set, no transaction waits for Postgres. Safe from another thread."""
        if is_abandoned:
            self._abandon.set()
        else:
            self._abandon.clear()

    def close(self) -> None:
        """The connection is closed; the next transaction opens another."""
        connection, self._connection = self._connection, None
        self._staged.clear()
        if connection is not None:
            connection.close()

    def _once(self, attempt: Callable[[Cursor], T]) -> T:
        if self._connection is None or self._connection.closed:
            self.close()
            self._connection = _connect(self._dsn)
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                return attempt(cursor)
        except BaseException:
            self.forget_staged()
            raise

    def _wait(self, error: psycopg.Error, pause_s: float) -> None:
        if not self.is_paused:
            log.warning("postgres_away", error=faults.described(error))
        self.is_paused = True
        self.close()
        # Many sinks that lost the same server must not come back in step.
        if self._abandon.wait(pause_s * random.uniform(0.5, 1.0)):  # noqa: S311
            raise Abandoned


def _connect(dsn: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(
        dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="vaart-sink"
    )
    for setting in SETTINGS:
        connection.execute(setting)
    return connection
