"""Values as Kafka Connect's JSON converter writes them: with a schema around them or without, and what types mean."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.protocol import values
from connectors.protocol.documents import Unfit
from connectors.protocol.mapping import Moment, Unusable
from schemas.meta import Instant

UNAVAILABLE = ("__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")
"""What Debezium writes for a long value that did not change (TOAST): as text, and as bytes."""
NOT_SENT = Unusable(
    "was not sent, since it did not change: set REPLICA IDENTITY FULL, or have Debezium reselect columns"
)
DECIMAL = Unusable(
    "is a decimal in base64: set decimal.handling.mode=string (Debezium), decimal.format=NUMERIC (JSON converter)"
)
_SCALED = {"scale", "value"}
_DECIMALS = frozenset({"org.apache.kafka.connect.data.Decimal", "io.debezium.data.VariableScaleDecimal"})
_TIMES: Mapping[str, Callable[[Any], Instant]] = {
    "io.debezium.time.Date": values.days,
    "io.debezium.time.Timestamp": values.millis,
    "io.debezium.time.MicroTimestamp": values.micros,
    "io.debezium.time.NanoTimestamp": values.nanos,
    "org.apache.kafka.connect.data.Date": values.days,
    "org.apache.kafka.connect.data.Timestamp": values.millis,
}


def unwrapped(document: Any) -> tuple[Mapping[str, Any], Any]:
    """The schema and what it is about; an empty schema where the converter writes none."""
    if isinstance(document, dict) and document.keys() == {"schema", "payload"}:
        schema = document["schema"]
        return (schema if isinstance(schema, dict) else {}), document["payload"]
    return {}, document


def below(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The schema of a field; empty where there is none."""
    return next((each for each in _fields(schema) if each.get("field") == name), {})


def read(row: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The columns: times as Moment where the schema says so, Unusable where a value must not be taken as it is."""
    kinds = {str(each.get("field")): str(each.get("name")) for each in _fields(schema)}
    return {name: _column(value, kinds.get(name, "")) for name, value in row.items()}


def _fields(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = schema.get("fields")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _column(value: Any, kind: str) -> Any:
    if value in UNAVAILABLE or value == [UNAVAILABLE[0]]:
        return NOT_SENT
    if isinstance(value, dict) and value.keys() == _SCALED:
        return DECIMAL
    if isinstance(value, str) and kind in _DECIMALS:
        return DECIMAL
    if isinstance(value, bool) or not isinstance(value, int) or kind not in _TIMES:
        return value
    try:
        return Moment(_TIMES[kind](value))
    except Unfit as error:
        return Unusable(str(error))
