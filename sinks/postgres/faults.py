"""What a database error means: wait and try again, or one record that Postgres will never take."""

from enum import StrEnum

import psycopg

AWAY_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})
"""Connection, serialization and deadlock, resources and disk, locks, shutdown and cancel, I/O."""
AWAY_STATES = frozenset({"25006", "25P03", "25P04"})
"""Read-only mode; time-outs of transactions."""
REFUSED_CLASSES = frozenset({"22", "23", "54"})
"""Data, constraints, limits."""

_UNSTORABLE_TEXT = frozenset({"22021", "22P05"})
_OUT_OF_RANGE = frozenset({"22003", "22008"})


class Refusal(StrEnum):
    """Why a record that could be read cannot be written."""

    UNSTORABLE_TEXT = "unstorable_text"
    OUT_OF_RANGE = "out_of_range"
    INVALID_VALUE = "invalid_value"
    CONSTRAINT_BROKEN = "constraint_broken"
    TOO_LONG = "too_long"
    ROWS_FAILED = "rows_failed"


class RowsFailed(Exception):
    """A projection raised on a record: our bug. The text names the projection and the error's type alone."""


def is_away(error: psycopg.Error) -> bool:
    """Whether Postgres cannot write now, whatever it is given."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state[:2] in AWAY_CLASSES or state in AWAY_STATES


def refusal(error: Exception) -> Refusal | None:
    """Why Postgres or the client will never take these rows; None for an error that is not the rows' own."""
    if isinstance(error, RowsFailed):
        return Refusal.ROWS_FAILED
    if isinstance(error, UnicodeError):
        return Refusal.UNSTORABLE_TEXT
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:
        # The client refuses NUL in text itself, before Postgres can.
        return Refusal.UNSTORABLE_TEXT if isinstance(error, psycopg.DataError) else None
    return _refused_by_state(state) if state[:2] in REFUSED_CLASSES else None


def _refused_by_state(state: str) -> Refusal:
    if state in _UNSTORABLE_TEXT:
        return Refusal.UNSTORABLE_TEXT
    if state in _OUT_OF_RANGE:
        return Refusal.OUT_OF_RANGE
    by_class = {"23": Refusal.CONSTRAINT_BROKEN, "54": Refusal.TOO_LONG}
    return by_class.get(state[:2], Refusal.INVALID_VALUE)


def described(error: Exception) -> str:
    """The error without a word of the row: its kind, and the names of table, column or constraint."""
    if isinstance(error, RowsFailed):
        return str(error)
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    place = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
    named = ".".join(name for name in place if name)
    state = f" ({error.sqlstate})" if error.sqlstate else ""
    return f"{type(error).__name__}{state}" + (f" at {named}" if named else "")
