"""Schemas and typed structs are one language: equal field for field, documented, and never edited."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import fastavro
import msgspec
import pytest
from msgspec import NODEFAULT

from schemas.avsc import SchemaMissing, file_of, name_of, schema_of
from schemas.events.lines import Line
from schemas.meta import Entry, Event, Snapshot
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "schemas" / "avro"
RELEASED = ROOT / "tests" / "golden" / "schemas.sha256"

EVENTS = sorted({cls for topic in TOPICS for cls in topic.carries}, key=lambda cls: cls.__name__)
"""Every event, state and entry: each stands on a topic."""

PLAIN = {"string": str, "long": int, "boolean": bool, "bytes": bytes}
LOGICAL = {("long", "timestamp-micros"), ("int", "date"), ("bytes", "decimal")}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}
PII = {
    "address",
    "contact",
    "context",
    "email",
    "identifier",
    "name",
    "payment",
    "phone",
    "text",
    "traits",
    "url",
}
ALWAYS_PERSONAL = {
    "author", "card", "city", "comment", "customer_id", "email", "from_number", "loyalty_card", "phone",
    "postal_code", "push_token", "recipient", "tender_token", "text", "to_number", "traits", "value",
}  # fmt: skip
NOT_PERSONAL = {("AnswerPublished", "text"), ("CodeIssued", "value")}
"""The text of a published answer and the worth of a discount code are nobody's."""

REQUIRED = "required"


def shape_of_struct(cls: type) -> Any:
    """Name and fields of a struct, each with its type and default, in plain words."""
    fields = msgspec.structs.fields(cls)
    return cls.__name__, [(each.name, shape_of_type(each.type), default_of_field(each)) for each in fields]


def shape_of_type(annotation: Any) -> Any:
    if isinstance(annotation, UnionType):
        (kept,) = [each for each in get_args(annotation) if each is not type(None)]
        return "optional", shape_of_type(kept)
    if get_origin(annotation) is list:
        return "list", shape_of_type(get_args(annotation)[0])
    if get_origin(annotation) is dict:
        key, value = get_args(annotation)
        assert key is str
        return "map", shape_of_type(value)
    return shape_of_struct(annotation) if issubclass(annotation, msgspec.Struct) else annotation


def default_of_field(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return REQUIRED if field.default is NODEFAULT else field.default


def shape_of_schema(schema: Any, known: dict[str, Any]) -> Any:
    """The same words for an Avro schema; `known` are the records that were met before."""
    if isinstance(schema, list):
        null, kept = schema
        assert null == "null", "the null comes first, so that the default can be null"
        return "optional", shape_of_schema(kept, known)
    if isinstance(schema, str):
        return PLAIN[schema] if schema in PLAIN else known[schema]
    if "logicalType" in schema:
        assert (schema["type"], schema["logicalType"]) in LOGICAL
        assert schema["logicalType"] != "decimal" or schema == DECIMAL
        return int
    if schema["type"] == "array":
        return "list", shape_of_schema(schema["items"], known)
    if schema["type"] == "map":
        return "map", shape_of_schema(schema["values"], known)
    return shape_of_record(schema, known)


def shape_of_record(schema: Any, known: dict[str, Any]) -> Any:
    assert schema["type"] == "record", "no enums: a new symbol would be refused by readers"
    fields = [
        (each["name"], shape_of_schema(each["type"], known), default_in_schema(each))
        for each in schema["fields"]
    ]
    known[f"{schema['namespace']}.{schema['name']}"] = schema["name"], fields
    return schema["name"], fields


def default_in_schema(field: Any) -> Any:
    if field["type"] == DECIMAL and "default" in field:
        return int.from_bytes(field["default"].encode("latin-1"), "big", signed=True)
    return field.get("default", REQUIRED)


def records(schema: Any) -> Iterator[Any]:
    """Every record that is defined in a schema, the outer one first."""
    if isinstance(schema, list):
        for each in schema:
            yield from records(each)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            yield schema
        inner = [each["type"] for each in schema.get("fields", ())] + [
            schema.get("items"),
            schema.get("values"),
        ]
        yield from records([each for each in inner if each])


def all_schemas() -> Iterator[tuple[str, Any]]:
    for path in sorted(FOLDER.glob("*.avsc")):
        yield path.name, json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.__name__)
