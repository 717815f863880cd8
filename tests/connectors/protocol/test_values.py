"""Senders' values in our units, and what is said of those that are none."""

from decimal import Decimal

import pytest

from connectors.protocol import documents, people, values
from connectors.protocol.documents import NotReadable, Unfit
from schemas.meta import Identifier

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NOON = 1_764_072_000 * SECOND
"""2025-11-25 12:00 UTC."""


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("19.95", 199_500),
        (Decimal("41.940000000000005"), 419_400),
        (Decimal("195.66999999999999"), 1_956_700),
        ("-10.00", -100_000),
        (3, 30_000),
        ("0.0001", 1),
    ],
)
def test_amounts(told: str | int | Decimal, ours: int) -> None:
    assert values.amount(told) == ours


@pytest.mark.parametrize("told", ["", "a", "1,95", "NaN", "Infinity", "0.00005", "100000000000000"])
def test_what_is_no_amount(told: str) -> None:
    with pytest.raises(Unfit):
        values.amount(told)


def test_minor_units_follow_the_currency() -> None:
    assert values.minor(1995, "EUR") == 199_500
    assert values.minor("1995", "JPY") == 19_950_000
    assert values.minor(1995, "KWD") == 19_950
    with pytest.raises(Unfit):
        values.minor("19.95", "EUR")


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("2025-11-25T12:00:00Z", NOON),
        ("2025-11-25T13:00:00+01:00", NOON),
        ("2025-11-25T13:00:00+0100", NOON),
        ("2025-11-25 12:00:00 UTC", NOON),
        ("2025-11-25T12:00:00.123456789Z", NOON + 123_456),
        ("2025-11-25T12:00:00.1234567Z", NOON + 123_456),
        ("2025-11-25 12:00:00.26 UTC", NOON + 260_000),
        ("2025-11-25T13:00:00", NOON),
        ("2025-11-25T13:00", NOON),
    ],
)
def test_moments(told: str, ours: int) -> None:
    assert values.moment(told, "Europe/Amsterdam") == ours


def test_a_local_time_is_one_of_its_zone_in_summer_too() -> None:
    summer, winter = (
        values.moment(f"2025-{month}-01T12:00:00", "Europe/Amsterdam") for month in ("07", "12")
    )
    assert (summer // HOUR) % 24 == 10
    assert (winter // HOUR) % 24 == 11


def test_where_the_clock_is_put_back_the_earlier_one_is_meant() -> None:
    assert values.moment("2025-10-26T02:30:00", "Europe/Amsterdam") == values.moment("2025-10-26T00:30:00Z")


def test_a_local_time_without_a_zone_says_what_to_set() -> None:
    with pytest.raises(Unfit, match="set `zone` for this source"):
        values.moment("2025-11-25T12:00:00")


@pytest.mark.parametrize(
    "told", ["", "yesterday", "2025-13-01T00:00:00Z", "2025-11-25T25:00:00Z", "25-11-2025"]
)
def test_what_is_no_time(told: str) -> None:
    with pytest.raises(Unfit):
        values.moment(told, "UTC")


def test_times_since_1970() -> None:
    assert values.seconds(1_764_072_000) == values.millis("1764072000000") == NOON
    assert values.seconds(Decimal("1764072000.5")) == NOON + SECOND // 2
    for told in ("soon", 10**30, Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(Unfit):
            values.millis(told)


def test_a_business_day_is_one_of_where_the_shop_is() -> None:
    late = values.moment("2025-11-25T23:30:00Z")
    assert values.local_day(late, "Europe/Amsterdam") == values.local_day(late, "UTC") + 1


def test_what_nobody_can_store_is_replaced_and_the_rest_is_read() -> None:
    found = documents.parse(
        b'{"id": 820982911946154508, "name": "a\\u0000b", "note": "\\ud800!", "rate": NaN}'
    )
    assert found == {
        "id": 820982911946154508,
        "name": "a\ufffdb",
        "note": "\ufffd\ufffd\ufffd!",
        "rate": None,
    }
    assert documents.parse('["😀"]'.encode()) == ["😀"]
    assert documents.parse(b"[1.10]") == [Decimal("1.10")]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_document(raw: bytes) -> None:
    with pytest.raises(NotReadable):
        documents.parse(raw)


def test_people_are_compared_in_one_form() -> None:
    found = people.known_as(
        "shop", customer_id=12, email=" Sam@Example.COM ", phone="06 12345678", region="NL", anonymous_id="x"
    )
    assert found == [
        Identifier("customer_id", "shop:12"),
        Identifier("email", "sam@example.com"),
        Identifier("phone", "+31612345678"),
        Identifier("anonymous_id", "x"),
    ]


@pytest.mark.parametrize("told", ["", "none", "@", "a@", "a b@c", "a" * 300 + "@example.com"])
def test_what_is_no_address(told: str) -> None:
    assert people.address_of(told) is None


@pytest.mark.parametrize(
    ("told", "region"), [("06 12345678", None), ("12", "NL"), ("call me", "NL"), ("", "NL")]
)
def test_what_is_no_number(told: str, region: str | None) -> None:
    assert people.number_of(told, region) is None
