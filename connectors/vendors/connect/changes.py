"""A change of a row as Debezium writes it: in its envelope, or the row alone (ExtractNewRecordState).

Debezium's reference, "Data change events" of the PostgreSQL and MySQL connectors and "New Record State Extraction".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.protocol import values
from connectors.protocol.channel import Request
from connectors.protocol.documents import Unfit
from connectors.vendors.connect import columns
from schemas.meta import Instant

CREATED, UPDATED, DELETED, SNAPSHOT = "c", "u", "d", "r"
ROWS = (CREATED, UPDATED, DELETED, SNAPSHOT)
NO_ROWS = ("t", "m")
"""A table was emptied; somebody wrote a message into the log."""
NEW_KEY, OLD_KEY = "__debezium.newkey", "__debezium.oldkey"
"""Headers of the two records that stand for one row whose primary key changed."""
_FALSE = (None, False, "false", "")


@dataclass(frozen=True, slots=True)
class Change:
    """`tables` are the table's names, the most exact first; `log` is what Debezium says of where the change stood."""

    tables: Sequence[str]
    op: str
    row: Mapping[str, Any]
    log: Mapping[str, Any]
    at: Instant | None


def change_of(document: Any, request: Request) -> Change | None:
    """The change; None where no row of its own changed. Raises Unfit."""
    schema, payload = columns.unwrapped(document)
    if payload is None:
        return None
    if not isinstance(payload, dict):
        raise Unfit("it is no change of a row")
    log, op = payload.get("source"), payload.get("op")
    if isinstance(log, dict) and isinstance(op, str):
        return None if op in NO_ROWS else _told(payload, schema, log, op, request)
    return _flat(payload, schema, request)


def _told(
    payload: Mapping[str, Any], schema: Mapping[str, Any], log: Mapping[str, Any], op: str, request: Request
) -> Change | None:
    side = "before" if op == DELETED else "after"
    row = payload.get(side)
    if not isinstance(row, dict):
        raise Unfit(f"it has no `{side}`: the table needs a primary key, or REPLICA IDENTITY FULL")
    return _kept(
        _tables(log.get("schema") or log.get("db"), log.get("table"), request),
        SNAPSHOT if log.get("snapshot") not in _FALSE else op,
        columns.read(row, columns.below(schema, side)),
        log,
        _at((log.get("ts_us"), values.micros), (log.get("ts_ms"), values.millis)),
        request,
    )


def _flat(payload: Mapping[str, Any], schema: Mapping[str, Any], request: Request) -> Change | None:
    op = DELETED if payload.get("__deleted") in (True, "true") else payload.get("__op")
    if not isinstance(op, str):
        raise Unfit(
            "it does not say what happened: set add.fields=op,table,source.ts_ms of ExtractNewRecordState"
        )
    if op in NO_ROWS:
        return None
    return _kept(
        _tables(payload.get("__schema") or payload.get("__db"), payload.get("__table"), request),
        SNAPSHOT if payload.get("__source_snapshot", payload.get("__snapshot")) not in _FALSE else op,
        columns.read(payload, schema),
        {},
        _at((payload.get("__source_ts_ms"), values.millis), (payload.get("__ts_ms"), values.millis)),
        request,
    )


def _kept(
    tables: Sequence[str],
    op: str,
    row: Mapping[str, Any],
    log: Mapping[str, Any],
    at: Instant | None,
    request: Request,
) -> Change | None:
    """A row that only got another key is neither gone nor new: it was updated."""
    if op == DELETED and NEW_KEY in request.headers:
        return None
    if op not in ROWS:
        raise Unfit("its `op` is not one that Debezium documents")
    return Change(tables, UPDATED if op == CREATED and OLD_KEY in request.headers else op, row, log, at)


def _tables(owner: Any, table: Any, request: Request) -> Sequence[str]:
    """By what the change says; else by its topic, which ends in them."""
    if isinstance(table, str):
        return (f"{owner}.{table}", table) if isinstance(owner, str) else (table,)
    parts = request.route.split(".")
    return (".".join(parts[-2:]), parts[-1])


def _at(*told: tuple[Any, Callable[[Any], Instant]]) -> Instant | None:
    """The first that says something: a snapshot of some databases has 0."""
    for value, read in told:
        if isinstance(value, int | str) and value not in (0, ""):
            return read(value)
    return None
