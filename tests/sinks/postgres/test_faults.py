"""Which errors of Postgres mean waiting, and which mean one bad record."""

import psycopg
import pytest
from psycopg import errors

from sinks.postgres.faults import Refusal, RowsFailed, described, is_away, refusal

AWAY = (
    errors.AdminShutdown,
    errors.CannotConnectNow,
    errors.ConnectionFailure,
    errors.DeadlockDetected,
    errors.DiskFull,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.ReadOnlySqlTransaction,
    errors.SerializationFailure,
    errors.TooManyConnections,
    psycopg.OperationalError,
)
REFUSED: dict[type[psycopg.Error], Refusal] = {
    errors.UntranslatableCharacter: Refusal.UNSTORABLE_TEXT,
    errors.NumericValueOutOfRange: Refusal.OUT_OF_RANGE,
    errors.DatetimeFieldOverflow: Refusal.OUT_OF_RANGE,
    errors.InvalidTextRepresentation: Refusal.INVALID_VALUE,
    errors.UniqueViolation: Refusal.CONSTRAINT_BROKEN,
    errors.ProgramLimitExceeded: Refusal.TOO_LONG,
    psycopg.DataError: Refusal.UNSTORABLE_TEXT,
}
BUGS = (errors.UndefinedTable, errors.InsufficientPrivilege, errors.SyntaxError)


@pytest.mark.parametrize("error", AWAY)
def test_a_server_that_cannot_write_now_is_away(error: type[psycopg.Error]) -> None:
    assert is_away(error())
    assert refusal(error()) is None


@pytest.mark.parametrize("error", REFUSED)
def test_rows_that_it_will_never_take_are_refused_with_a_reason(error: type[psycopg.Error]) -> None:
    assert not is_away(error())
    assert refusal(error()) == REFUSED[error]


@pytest.mark.parametrize("error", BUGS)
def test_what_neither_time_nor_another_row_mends_is_raised(error: type[psycopg.Error]) -> None:
    assert not is_away(error())
    assert refusal(error()) is None


def test_text_that_is_no_text_is_refused() -> None:
    assert refusal(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate")) is Refusal.UNSTORABLE_TEXT
    assert refusal(RowsFailed("orders raised KeyError")) is Refusal.ROWS_FAILED


def test_the_description_holds_no_value() -> None:
    error = errors.UniqueViolation("duplicate key value: Key (value)=(a@b.example) already exists")
    assert described(error) == "UniqueViolation (23505)"
