"""The codec against fastavro, over generated records; what it refuses, and in which words."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from schemas import topics as t
from schemas import wire
from schemas.avsc import schema_of
from schemas.codec import Codec, Reason, Undecodable, Unencodable, frame, key_text
from schemas.events.orders import OrderPlaced, SoldInStore
from schemas.events.states import StockLedgerEntry
from schemas.events.stock import StockSold
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topic import Topic
from tests.schemas.rows import plain, rows, struct_of, without_times, written

pytestmark = pytest.mark.usefixtures("codec_kind")

PAIRS = sorted(
    {each: topic for topic in t.TOPICS for each in topic.carries}.items(), key=lambda pair: pair[0].__name__
)
FEW = limits(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
MANY = limits(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)


class Shelf:
    """The ids of schemas, in memory: the codec's own part needs no server."""

    def __init__(self, *schemas: Any) -> None:
        self.schemas: list[Any] = list(schemas)
        self.is_away = False

    def schema(self, schema_id: int) -> Any:
        if self.is_away:
            raise RegistryAway("no answer")
        if not 1 <= schema_id <= len(self.schemas):
            raise SchemaUnknown("no such schema")
        return self.schemas[schema_id - 1]

    def id_of(self, subject: str, schema: Any) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1


def codec(*schemas: Any) -> Codec:
    return Codec(Shelf(*schemas))  # type: ignore[arg-type]


def example(kind: type) -> Any:
    """One record of a type: the plainest that its schema allows."""
    found: list[Any] = []

    @limits(max_examples=1, deadline=None, database=None, derandomize=True)
    @given(rows(schema_of(kind)))
    def note(row: Any) -> None:
        found.append(struct_of(row, schema_of(kind), kind))

    note()
    return found[0]


def refused(decode: Callable[[Any], Any], value: bytes | None) -> Undecodable:
    with pytest.raises(Undecodable) as caught:
        decode(value)
    return caught.value


@pytest.mark.parametrize(("kind", "topic"), PAIRS, ids=lambda each: getattr(each, "__name__", ""))
def test_both_ways_as_fastavro_does(kind: type, topic: Topic) -> None:
    schema = schema_of(kind)
    encode, decode = (coder := codec()).encoder(topic, kind), coder.decoder(topic)

    @FEW
    @given(rows(schema))
    def check(row: Any) -> None:
        record = struct_of(row, schema, kind)
        value = encode(record)
        assert value[5:] == written(row, schema)
        assert decode(value) == record

    check()


SOLD = example(SoldInStore)
ENCODED = codec(schema_of(SoldInStore)).encoder(t.ORDERS, SoldInStore)(SOLD)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.EMPTY_VALUE),
        (b"", Reason.EMPTY_VALUE),
        (b"\0", Reason.TOO_SHORT),
        (b"\0\0\0\1", Reason.TOO_SHORT),
        (b"\1" + ENCODED[1:], Reason.WRONG_MAGIC),
        (b'{"type": "SoldInStore"}', Reason.JSON),
        (b"\0\0\0\0\x63" + ENCODED[5:], Reason.UNKNOWN_SCHEMA_ID),
        (b"\0\0\0\0\2" + ENCODED[5:], Reason.FOREIGN_SCHEMA),
        (b"\0\0\0\0\3" + ENCODED[5:], Reason.UNREADABLE_SCHEMA),
        (b"\0\0\0\0\4" + ENCODED[5:], Reason.UNREADABLE_SCHEMA),
        (b"\0\0\0\0\1", Reason.TRUNCATED),
        (ENCODED[:-1], Reason.TRUNCATED),
        (ENCODED + b"\0", Reason.TRAILING_BYTES),
    ],
)
def test_bad_bytes_are_named(value: bytes | None, reason: Reason) -> None:
    odd = plain("SoldInStore", namespace="vaart.commerce", fields=[{"name": "meta", "type": "string"}])
    broken = plain("SoldInStore", namespace="vaart.commerce", fields=[{"name": "meta", "type": "nothing"}])
    decode = codec(schema_of(SoldInStore), schema_of(StockSold), odd, broken).decoder(t.ORDERS)
    for _ in "twice":
        assert refused(decode, value).reason is reason


def ledger(**changes: Any) -> bytes:
    """A ledger entry whose fields were written without any check."""
    schema = without_times(schema_of(StockLedgerEntry))
    row = {
        "sku": "dress", "seq": 1, "location_id": "haarlem", "owner": "us", "event_id": "e", "line_no": 0,
        "kind": "sale", "bucket": "available", "delta": -1, "at": 0,
    }  # fmt: skip
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), row | changes)
    return frame(1) + out.getvalue()


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (ledger(at=wire.INSTANT_MAX + 1), Reason.INVALID_VALUE, "at"),
        (ledger(sku="secret").replace(b"secret", b"s\xed\xa0\x80et"), Reason.INVALID_TEXT, "sku"),
        (frame(1) + b"\1", Reason.INVALID_VALUE, "sku"),
        (frame(1) + b"\xff" * 11, Reason.INVALID_VALUE, "sku"),
        (ledger(delta=2**63 - 1).replace(b"\xff\x01", b"\xff\x03"), Reason.INVALID_VALUE, "delta"),
        (frame(1) + b"\xfe\xff\xff\xff\x0f", Reason.TRUNCATED, "sku"),
    ],
)
def test_bad_values_name_their_field_and_not_themselves(value: bytes, reason: Reason, field: str) -> None:
    found = refused(codec(schema_of(StockLedgerEntry)).decoder(t.LEDGER), value)
    assert (found.reason, found.schema_id) == (reason, 1)
    assert field in found.detail
    assert "secret" not in str(found)


