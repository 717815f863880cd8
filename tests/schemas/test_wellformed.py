"""A schema that somebody registered is followed, or refused with the field: it never hangs a reader or breaks it."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from schemas import topics as t
from schemas.avsc import schema_of
from schemas.codec import Reason
from schemas.events.orders import SoldInStore
from schemas.wellformed import BRANCHES_MAX, checked
from tests.schemas.rows import plain
from tests.schemas.test_codec import ENCODED, PAIRS, codec, outcome, refused

pytestmark = pytest.mark.usefixtures("codec_kind")

OURS = schema_of(SoldInStore)
MANY = limits(
    max_examples=300,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)
INT_FIELD = {"name": "x", "type": "int"}


def with_field(kind: Any) -> Any:
    """Our schema and one field more, which is only passed over."""
    return OURS | {"fields": [*OURS["fields"], {"name": "more", "type": kind}]}


def chain(length: int, innermost: Any = "int") -> Any:
    """A record in a record in a record."""
    for number in range(length):
        innermost = plain(f"Link{number}", fields=[{"name": "x", "type": innermost}])
    return innermost


def doubled(times: int, innermost: Any) -> Any:
    """A short schema for two to the power of `times` values: each record holds the one before it twice."""
    kind = plain("Doubled0", fields=[{"name": "x", "type": innermost}])
    for number in range(times):
        again = {"name": "again", "type": f"Doubled{number}"}
        kind = plain(f"Doubled{number + 1}", fields=[{"name": "once", "type": kind}, again])
    return kind


def with_scale(scale: Any) -> Any:
    return with_field({"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": scale})


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (with_field("Unknown"), "more: not a well-formed Avro schema: a type that is not defined before"),
        (with_field({"type": "Unknown"}), "more: .* no type of Avro"),
        (with_field(5), "more: .* no type of Avro"),
        (with_field({}), "more: .* no type of Avro"),
        (with_field([]), "more: .* a union has 1 to"),
        (with_field([{"type": "fixed", "name": f"F{n}", "size": 1} for n in range(BRANCHES_MAX + 1)]), "a union"),
        (with_field(["null", ["int"]]), "more: .* a union in a union"),
        (with_field({"type": "array"}), "more: .* array without items"),
        (with_field({"type": "map", "values": {"type": "map"}}), "more: .* map without values"),
        (with_field({"type": "fixed", "name": "F", "size": -1}), "more: .* a fixed has a size"),
        (with_field({"type": "fixed", "name": "F", "size": 2**70}), "more: .* a fixed has a size"),
        (with_field({"type": "fixed", "name": "F", "size": "9"}), "more: .* a fixed has a size"),
        (with_field({"type": "enum", "name": "E", "symbols": "AB"}), "more: .* an enum has a list of symbols"),
        (with_field({"type": "enum", "symbols": ["A"]}), "more: .* a type has a name"),
        (with_field(plain("long", fields=[INT_FIELD])), "more: .* a name that Avro has for itself"),
        (with_field(plain("a.b", fields=[])), None),
        (with_field(plain("SoldInStore", fields=[])), "more: .* two types are called vaart.commerce.SoldInStore"),
        (with_field(plain("Twice", fields=[INT_FIELD, INT_FIELD])), "more: .* two fields have the same name"),
        (with_field(plain("Odd", fields="x")), "more: .* a record has a list of fields"),
        (with_field(plain("Odd", fields=[{"name": "x"}])), "more: .* a field has a name and a type"),
        (with_field(plain("Odd", fields=[{"name": "x" * 256, "type": "int"}])), "more: .* a field has a name"),
        (with_field({"type": "int", "logicalType": ["date"]}), "more: .* a logical type without a name"),
        (with_field({"type": "int", "items": {"x": 1}, "fields": 5}), None),
        (with_scale(10**9), "more: .* a scale is 0 to 76"),
        (with_scale(None), "more: .* a scale is 0 to 76"),
        (with_scale(6), None),
        (with_field(chain(31)), None),
        (with_field(chain(32)), "records lie more than 32 deep"),
        (with_field(chain(2_000)), "types lie more than 64 deep"),
        (with_field(doubled(10, "int")), None),
        (with_field(doubled(30, "int")), "a record of more than 5000 values"),
        (with_field(["int", doubled(30, "int")]), "a record of more than 5000 values"),
        (with_field({"type": "array", "items": doubled(30, "null")}), "a record of more than 5000 values"),
        (with_field({"type": "array", "items": plain("Loop", fields=[{"name": "x", "type": "Loop"}])}), "itself"),
        ({"type": "record", "fields": []}, "the record: .* a type has a name"),
        (plain(5, fields=[]), "the record: .* a type has a name"),  # type: ignore[arg-type]
        (None, "the record: .* no type of Avro"),
        ({"type": "object"}, "the record: .* no type of Avro"),
    ],
)  # fmt: skip
def test_a_schema_is_followed_or_refused_by_field(schema: Any, why: str | None) -> None:
    value = ENCODED + b"\0" * 2_000  # whatever the field more is: it is there, and bytes follow
    found = refused(codec(schema).decoder(t.ORDERS), value)
    assert found.reason is (Reason.UNREADABLE_SCHEMA if why else Reason.TRAILING_BYTES)
    assert re.search(why or "", str(found))


def test_what_is_passed_over_moves_the_reader_on() -> None:
    decode = codec(with_field(doubled(4, "string"))).decoder(t.ORDERS)
    assert decode(ENCODED + b"\2a" * 16) == codec(OURS).decoder(t.ORDERS)(ENCODED)


@pytest.mark.parametrize("kind", [kind for kind, _ in PAIRS], ids=lambda kind: kind.__name__)
def test_all_of_ours_are_well_formed(kind: type) -> None:
    assert checked(schema_of(kind)) == schema_of(kind)


ODD: some.SearchStrategy[Any] = some.sampled_from(
    [None, True, 0, -1, 2**70, 1.5, "", "int", "string", "null", "x.y", "Line", "bytes", "decimal", [], {}, ["null"],
     {"type": "int"}, {"type": "record"}, {"type": "array", "items": "Line"}, [{}], "record", "fixed", "enum"]
)  # fmt: skip


def places(schema: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside."""
    keys = schema if isinstance(schema, dict) else range(len(schema)) if isinstance(schema, list) else ()
    for key in list(keys):
        yield schema, key
        yield from places(schema[key])


@MANY
@given(some.data())
def test_a_damaged_schema_breaks_nothing(data: some.DataObject) -> None:
    kind, topic = data.draw(some.sampled_from(PAIRS))
    schema = copy.deepcopy(schema_of(kind))
    for _ in range(data.draw(some.integers(1, 3))):
        container, key = data.draw(some.sampled_from(list(places(schema))))
        if data.draw(some.booleans()):
            container[key] = copy.deepcopy(data.draw(ODD))
        elif isinstance(container, dict):
            del container[key]
        else:
            container.insert(key, copy.deepcopy(data.draw(some.sampled_from(container))))
    reason, _ = outcome(codec(json.loads(json.dumps(schema))).decoder(topic), b"\0\0\0\0\1" + bytes(400))
    assert reason in {"a record", *Reason}