def test_struct_and_schema_are_equal_field_for_field(cls: type) -> None:
    assert shape_of_struct(cls) == shape_of_record(schema_of(cls), {})


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.__name__)
def test_every_schema_parses(cls: type) -> None:
    parsed = fastavro.parse_schema(schema_of(cls))
    assert isinstance(parsed, dict)
    assert parsed["name"] == name_of(cls)


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.__name__)
def test_events_cannot_be_changed_and_snapshots_can(cls: type) -> None:
    assert issubclass(cls, Event | Snapshot | Entry)
    config = cls.__struct_config__
    assert (config.frozen, config.gc) == (not issubclass(cls, Snapshot), False)


def test_every_schema_file_belongs_to_a_type_on_a_topic() -> None:
    names = {file_of(cls).split(".")[0] for cls in EVENTS}
    assert {name for name, _ in all_schemas() if name.split(".")[0] not in names} == set()
    assert len(EVENTS) == len(names)


def test_a_part_has_no_schema_of_its_own() -> None:
    with pytest.raises(SchemaMissing, match=r"schemas/avro/line\.v1\.avsc is missing"):
        schema_of(Line)


def test_everything_is_documented() -> None:
    bare = [
        f"{file}: {record['name']}.{part.get('name')}"
        for file, schema in all_schemas()
        for record in records(schema)
        for part in (record, *record["fields"])
        if not part.get("doc", "").endswith(".")
    ]
    assert bare == []


def test_a_struct_says_what_its_schema_says() -> None:
    assert [cls for cls in EVENTS if not (cls.__doc__ or "").startswith(schema_of(cls)["doc"])] == []


def test_a_record_that_several_events_share_is_the_same_in_each() -> None:
    """Code that others generate has one class for a name."""
    seen: dict[str, Any] = {}
    for file, schema in all_schemas():
        for record in records(schema):
            full, said = f"{record['namespace']}.{record['name']}", expanded(record, {})
            assert seen.setdefault(full, said) == said, f"{file} has another {full}"


def expanded(schema: Any, known: dict[str, Any]) -> Any:
    """The schema with every name replaced by what it stands for."""
    if isinstance(schema, list):
        return [expanded(each, known) for each in schema]
    if isinstance(schema, str):
        return known.get(schema, schema)
    if "fields" in schema:
        fields = [{**each, "type": expanded(each["type"], known)} for each in schema["fields"]]
        schema = known[f"{schema['namespace']}.{schema['name']}"] = {**schema, "fields": fields}
        return schema
    return {
        key: expanded(each, known) if key in ("items", "values") else each for key, each in schema.items()
    }


def test_every_amount_has_a_currency() -> None:
    for file, schema in all_schemas():
        if any("decimal" in json.dumps(each["type"]) for each in schema["fields"]):
            assert "currency" in {each["name"] for each in schema["fields"]}, file


def test_what_is_personal_is_marked() -> None:
    for file, schema in all_schemas():
        for record in records(schema):
            for field in record["fields"]:
                where = record["name"], field["name"]
                assert field.get("pii") in {None, *PII}, (file, where)
                if field["name"] in ALWAYS_PERSONAL and where not in NOT_PERSONAL:
                    assert "pii" in field, (file, where)


def test_a_released_schema_is_never_edited() -> None:
    """A change is a `.v2.avsc` beside it; a new file is added with `sha256sum`, run in the folder."""
    lines = RELEASED.read_text().splitlines()
    released = {name: digest for digest, name in (line.split() for line in lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.avsc")}
    assert found == released