def test_a_text_that_was_cut_inside_a_letter_is_truncated() -> None:
    coder = codec()
    value = coder.encoder(t.LEDGER, StockLedgerEntry)(
        msgspec.structs.replace(example(StockLedgerEntry), sku="é")
    )
    at = value.index("é".encode())
    found = refused(coder.decoder(t.LEDGER), value[: at + 1])
    assert found.reason is Reason.TRUNCATED


def test_a_key_is_text_of_a_bounded_length() -> None:
    assert key_text("winkel é".encode()) == "winkel é"
    for key in (None, b"", b"x" * 1025, b"\xff"):
        with pytest.raises(Undecodable, match="invalid_key"):
            key_text(key)


def test_any_bytes_are_a_record_or_undecodable() -> None:
    coder = codec(schema_of(StockSold))
    decode = coder.decoder(t.STOCK)
    valid = coder.encoder(t.STOCK, StockSold)(example(StockSold))

    @MANY
    @given(damaged(valid))
    def check(value: bytes) -> None:
        assert outcome(decode, value)[0] in {
            "a record", Reason.TRUNCATED, Reason.TRAILING_BYTES, Reason.INVALID_TEXT, Reason.INVALID_VALUE,
        }  # fmt: skip

    check()


@some.composite
def damaged(draw: some.DrawFn, valid: bytes) -> bytes:
    """A record with a few bytes changed, removed or put in."""
    value = bytearray(valid)
    for _ in range(draw(some.integers(1, 4))):
        at = draw(some.integers(5, max(5, len(value) - 1)))
        value[at : at + draw(some.integers(0, 2))] = draw(some.binary(max_size=3))
    return bytes(value)


def outcome(decode: Callable[[Any], Any], value: bytes) -> tuple[str, Any]:
    try:
        return "a record", decode(value)
    except Undecodable as error:
        return error.reason, None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"receipt_id": 5}, "receipt_id"),
        ({"receipt_id": "\ud800"}, "receipt_id"),
        ({"business_date": wire.DATE_MAX + 1}, "business_date"),
        ({"business_date": None}, "business_date"),
        ({"till_sequence": 2**63}, "till_sequence"),
        ({"till_sequence": 1.5}, "till_sequence"),
        ({"lines": "abc"}, "lines"),
        ({"meta": None}, "meta"),
    ],
)
def test_what_does_not_fit_names_its_field(changes: dict[str, Any], field: str) -> None:
    encode = codec().encoder(t.ORDERS, SoldInStore)
    with pytest.raises(Unencodable, match=rf"SoldInStore\.{field}") as found:
        encode(msgspec.structs.replace(SOLD, **changes))
    assert "\ud800" not in str(found.value)


def test_a_text_is_no_list_of_texts() -> None:
    ordered = example(OrderPlaced)
    with pytest.raises(Unencodable, match=r"OrderPlaced\.coupon_codes: not a list"):
        codec().encoder(t.ORDERS, OrderPlaced)(msgspec.structs.replace(ordered, coupon_codes="abc"))


def test_an_amount_that_does_not_fit_names_its_field() -> None:
    encode = codec().encoder(t.ORDERS, SoldInStore)
    for amount in (10**18, 0.5, "12"):
        totals = msgspec.structs.replace(SOLD.totals, total=amount)
        with pytest.raises(Unencodable, match=r"SoldInStore\.totals\.total"):
            encode(msgspec.structs.replace(SOLD, totals=totals))


def test_another_type_is_not_encoded() -> None:
    with pytest.raises(Unencodable, match="another type"):
        codec().encoder(t.ORDERS, SoldInStore)(object())


def test_while_the_registry_is_away_nothing_is_called_bad() -> None:
    shelf = Shelf(schema_of(SoldInStore))
    decode = Codec(shelf).decoder(t.ORDERS)  # type: ignore[arg-type]
    shelf.is_away = True
    with pytest.raises(RegistryAway):
        decode(ENCODED)
    shelf.is_away = False
    assert decode(ENCODED) == SOLD
    shelf.is_away = True
    assert decode(ENCODED) == SOLD


def test_the_schemas_travel_with_the_package() -> None:
    assert json.loads((Path(t.__file__).parent / "avro" / "sold_in_store.v1.avsc").read_text())
