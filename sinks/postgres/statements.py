"""The SQL that writes one projection: a staging table, a COPY into it, one upsert out of it, and a delete.

Of a table by month it makes the months of the staged rows first. `ingested_at` is the transaction's time.

The staging table takes instants, days and amounts as the integers that they are in our structs and converts them in
the upsert: formatting them in Python costs four times what the rest of a row costs.
"""

from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier
from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from sinks.projections.projection import PLACE, Projection

_STAGED = {
    TIMESTAMP: ("bigint", "timestamptz 'epoch' + {} * interval '1 microsecond'"),
    Date: ("integer", "date 'epoch' + {}"),
    Numeric: ("bigint", "{} * 0.0001"),
    JSONB: ("text", "{}::jsonb"),
    UUID: ("text", "{}::uuid"),
    BigInteger: ("bigint", "{}"),
    Integer: ("bigint", "{}"),
    Boolean: ("boolean", "{}"),
}
_TEXT = ("text", "{}")


@dataclass(frozen=True, slots=True)
class Statements:
    """Ready for psycopg: `stage` once a connection, `copy`, `months` and `put` once a batch, `clear` between two."""

    stage: Composed
    copy: Composed
    months: Composed | None
    put: Composed
    clear: Composed


def statements(projection: Projection) -> Statements:
    """The statements of one projection."""
    staging = Identifier(f"staged_{projection.name}")
    filled = [projection.table.columns[name] for name in (*projection.columns, *PLACE)]
    return Statements(
        stage=_staging(staging, filled),
        copy=SQL("COPY {} FROM STDIN").format(staging),
        months=_months(projection, staging) if projection.by_month else None,
        put=_put(projection, filled, staging),
        clear=SQL("TRUNCATE {}").format(staging),
    )


def forgetting(projection: Projection, length: int) -> Composed:
    """A delete by the first `length` columns of the key, to be run with their values."""
    columns = [projection.table.columns[name] for name in projection.key[:length]]
    matches = [SQL("{} = {}").format(Identifier(column.name), _parameter(column)) for column in columns]
    return SQL("DELETE FROM {} WHERE {}").format(_table(projection), SQL(" AND ").join(matches))


def _parameter(column: Column[Any]) -> Composed:
    return SQL(_staged(column)[1]).format(SQL("%s"))


def _staging(name: Identifier, columns: list[Column[Any]]) -> Composed:
    typed = [SQL("{} " + _staged(column)[0]).format(Identifier(column.name)) for column in columns]
    return SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS").format(
        name, SQL(", ").join(typed)
    )


def _months(projection: Projection, staging: Identifier) -> Composed:
    """Few rows a batch, mostly one: what the function does for a month that is there is a look at the catalogue."""
    moment = SQL(_staged(projection.table.columns[projection.by_month])[1]).format(
        Identifier(projection.by_month)
    )
    return SQL(
        "SELECT {}(month) FROM (SELECT DISTINCT date_trunc('month', {}, 'UTC') AS month FROM {}) AS met ORDER BY month"
    ).format(Identifier(str(projection.table.schema), f"make_month_of_{projection.name}"), moment, staging)


def _put(projection: Projection, columns: list[Column[Any]], staging: Identifier) -> Composed:
    return SQL("INSERT INTO {} AS kept ({}) SELECT {} FROM {} ON CONFLICT ({}) {}").format(
        _table(projection),
        _names(column.name for column in columns),
        SQL(", ").join(SQL(_staged(column)[1]).format(Identifier(column.name)) for column in columns),
        staging,
        _names(projection.key),
        SQL("DO NOTHING") if projection.is_append_only else _replace(projection, columns),
    )


def _replace(projection: Projection, columns: list[Column[Any]]) -> Composed:
    """Offsets decide between equal sequence numbers: products have only their own time."""
    changed = [Identifier(column.name) for column in columns if column.name not in projection.key]
    return SQL(
        "DO UPDATE SET {}, ingested_at = excluded.ingested_at "
        "WHERE (excluded.seq, excluded.src_offset) > (kept.seq, kept.src_offset)"
    ).format(SQL(", ").join(SQL("{0} = excluded.{0}").format(name) for name in changed))


def _table(projection: Projection) -> Identifier:
    return Identifier(str(projection.table.schema), projection.name)


def _names(names: Any) -> Composable:
    return SQL(", ").join(Identifier(name) for name in names)


def _staged(column: Column[Any]) -> tuple[Any, Any]:
    """Type in the staging table, and the expression that makes of it what the table holds."""
    return next((found for kind, found in _STAGED.items() if isinstance(column.type, kind)), _TEXT)
